// Our webhook as a real process, called by the real API server through the manifests as they are: a
// control plane alone has no kube-proxy, so the process takes the Service's own address. It has the
// rights of its ServiceAccount and no others.

import { join } from 'node:path'
import { accountKubeconfig } from './account-kubeconfig.ts'
import { at, createApi } from './api.ts'
import type { OwnTarget } from './describe-cluster.ts'
import { createKubectl } from './kubectl.ts'
import { run } from './machine/run.ts'
import { startSource, type SourceProcess } from './source-process.ts'

const NAMESPACE = 'outrigger-system'
const NAME = 'outrigger-webhook'
const ADMIN_PORT = 8081
const REPOSITORY = join(import.meta.dirname, '../..')

export interface WebhookProcess {
  /** Where the API server asks it. */
  readonly url: string
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
  /** Stops it for good: the Service's address is the Service's again. */
  readonly close: () => Promise<void>
  /** How many reviews of objects of a kind and a name it has answered, and those before it: other people's objects are no matter. */
  readonly reviewsOf: (kind: string, name: string) => Promise<number>
  /** How many reviews it has answered since it started, by decision. */
  readonly reviews: () => Promise<Readonly<Record<string, number>>>
}

const countsOf = (metrics: string): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  const line = /^outrigger_admission_reviews_total\{decision="([^"]+)"[^}]*\} (\d+)$/gm
  for (const [, decision = '', count] of metrics.matchAll(line)) {
    counts[decision] = (counts[decision] ?? 0) + Number(count)
  }
  return counts
}

const isReviewOf =
  (kind: string, name: string) =>
  (line: string): boolean => {
    if (!line.includes('"message":"reviewed"')) return false
    const said: unknown = JSON.parse(line)
    return at(said, 'kind') === kind && at(said, 'name') === name
  }

/** Applies manifests (a kustomization of manifests/) and starts the webhook with its configuration. */
export const startWebhook = async (
  target: OwnTarget,
  kustomization: string,
): Promise<WebhookProcess> => {
  const kubectl = createKubectl(target)
  const api = createApi(target.api)
  await kubectl.run('apply', '-k', join(REPOSITORY, 'manifests', kustomization))
  const service = await api.get(`/api/v1/namespaces/${NAMESPACE}/services/${NAME}`)
  const address = String(at(service.body, 'spec', 'clusterIP'))
  await run(['ip', 'address', 'replace', `${address}/32`, 'dev', 'lo'])
  const kubeconfig = await accountKubeconfig(target, { namespace: NAMESPACE, name: NAME })
  const argv = [
    'webhook/main.ts',
    'webhook',
    '--config',
    join('manifests', kustomization, 'config.yaml'),
    `--host=${address}`,
    '--port=443',
    `--admin-port=${ADMIN_PORT}`,
    '--drain-delay=0',
  ]
  const starting = (): Promise<SourceProcess> =>
    startSource(target, {
      name: 'webhook',
      kubeconfig,
      argv,
      adminUrl: `http://${address}:${ADMIN_PORT}`,
    })
  let webhook = await starting()
  return {
    url: `https://${address}`,
    start: async () => {
      webhook = await starting()
    },
    stop: () => webhook.stop(),
    close: async () => {
      await webhook.stop()
      await run(['ip', 'address', 'delete', `${address}/32`, 'dev', 'lo'])
    },
    reviewsOf: async (kind, name) => {
      // What it has answered before it has told by then.
      await webhook.admin('/readyz')
      return webhook.log().split('\n').filter(isReviewOf(kind, name)).length
    },
    reviews: async () => countsOf(await (await webhook.admin('/metrics')).text()),
  }
}
