// Ways to get a pod with an MCP server in it past the rules, or to change one: each is tried on the webhook as it serves,
// and either comes to nothing or is named in SECURITY.md as the cluster's to close.

import { objectsAt, withAt, type Json, type JsonObject } from '../../../shared/json.ts'

export type Change = (object: JsonObject) => JsonObject

/** What becomes of it: denied by a code or a rule; made good, and how one sees that; or closed by somebody else. */
export type Becomes =
  | { readonly denied: string }
  | { readonly mended: string; readonly isMended: (stored: JsonObject) => boolean }
  | { readonly cluster: string }

/** `servers` asks for `baseline`, `strict` and `opted-in` for what they are called. */
export type Place = 'servers' | 'strict' | 'opted-in'

export interface Way {
  readonly who:
    | 'the author of a pod'
    | 'another webhook, after ours'
    | 'whoever may change a pod'
    | 'whoever may enter a pod'
    | 'whoever has more of the cluster'
  /** What is tried. */
  readonly name: string
  readonly where?: Place
  /** What its author makes of a pod that complies. */
  readonly author?: Change
  /** What is left of ours before it is stored. */
  readonly remade?: Change
  /** What of the stored pod is changed, and through which subresource. */
  readonly changed?: Change
  readonly subResource?: string
  /** The review as it is sent, where no JSON object is the same. */
  readonly body?: (review: string) => string
  /** Not a pod: exec, attach, port-forward, proxy. */
  readonly connects?: true
  readonly becomes: Becomes
}

export const DIGEST = `sha256:${'0'.repeat(64)}`
/** The digest of an image that runs as the sidecar's user, by the image index. */
export const OURS_BY_IMAGE = `sha256:${'1'.repeat(64)}`
export const PROXY_DIGEST = `sha256:${'2'.repeat(64)}`
export const SIDECAR_UID = 21_520

/** A pod that complies with everything. */
export const ASKING: JsonObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    labels: { app: 'web' },
    annotations: { 'outrigger.dev/inject': 'true', 'outrigger.dev/container': 'server' },
  },
  spec: {
    containers: [
      {
        name: 'server',
        image: `example.com/server@${DIGEST}`,
        command: ['server', '--stdio'],
        resources: { limits: { cpu: '1', memory: '1Gi' } },
        securityContext: { runAsUser: 1000 },
      },
    ],
  },
}

export const denied = (by: string): Becomes => ({ denied: by })
export const mended = (how: string, isMended: (stored: JsonObject) => boolean): Becomes => ({
  mended: how,
  isMended,
})

export const set =
  (path: string, value: Json | undefined): Change =>
  (object) => {
    const [first = '', ...rest] = path.split('.')
    return withAt(object, [first, ...rest], value)
  }

export const annotated =
  (key: string, value: Json): Change =>
  (pod) =>
    withAt(pod, ['metadata', 'annotations', `outrigger.dev/${key}`], value)

type List = 'containers' | 'initContainers' | 'ephemeralContainers'

export const inEach =
  (list: List, change: Change): Change =>
  (pod) =>
    withAt(pod, ['spec', list], objectsAt(pod, 'spec', list).map(change))

/** The server's container with a member changed. */
export const server = (path: string, value: Json | undefined): Change =>
  inEach('containers', (container) =>
    container['name'] === 'server' ? set(path, value)(container) : container,
  )

/** The sidecar's. */
export const sidecar = (path: string, value: Json | undefined): Change =>
  inEach('initContainers', (container) =>
    container['name'] === 'outrigger-sidecar' ? set(path, value)(container) : container,
  )

export const adding =
  (list: List | 'volumes', ...items: readonly JsonObject[]): Change =>
  (pod) =>
    withAt(pod, ['spec', list], [...objectsAt(pod, 'spec', list), ...items])

export const all =
  (...changes: readonly Change[]): Change =>
  (object) =>
    changes.reduce((current, change) => change(current), object)

const RESTRICTED: JsonObject = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsUser: 4000,
  capabilities: { drop: ['ALL'] },
}

/** A container that keeps to the rules, but for what is said of it. */
export const helper = (fields: JsonObject = {}, context: JsonObject = {}): JsonObject => ({
  name: 'helper',
  image: `example.com/helper@${DIGEST}`,
  command: ['helper'],
  resources: { limits: { cpu: '1', memory: '1Gi' } },
  securityContext: { ...RESTRICTED, ...context },
  ...fields,
})

export const sidecarOf = (pod: JsonObject): JsonObject =>
  objectsAt(pod, 'spec', 'initContainers').find(({ name }) => name === 'outrigger-sidecar') ?? {}
export const serverOf = (pod: JsonObject): JsonObject =>
  objectsAt(pod, 'spec', 'containers').find(({ name }) => name === 'server') ?? {}

/** What the author of a pod tries. */
export const way = (name: string, author: Change, becomes: Becomes, where?: Place): Way => ({
  who: 'the author of a pod',
  name,
  author,
  becomes,
  ...(where ? { where } : {}),
})

export const mounting = (volume: JsonObject, mountPath = '/data'): Change =>
  all(
    adding('volumes', volume),
    server('volumeMounts', [{ name: volume['name'] ?? '', mountPath }]),
  )

export const tokenVolume = (name: string, fields: JsonObject): JsonObject => ({
  name,
  projected: { sources: [{ serviceAccountToken: { path: 'token', ...fields } }] },
})
