// The webhook as its image runs it, and whoever asks it as an API server does: over TLS, on connections that are kept.

import { writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { isObject, objectAt, stringAt, type JsonObject } from '../../../shared/json.ts'
import { applyPatch, type Operation } from '../../../webhook/inject/patch.ts'
import { WEBHOOK_ENVIRONMENT, WEBHOOK_NODE_FLAGS } from '../../../webhook/runtime.ts'
import { reviewOf } from '../../support/admission.ts'
import { kubeconfigFor, startFakeKube, type FakeKube } from '../../support/fake-kube.ts'
import { bundleIn } from '../../support/known-bundle.ts'
import { startProgram, type Running } from '../../support/running.ts'
import {
  shippedConfiguration,
  WEBHOOK_ARGUMENTS,
  WEBHOOK_SERVICE,
} from '../../support/webhook-replica.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const NAMESPACE = 'servers'

export type Path = '/mutate' | '/validate'

/** Whoever asks: the response; rejects where there is none, or where the pod is refused. */
export interface Asking {
  readonly ask: (path: Path, body: Buffer) => Promise<string>
}

export interface Reviewing extends Asking {
  readonly pid: number
  readonly stop: () => Promise<void>
}

/** A cluster whose namespaces a webhook reads, and the file that leads to it. */
export const startCluster = async (
  folder: string,
): Promise<{ readonly kube: FakeKube; readonly kubeconfig: string }> => {
  const kube = await startFakeKube(shippedConfiguration())
  kube.addNamespace(NAMESPACE, {})
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, kubeconfigFor(kube))
  return { kube, kubeconfig }
}

export interface Start {
  readonly kubeconfig: string
  /** What its command line begins with. */
  readonly before?: readonly string[]
  /** What its arguments end with. */
  readonly more?: readonly string[]
}

/** One process of it, with its port as what was ready. */
export const startWebhook = ({ kubeconfig, before = [], more = [] }: Start): Promise<Running> => {
  const [command = process.execPath, ...args] = [
    ...before,
    process.execPath,
    ...WEBHOOK_NODE_FLAGS,
    `${ROOT}dist/webhook.js`,
    ...WEBHOOK_ARGUMENTS,
    ...more,
  ]
  return startProgram({
    command,
    args,
    env: { KUBECONFIG: kubeconfig, NODE_ENV: 'production', ...WEBHOOK_ENVIRONMENT },
    ready: /"message":"serving","port":(\d+)/,
  })
}

export interface Call {
  readonly port: string
  readonly ca: string
  /** False: on a connection of its own. */
  readonly agent: Agent | false
  /** Is told which certificate was shown. */
  readonly shown?: (fingerprint: string) => void
}

const fingerprintOf = ({ socket }: IncomingMessage): string =>
  socket instanceof TLSSocket ? socket.getPeerCertificate().fingerprint256 : ''

/** Asks one process. */
export const askOne = (
  { port, ca, agent, shown }: Call,
  path: Path,
  body: Buffer,
): Promise<string> =>
  new Promise((resolve, reject) => {
    const url = `https://127.0.0.1:${port}${path}`
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const options = { method: 'POST', ca, agent, servername: WEBHOOK_SERVICE, headers }
    const outgoing = request(url, options, (response) => {
      shown?.(fingerprintOf(response))
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

/** Starts one, and asks it on connections that are kept. */
export const startReviewing = async (
  folder: string,
  before: readonly string[],
): Promise<Reviewing> => {
  const { kube, kubeconfig } = await startCluster(folder)
  const running = await startWebhook({ kubeconfig, before })
  const agent = new Agent({ keepAlive: true })
  const call = { port: running.ready, ca: bundleIn(kube), agent }
  return {
    pid: running.pid,
    ask: (path, body) => askOne(call, path, body),
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
export const asksAbout = async (pod: JsonObject, { ask }: Asking): Promise<readonly Asked[]> => {
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
