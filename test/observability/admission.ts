// A replica of the webhook beside a fake API server, and what it is asked: pods that it injects, leaves alone and denies.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '../../shared/json.ts'
import { postReview, reviewOf } from '../support/admission.ts'
import { kubeconfigFor, startFakeKube } from '../support/fake-kube.ts'
import { bundleIn } from '../support/known-bundle.ts'
import { shippedConfiguration, startReplica, WEBHOOK_SERVICE } from '../support/webhook-replica.ts'
import type { Target } from './prometheus.ts'

export interface Admission {
  readonly target: Target
  /** So many pods that are injected, and one of each other kind. */
  readonly round: (busy: number) => Promise<void>
  readonly stop: () => Promise<void>
}

const podOf = (more: JsonObject = {}): JsonObject => ({
  metadata: { annotations: { 'outrigger.dev/auth': 'none' } },
  spec: { containers: [{ name: 'server', image: 'i', command: ['server'], ...more }] },
})

export const startAdmission = async (folder: string): Promise<Admission> => {
  mkdirSync(folder, { recursive: true })
  const kube = await startFakeKube(shippedConfiguration())
  kube.addNamespace('servers', { 'outrigger.dev/injection': 'enabled' })
  kube.addNamespace('others', {})
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, kubeconfigFor(kube))
  const { running, port, adminPort } = await startReplica(kubeconfig)
  const ca = bundleIn(kube)
  const ask = (pod: JsonObject, namespace: string): Promise<unknown> =>
    postReview(
      `https://127.0.0.1:${port}/mutate`,
      ca,
      JSON.stringify(reviewOf(pod, { namespace })),
      { servername: WEBHOOK_SERVICE },
    )
  const round = async (busy: number): Promise<void> => {
    for (let done = 0; done < busy; done++) await ask(podOf(), 'servers')
    await ask(podOf(), 'others')
    await ask(podOf({ securityContext: { privileged: true } }), 'servers')
  }
  const stop = async (): Promise<void> => {
    await running.stop()
    await kube.close()
  }
  const labels = { namespace: 'outrigger-system', pod: 'outrigger-webhook-0' }
  return { target: { adminPort, labels }, round, stop }
}
