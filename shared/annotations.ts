// The annotation contract, as one table: key, type, default, who may set it, who reads it.
// The parser, the README's table, `outrigger explain`, the flags of `outrigger run` and the tests
// all read this table and nothing else. It decides nothing.

import { AUDIT } from './audit-annotations.ts'
import { NO_EGRESS } from './destination.ts'
import { NO_ISSUERS } from './identity.ts'
import { LIMITS } from './limit-annotations.ts'
import { PROCESSES } from './process-annotations.ts'
import { RESOURCES } from './resource-annotations.ts'
import { TOOLS } from './tool-annotations.ts'

/** Every annotation and label of ours begins with this. */
export const PREFIX = 'outrigger.dev/'

/** Where a value may stand, from the weakest word to the strongest. */
export const SCOPES = ['cluster', 'namespace', 'workload', 'pod'] as const
export type Scope = (typeof SCOPES)[number]

/**
 * How a lower scope may change a security setting that a higher scope fixed: `order` lists values
 * from the loosest to the tightest and only a step to the right is allowed; `subset` may only
 * remove items of a list, of `destinations` also name narrower ones, or say the word for `none` of them, `superset` only add; what is `fixed` stays as it is; of a `limit` there
 * may only be less: fewer, shorter, slower, and of single tools more; of what is a `least` only more.
 */
export type Tightening =
  | { readonly by: 'order'; readonly order: readonly string[] }
  | { readonly by: 'superset' | 'fixed' }
  | { readonly by: 'subset'; readonly none?: string; readonly of?: 'destinations' }
  | { readonly by: 'limit' }
  | { readonly by: 'least' }

export interface Annotation {
  readonly type:
    | 'boolean'
    | 'enum'
    | 'name'
    | 'integer'
    | 'duration'
    | 'port'
    | 'path'
    | 'command'
    | 'list'
    | 'directories'
    | 'destinations'
    | 'callers'
    | 'quantity'
    | 'size'
    | 'url'
    | 'uids'
    | 'headers'
    | 'paths'
    | 'file'
    | 'rate'
    | 'tool-limits'
    | 'breaker'
    | 'redactions'
    | 'caller-variables'
    | 'exchange-items'
  /** The allowed words of an `enum`. */
  readonly values?: readonly string[]
  /** The largest `integer`. */
  readonly max?: number
  /** The smallest `size`, bytes. */
  readonly min?: number
  /** The default, as a user would write it; absent where there is none. */
  readonly default?: string
  readonly doc: string
  readonly scopes: readonly Scope[]
  readonly readBy: 'webhook' | 'sidecar' | 'both'
  readonly tighten?: Tightening
}

const EVERYWHERE = SCOPES
const OWN = ['workload', 'pod'] as const
const READ_BY_WEBHOOK = { scopes: EVERYWHERE, readBy: 'webhook' } as const
const READ_BY_SIDECAR = { scopes: EVERYWHERE, readBy: 'sidecar' } as const
const LIMIT = { tighten: { by: 'limit' } } as const

/** The table. Its order is the order of the README's table. */
export const ANNOTATIONS = {
  inject: {
    type: 'boolean',
    doc: 'Opt in (`true`) or out (`false`); a namespace opts in by the label `outrigger.dev/injection=enabled`, and a pod there out only by the floor’s leave.',
    scopes: OWN,
    readBy: 'webhook',
  },
  container: {
    type: 'name',
    doc: "Which container is the server; else the only one, else the pod's `kubectl.kubernetes.io/default-container`.",
    scopes: OWN,
    readBy: 'webhook',
  },
  transport: {
    type: 'enum',
    values: ['auto', 'stdio', 'http', 'sse'],
    default: 'auto',
    doc: 'What the server speaks; `auto`: HTTP where its container declares a TCP port and no `stdin: true`, else stdio. Over HTTP, Streamable HTTP is looked for first, then HTTP+SSE of 2024-11-05, which is all that `sse` looks for.',
    scopes: OWN,
    readBy: 'both',
  },
  command: {
    type: 'command',
    doc: "The server's command as a JSON array, where the container spec has none (it stands for the image's ENTRYPOINT).",
    scopes: OWN,
    readBy: 'webhook',
  },
  port: {
    type: 'port',
    doc: "The server's port where it speaks HTTP; else the only port it declares, or the one named `mcp`, `http` or the like.",
    scopes: OWN,
    readBy: 'both',
  },
  scheme: {
    type: 'enum',
    values: ['auto', 'http', 'https'],
    default: 'auto',
    doc: 'How the server’s port is reached where it speaks HTTP; `auto`: by TLS where the name of the port or a probe of it says so.',
    scopes: OWN,
    readBy: 'both',
  },
  'ca-file': {
    type: 'file',
    doc: "A file in a volume of the server's container by which its certificate is verified (an authority's, or its own); else any certificate is taken, with a warning. The connection never leaves the pod.",
    scopes: OWN,
    readBy: 'both',
  },
  path: {
    type: 'path',
    doc: "The server's path where it speaks HTTP; else it is found by asking at `/mcp`, `/`, `/http`, `/sse` and where these redirect to.",
    scopes: OWN,
    readBy: 'both',
  },
  'forward-headers': {
    type: 'headers',
    doc: "Headers of a caller's that a server over HTTP gets, such as `Authorization` where it knows its callers itself; needs the floor’s leave, `auth: none` for `Authorization`, and `process-model: session`.",
    scopes: EVERYWHERE,
    readBy: 'both',
    tighten: { by: 'subset' },
  },
  'open-paths': {
    type: 'paths',
    doc: "Paths of a server over HTTP, such as `/health`, that pass the sidecar as GET besides MCP, to the letter; never the server's MCP or SSE path or `/`; needs the floor’s leave.",
    scopes: OWN,
    readBy: 'both',
    tighten: { by: 'subset' },
  },
  ...PROCESSES,
  'translate-eras': {
    type: 'boolean',
    default: 'false',
    doc: 'Whether clients of MCP 2026-07-28 are served where the server knows only older revisions, each call by a process that has nothing else in flight, and clients of older revisions where it knows only 2026-07-28, by sessions that the sidecar holds; else they hear that the server does not speak theirs. Who knows both has no session before a server of older revisions then: its calls share the processes of their caller.',
    ...READ_BY_SIDECAR,
    tighten: { by: 'order', order: ['true', 'false'] },
  },
  'max-processes': {
    type: 'integer',
    // The shim's table holds this many.
    max: 1024,
    doc: 'Most server processes at once; else derived from the memory limit.',
    ...READ_BY_SIDECAR,
    ...LIMIT,
  },
  'max-concurrent-calls': {
    type: 'integer',
    max: 1024,
    default: '64',
    doc: 'Most calls of one session that its server works on at once; more wait their turn.',
    ...READ_BY_SIDECAR,
    ...LIMIT,
  },
  'max-request-size': {
    type: 'size',
    default: '4Mi',
    doc: "Longest message of a client's; beyond 4Mi at most a sixteenth of `sidecar-memory-limit`.",
    scopes: EVERYWHERE,
    readBy: 'both',
    ...LIMIT,
  },
  'max-response-size': {
    type: 'size',
    default: '16Mi',
    doc: "Longest message of the server's; beyond 16Mi at most a sixteenth of `sidecar-memory-limit`.",
    scopes: EVERYWHERE,
    readBy: 'both',
    ...LIMIT,
  },
  'idle-timeout': {
    type: 'duration',
    default: '30m',
    doc: 'A session or process without a call for this long is ended; one whose client listens, only when somebody needs its room.',
    scopes: EVERYWHERE,
    readBy: 'both',
    ...LIMIT,
  },
  ...LIMITS,
  auth: {
    type: 'enum',
    values: ['oidc', 'none'],
    default: 'oidc',
    doc: 'How callers are verified; `none` needs the floor’s leave.',
    scopes: EVERYWHERE,
    readBy: 'both',
    tighten: { by: 'order', order: ['none', 'oidc'] },
  },
  'oidc-issuers': {
    type: 'list',
    doc: 'Issuer URLs whose tokens are accepted, of those that the cluster configuration lists; `none` for none of them; else all of these, or beside `spiffe-ids` those whose tokens could name this server.',
    scopes: EVERYWHERE,
    readBy: 'both',
    tighten: { by: 'subset', none: NO_ISSUERS },
  },
  'oidc-audience': {
    type: 'list',
    doc: 'Audiences of which a token must name one, of those that the cluster configuration lists for its issuer or trust domain, or the public URL; else the public URL.',
    scopes: EVERYWHERE,
    readBy: 'both',
    tighten: { by: 'subset' },
  },
  'introspection-secret': {
    type: 'name',
    doc: "Secret of the pod's namespace with `client-id` and `client-secret`, by which the sidecar asks about tokens that are no JWTs (RFC 7662), at the one chosen issuer that the cluster configuration lists with an `introspectionUrl`, or the first that `oidc-issuers` names; else such tokens are refused. Best called `outrigger-…`: then no other container of the cluster gets it.",
    scopes: EVERYWHERE,
    readBy: 'webhook',
    tighten: { by: 'fixed' },
  },
  'required-scopes': {
    type: 'list',
    doc: 'Scopes that every call needs.',
    ...READ_BY_SIDECAR,
    tighten: { by: 'superset' },
  },
  'spiffe-ids': {
    type: 'list',
    doc: 'SPIFFE IDs whose SVIDs let in, of those that the cluster configuration lists: X.509-SVIDs over TLS (`tls-secret`), JWT-SVIDs as tokens where it takes them; `/*` at the end is everything below; else none.',
    scopes: EVERYWHERE,
    readBy: 'webhook',
    tighten: { by: 'subset' },
  },
  ...TOOLS,
  egress: {
    type: 'destinations',
    doc: 'What the server may reach, comma separated: `host:port`, `*.host:port`, `*:port` (any name), `CIDR:port`, or `LOCAL=host:port`, which the server finds at its own 127.0.0.1:LOCAL, for programs that know no proxy; of what `floor.egress` of the cluster configuration lists for the namespace. `none`, or left out: nothing.',
    scopes: EVERYWHERE,
    readBy: 'both',
    tighten: { by: 'subset', none: NO_EGRESS, of: 'destinations' },
  },
  'egress-mode': {
    type: 'enum',
    values: ['enforce', 'observe'],
    default: 'observe',
    doc: 'Whether the server is kept to `egress` (`enforce`), or goes where it likes, but for link-local addresses and those at which clouds give out credentials, and what it reaches is put on record (`observe`). Where nobody has chosen, a warning says so.',
    scopes: EVERYWHERE,
    readBy: 'both',
    tighten: { by: 'order', order: ['observe', 'enforce'] },
  },
  'ingress-from': {
    type: 'callers',
    doc: "Who may reach the sidecar's ports: namespaces (`name`), their pods (`namespace/label=value`), pods of the same namespace (`label=value`), addresses (`10.0.0.0/8`); `*`, or left out: everybody. Companions keep it, where the cluster has them.",
    ...READ_BY_WEBHOOK,
    tighten: { by: 'subset' },
  },
  ...AUDIT,
  'writable-paths': {
    type: 'directories',
    doc: 'Directories that get an emptyDir, for servers that write beside their code; shared with the init containers.',
    ...READ_BY_WEBHOOK,
  },
  'file-writes': {
    type: 'enum',
    values: ['anywhere', 'declared'],
    default: 'anywhere',
    doc: "Where the server's processes may change files: wherever their user may, or only where that is `declared`: in `writable-paths`, in volumes that its container mounts to be written, and each in its own HOME and TMPDIR (in `/tmp` over HTTP). Kept by Landlock, of Linux 6.2 or newer.",
    ...READ_BY_WEBHOOK,
    tighten: { by: 'order', order: ['anywhere', 'declared'] },
  },
  'run-as-user': {
    type: 'uids',
    doc: "The uid of the pod's containers whose specs name none, or, `name=uid`, of one of them; else the image's own by the image index, else the cluster's default.",
    ...READ_BY_WEBHOOK,
  },
  'needs-kube-api': {
    type: 'boolean',
    default: 'false',
    doc: "Keeps the ServiceAccount token in the server's container.",
    ...READ_BY_WEBHOOK,
    tighten: { by: 'order', order: ['true', 'false'] },
  },
  'log-level': {
    type: 'enum',
    values: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    doc: "The sidecar's own log.",
    ...READ_BY_SIDECAR,
  },
  ...RESOURCES,
  'tls-secret': {
    type: 'name',
    doc: "Secret of the pod's namespace, of type `kubernetes.io/tls`, by whose certificate the sidecar serves MCP over TLS on all its ports; read again when it changes. Best called `outrigger-…`: then no other container of the cluster gets it.",
    ...READ_BY_WEBHOOK,
  },
  'public-url': {
    type: 'url',
    doc: 'The URL that clients use; its host is accepted in Host and Origin, and it names the resource (RFC 8707), with `auth: oidc` one that the cluster configuration lists for the namespace.',
    scopes: OWN,
    readBy: 'both',
  },
} as const satisfies Record<string, Annotation>

export type Key = keyof typeof ANNOTATIONS

export const KEYS = Object.keys(ANNOTATIONS).filter((key): key is Key => key in ANNOTATIONS)

/** Whether a word, without the prefix, is a key of the table (and not of Object's prototype). */
export const isKey = (word: string): word is Key => Object.hasOwn(ANNOTATIONS, word)

/** The table's row for a key, seen without its literal types. */
export const annotation = (key: Key): Annotation => ANNOTATIONS[key]
