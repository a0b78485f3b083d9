// The webhook as its image runs it, and whoever asks it as an API server does: over TLS, on connections that are kept.

import { writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isObject, objectAt, stringAt, type JsonObject } from '../../../shared/json.ts'
import { applyPatch, type Operation } from '../../../webhook/inject/patch.ts'
import { WEBHOOK_ENVIRONMENT, WEBHOOK_NODE_FLAGS } from '../../../webhook/runtime.ts'
import { reviewOf } from '../../support/admission.ts'
import { caBundlesOf, kubeconfigFor, startFakeKube } from '../../support/fake-kube.ts'
import { startProgram } from '../../support/running.ts'
import {
  shippedConfiguration,
  WEBHOOK_ARGUMENTS,
  WEBHOOK_SERVICE,
} from '../../support/webhook-replica.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const NAMESPACE = 'servers'

export type Path = '/mutate' | '/validate'

export interface Reviewing {
  readonly pid: number
  /** The response; rejects where there is none, or where the pod is refused. */
  readonly ask: (path: Path, body: Buffer) => Promise<string>
  readonly stop: () => Promise<void>
}

/** Starts it; `before` is what its command line begins with. */
export const startReviewing = async (
  folder: string,
  before: readonly string[],
): Promise<Reviewing> => {
  const kube = await startFakeKube(shippedConfiguration())
  kube.addNamespace(NAMESPACE, {})
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, kubeconfigFor(kube))
  const [command = process.execPath, ...args] = [
    ...before,
    process.execPath,
    ...WEBHOOK_NODE_FLAGS,
    `${ROOT}dist/webhook.js`,
    ...WEBHOOK_ARGUMENTS,
  ]
  const running = await startProgram({
    command,
    args,
    env: { KUBECONFIG: kubeconfig, NODE_ENV: 'production', ...WEBHOOK_ENVIRONMENT },
    ready: /"message":"serving","port":(\d+)/,
  })
  const [bundle = ''] = caBundlesOf(kube.configuration())
  const ca = Buffer.from(bundle, 'base64').toString()
  const agent = new Agent({ keepAlive: true })
  const ask = (path: Path, body: Buffer): Promise<string> =>
    new Promise((resolve, reject) => {
      const url = `https://127.0.0.1:${running.ready}${path}`
      const headers = { 'content-type': 'application/json', 'content-length': body.length }
      const options = { method: 'POST', ca, agent, servername: WEBHOOK_SERVICE, headers }
      const outgoing = request(url, options, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('error', reject)
        response.on('end', () => {
          const isAllowed = response.statusCode === 200 && text.includes('"allowed":true')
          if (isAllowed) resolve(text)
          else reject(new Error(`${path}: ${response.statusCode}: ${text.slice(0, 500)}`))
        })
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  return {
    pid: running.pid,
    ask,
    stop: async () => {
      agent.destroy()
      await running.stop()
      await kube.close()
    },
  }
}

export interface Asked {
  readonly path: Path
  readonly body: Buffer
}

const bodyOf = (pod: JsonObject): Buffer =>
  Buffer.from(JSON.stringify(reviewOf(pod, { namespace: NAMESPACE })))

const patched = (pod: JsonObject, text: string): JsonObject => {
  const answer: unknown = JSON.parse(text)
  const patch = isObject(answer) ? stringAt(answer, 'response', 'patch') : undefined
  const operations: readonly Operation[] = JSON.parse(Buffer.from(patch ?? '', 'base64').toString())
  const applied = applyPatch(pod, operations)
  if (!applied.ok) throw new Error(applied.error)
  return applied.value
}

/** What an API server asks about a pod that is created: how it is to be changed, then whether it may be stored so. */
export const asksAbout = async (
  pod: JsonObject,
  { ask }: Pick<Reviewing, 'ask'>,
): Promise<readonly Asked[]> => {
  const first = bodyOf(pod)
  const injected = patched(pod, await ask('/mutate', first))
  if (Object.keys(objectAt(injected, 'metadata', 'labels')).length === 0) {
    throw new Error('the pod was not injected')
  }
  return [
    { path: '/mutate', body: first },
    { path: '/validate', body: bodyOf(injected) },
  ]
}
