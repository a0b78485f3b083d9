// Servers and clients in pods: an annotated Deployment with its Service, and a client's pod that
// calls a tool through it.

import { spawn } from 'node:child_process'
import { z } from 'zod'
import { at, createApi, list, type Api, type Json } from './api.ts'
import type { OwnTarget } from './describe-cluster.ts'
import { serverCommand, serverImage, type ServerKind } from './images/servers.ts'
import { words } from './machine/run.ts'
import { waitFor } from './machine/waiting.ts'
import { createKubectl } from './kubectl.ts'
import { CLIENT_IMAGE, loadOurs } from './node-images.ts'
import { deploymentOf, INJECT, serverPod, type PodParts } from './pods.ts'

/** A server of a kind as a user's Deployment, and a Service onto the sidecar's port. */
export const serverObjects = (
  kind: ServerKind,
  name: string,
  { annotations = {}, container = {}, spec = {} }: PodParts = {},
): readonly Json[] => [
  deploymentOf(
    serverPod(name, {
      annotations: { ...INJECT, ...annotations },
      spec: { terminationGracePeriodSeconds: 10, ...spec },
      container: {
        image: serverImage(kind),
        imagePullPolicy: 'Never',
        command: serverCommand(kind),
        resources: { limits: { memory: '512Mi' } },
        ...container,
      },
    }),
    name,
  ),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ name: 'mcp', port: 80, targetPort: 'mcp' }] },
  },
]

/** A pod in which clients run. */
export const clientPod = (name: string, { container = {}, spec = {} }: PodParts = {}): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'client',
        image: CLIENT_IMAGE,
        imagePullPolicy: 'Never',
        command: ['/bin/sh', '-c', 'while :; do sleep 3600; done'],
        // Beside pods that ask for some, who asks for no CPU gets next to none.
        resources: { requests: { cpu: '200m' } },
        ...container,
      },
    ],
    ...spec,
  },
})

const allPodsOf = async (api: Api, namespace: string, app: string): Promise<readonly Json[]> => {
  const { body } = await api.get(`/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${app}`)
  return list(body, 'items').map((item) => z.record(z.string(), z.unknown()).parse(item))
}

/** The pods of a Deployment that are not on their way out. */
export const podsOf = async (api: Api, namespace: string, app: string): Promise<readonly Json[]> =>
  (await allPodsOf(api, namespace, app)).filter(
    (pod) => at(pod, 'metadata', 'deletionTimestamp') === undefined,
  )

export const isReady = (pod: unknown): boolean =>
  list(pod, 'status', 'conditions').some(
    (each) => at(each, 'type') === 'Ready' && at(each, 'status') === 'True',
  )

/** What the pods of a Deployment say of themselves: for the message of a wait that was in vain. */
const tell = async (api: Api, namespace: string, app: string): Promise<string> => {
  const told: string[] = []
  for (const pod of await podsOf(api, namespace, app)) {
    const name = String(at(pod, 'metadata', 'name'))
    const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap((part) =>
      list(pod, 'status', part),
    )
    for (const status of statuses) {
      const container = String(at(status, 'name'))
      const path = `/api/v1/namespaces/${namespace}/pods/${name}/log?tailLines=5`
      const { body } = await api.get(`${path}&container=${container}`)
      const state = JSON.stringify(at(status, 'state'))
      told.push(`${name}/${container}: ${state}\n${String(body['text'] ?? body['message'])}`)
    }
  }
  return told.join('\n')
}

/**
 * The one Ready pod of a Deployment, once it is alone: until kube-proxy has written its rules anew, a Service leads to
 * one that is on its way out too, whose server may still answer, know nothing of a session, or end under a call.
 */
export const readyPod = async (api: Api, namespace: string, app: string): Promise<Json> => {
  const ask = async (): Promise<Json | undefined> => {
    const [pod, ...others] = await allPodsOf(api, namespace, app)
    return others.length === 0 && isReady(pod) ? pod : undefined
  }
  try {
    return await waitFor(`a Ready pod of ${app}`, ask, 90)
  } catch (error) {
    throw new Error(await tell(api, namespace, app), { cause: error })
  }
}

const lineSchema = z.object({
  n: z.number(),
  ok: z.boolean(),
  ms: z.number(),
  step: z.string().optional(),
  message: z.string().optional(),
  cause: z.string().optional(),
  result: z.unknown().optional(),
})
export type CallLine = z.output<typeof lineSchema>

export interface ClientOptions {
  readonly era: 'legacy' | 'modern'
  readonly url: string
  readonly tool: string
  readonly args?: Json
  readonly count?: number
  readonly pauseMs?: number
}

export interface PodRun<T> {
  /** As they come. */
  readonly lines: readonly T[]
  /** It does nothing more than what is under way. */
  readonly stop: () => void
  /** All lines, once it has ended well. */
  readonly done: Promise<readonly T[]>
}

/** Starts one of the image's fixtures in the client's pod; each line that it writes is JSON. */
export const startInPod = <T>(
  target: OwnTarget,
  pod: { readonly namespace: string; readonly name: string },
  fixture: readonly string[],
  schema: z.ZodType<T>,
): PodRun<T> => {
  const [file, ...args] = fixture
  const child = spawn(target.kubectl, [
    '--kubeconfig',
    target.kubeconfig,
    ...words(`-n ${pod.namespace} exec -i ${pod.name} -- node --no-warnings /app/fixtures/${file}`),
    ...args,
  ])
  const lines: T[] = []
  let rest = ''
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) lines.push(schema.parse(JSON.parse(part)))
  })
  const done = new Promise<readonly T[]>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0 ? resolve(lines) : reject(new Error(`${file}: exit code ${code}: ${stderr}`)),
    )
  })
  // Whoever waits for it gets the failure; nobody else is to be struck by it.
  done.catch(() => undefined)
  child.stdin.on('error', () => undefined)
  return { lines, stop: () => void child.stdin.end(), done }
}

/** Starts a client in the client's pod. */
export const startClient = (
  target: OwnTarget,
  pod: { readonly namespace: string; readonly name: string },
  { era, url, tool, args = {}, count = 1, pauseMs = 0 }: ClientOptions,
): PodRun<CallLine> => {
  const call = [url, era, tool, JSON.stringify(args), String(count), String(pauseMs)]
  return startInPod(target, pod, ['pod-client.ts', ...call], lineSchema)
}

/** Calls once and gives the answer's first text, or what went wrong. */
export const callOnce = async (
  target: OwnTarget,
  pod: { readonly namespace: string; readonly name: string },
  options: ClientOptions,
): Promise<string> => {
  const [line] = await startClient(target, pod, options).done
  const text = at(line?.result, 'content', 0, 'text')
  return line?.ok === true && typeof text === 'string' ? text : `failed: ${JSON.stringify(line)}`
}

/** Waits until a Service leads to a server: kube-proxy writes its rules a moment after Ready. */
export const untilServed = (
  target: OwnTarget,
  pod: { readonly namespace: string; readonly name: string },
  url: string,
): Promise<string> =>
  waitFor(`${url} to be served`, async () => {
    const args = { message: 'hello' }
    const said = await callOnce(target, pod, { era: 'modern', url, tool: 'echo', args })
    return said === 'Echo: hello' ? said : undefined
  })

const DEV = new URL('../../manifests/overlays/dev', import.meta.url).pathname

/** Loads and applies what an overlay installs and waits for its webhook, for tests that run servers; an API client. */
export const installOurs = async (target: OwnTarget, overlay = DEV): Promise<Api> => {
  await loadOurs(target)
  const api = createApi(target.api)
  const kubectl = createKubectl(target)
  const isThere = (await api.get(DEPLOYMENT)).status === 200
  await kubectl.run('apply', '-k', overlay)
  // Replicas that are there read another configuration when the kubelet brings it, which may take a minute; new ones begin with it.
  if (isThere)
    await kubectl.run(...words(`${IN_SYSTEM} rollout restart deployment/outrigger-webhook`))
  await untilWebhookServes(api)
  return api
}

const SYSTEM = 'namespaces/outrigger-system'
const IN_SYSTEM = '-n outrigger-system'
const DEPLOYMENT = `/apis/apps/v1/${SYSTEM}/deployments/outrigger-webhook`
/** On a node that has just begun, beside everything else that begins there. */
const ROLLED_OUT_SECONDS = 300

/** Also until those before it are gone: while one leaves it may be asked, and knows another configuration. */
const untilWebhookServes = (api: Api): Promise<boolean> =>
  waitFor(
    'our webhook, and no other',
    async () => {
      const { body } = await api.get(DEPLOYMENT)
      const isSeen = at(body, 'status', 'observedGeneration') === at(body, 'metadata', 'generation')
      const available = at(body, 'status', 'availableReplicas')
      const updated = at(body, 'status', 'updatedReplicas')
      const pods = list((await api.get(`/api/v1/${SYSTEM}/pods`)).body, 'items')
      if (isSeen && pods.length === 2 && available === 2 && updated === 2) return true
      const seen = { isSeen, available, updated, pods: pods.map((pod) => at(pod, 'status')) }
      throw new Error(JSON.stringify(seen))
    },
    ROLLED_OUT_SECONDS,
  )
