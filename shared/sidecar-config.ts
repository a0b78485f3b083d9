// The document that tells a sidecar what to be: the webhook writes it into the container's
// environment, `outrigger run --config` reads it from a file. Writer and reader share this schema.
// Its settings are the annotation table's own texts, so that there is one parser for them all.

import * as z from 'zod/mini'
import {
  apiServerFaults,
  authoritiesText,
  chosenIssuers,
  exchangeFaults,
  introspectionFaults,
  issuerSchema,
  MAX_ISSUERS,
  type IssuerEntry,
} from './issuers.ts'
import { ADMIN_PORT, EGRESS_PORT, MCP_PORT } from './names.ts'
import { hostOf, originOf } from './origin.ts'
import { fail, ok, type Result } from './result.ts'
import { faultWords, schemaFaults } from './schema-words.ts'
import { conflicts, parseSettings, type Settings } from './settings.ts'
import { chosenTrustDomains, trustDomainList, type TrustDomainSource } from './trust-domains.ts'

const port = z.int().check(z.gte(0), z.lte(65_535))
const path = z.string().check(z.startsWith('/'))
const text = z.string().check(z.minLength(1))

/** An OTLP/HTTP endpoint, e.g. `http://collector.telemetry:4318`; the signal's own path is appended unless it is there. */
export const otlpEndpoint = z
  .url({ protocol: /^https?$/ })
  .check(z.refine((url) => !/^[^/]*\/\/[^/]*@/.test(url), 'must not hold a user or password'))

/** The authorities of the collector's certificate, in PEM; absent: the usual ones. */
export const collectorCa = z.optional(authoritiesText)

/** Where traces go and how many; the same in the cluster configuration. */
export const tracesSchema = z.strictObject({
  endpoint: otlpEndpoint,
  ca: collectorCa,
  /** Of the traces that begin here, this part is recorded; others as their caller decides. */
  sampleRatio: z._default(z.number().check(z.gte(0), z.lte(1)), 0.05),
  /** Whether spans bear `mcp.server.name`, `mcp.tool.name` and `mcp.method` as well, by which earlier dashboards go. */
  earlierNames: z.optional(z.boolean()),
})

/** Where metrics go besides the admin port, and how often; the same in the cluster configuration. */
export const metricsSchema = z.strictObject({
  endpoint: z.optional(otlpEndpoint),
  /** Absent: that of traces, where they go to the same endpoint. */
  ca: collectorCa,
  intervalSeconds: z._default(z.int().check(z.gte(1), z.lte(3600)), 60),
})

/** Nothing but an origin. */
const isProxyUrl = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href
}

const atLeast = (least: number, usual: number) => z._default(z.int().check(z.gte(least)), usual)

/** In a pod the cluster configuration's and the annotation's together. */
const names = z._default(
  z.array(z.string().check(z.minLength(1), z.maxLength(256))).check(z.maxLength(512)),
  [],
)
const redactSchema = z.strictObject({
  /** Names of members. */
  keys: names,
  /** JSON paths, from `$.params`, `$.result` or `$.error` on. */
  paths: names,
  /** A file whose bytes are the key of digests; absent: a random one, for one instance alone. */
  keyFile: z.optional(path),
})

/** Where audit records go, and what happens where they cannot. */
export const auditSchema = z.strictObject({
  /** What admission knows of the server whose calls are recorded. */
  about: z.optional(
    z.strictObject({
      workload: z.optional(text),
      container: z.optional(text),
      image: z.optional(text),
    }),
  ),
  /** A file, in a folder that is there; full ones stay beside it. Absent: a collector, else standard output. */
  file: z.optional(path),
  /** A collector: records go there where no file is named, and checkpoints in any case. Without `endpoint`: as the exporter's own variables say. */
  otlp: z.optional(z.strictObject({ endpoint: z.optional(otlpEndpoint), ca: collectorCa })),
  /** A new file begins when one would grow beyond so many bytes, or has been written for so long. */
  maxFileBytes: atLeast(64 * 1024, 64 * 1024 * 1024),
  maxFileAgeSeconds: atLeast(1, 86_400),
  /** So much of full files is kept, the oldest goes first. */
  keepBytes: atLeast(0, 1024 * 1024 * 1024),
  /** Where a record cannot be written: calls are refused, or records are lost and counted. */
  onFailure: z._default(z.enum(['refuse', 'drop']), 'refuse'),
  /** What a record holds: who called what with what result; also what was asked; also the answer. */
  level: z._default(z.enum(['metadata', 'request', 'response']), 'metadata'),
  /** What of that is left out besides what the tool's own schema or the value's shape says. */
  redact: z.prefault(redactSchema, {}),
  /** A request is on record before the server sees it. */
  attempts: z._default(z.boolean(), false),
  /** How often standard output is told how far the records have come. */
  checkpointSeconds: z._default(z.int().check(z.gte(1), z.lte(86_400)), 60),
  /** A file with an Ed25519 key (PEM) that signs what is told so. */
  checkpointKey: z.optional(path),
  /** For denials of callers whom nobody knows, together; what is beyond is counted. */
  unknownBytesPerMinute: atLeast(1024, 1024 * 1024),
  /** For each verified caller, who is refused beyond it; absent: as many as they like. */
  callerBytesPerMinute: z.optional(z.int().check(z.gte(64 * 1024))),
})
export type AuditConfig = Readonly<z.output<typeof auditSchema>>

/** What is done about what the server reaches; which destinations, and whether others are refused, say its settings. */
export const egressSchema = z.strictObject({
  /** Where the kernel cannot confine the server's processes: they are not started, or run, and that is said wherever it matters. */
  confinement: z._default(z.enum(['require', 'advisory']), 'require'),
  /** Of the proxy, on loopback; 0: any that is free. */
  port: z._default(port, EGRESS_PORT),
  /** Everything goes out by this proxy, which is asked by CONNECT; `credentialsDir` holds `username` and `password` for it. */
  parentProxy: z.optional(
    z.strictObject({
      url: z
        .string()
        .check(
          z.refine(
            isProxyUrl,
            'must be http(s)://HOST:PORT, without user, path, query or fragment',
          ),
        ),
      credentialsDir: z.optional(path),
    }),
  ),
  /** Authorities (PEM) by which that proxy is believed, in the place of the usual ones. */
  caFile: z.optional(path),
  /** So much, both ways together, may one server process move; then it reaches nothing more. */
  bytesPerSession: z.optional(z.int().check(z.gte(1))),
})
export type EgressConfig = Readonly<z.output<typeof egressSchema>>

const standIn = z.strictObject({
  port: z.int().check(z.gte(1), z.lte(65_535)),
  /** Where clients know the endpoint; absent: where the server's own is found. */
  path: z.optional(path),
})
export type StandIn = Readonly<z.output<typeof standIn>>

const allowedHost = z
  .string()
  .check(
    z.refine(
      (name) => name === '*' || hostOf(name) !== undefined,
      'can never match: a host is a name or an address, without scheme, port or wildcard (`*` alone is any)',
    ),
  )
const allowedOrigin = z
  .string()
  .check(
    z.refine(
      (origin) => originOf(origin) !== undefined,
      'can never match: an Origin is scheme://host or scheme://host:port, without path or wildcard',
    ),
  )

/** The name of a Service, whole but for the cluster's domain. */
const SERVICE = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.svc$/

const isServer = (url: string): boolean =>
  url.startsWith('https://') && URL.parse(url)?.origin === url

const schema = z.strictObject({
  /** Annotation texts by key without the prefix; what is absent takes the table's default. */
  settings: z._default(z.record(z.string(), z.string()), {}),
  /** `<kind>-<name>` of the workload: the value of the `outrigger.dev/server` label. */
  server: z._default(text.check(z.maxLength(63)), 'local'),
  /** Address to listen on; `::` listens dual-stack on one socket. */
  host: z._default(text, '::'),
  port: z._default(port, MCP_PORT),
  adminPort: z._default(port, ADMIN_PORT),
  /** Directory of the control socket and the pipes folder; unused where no shim is. */
  runDir: z.optional(path),
  /**
   * Ports that the server, or a bridge before it, would hold: the sidecar listens there too, and serves
   * MCP at the path that clients know as well as at its own.
   */
  standIns: z._default(z.array(standIn).check(z.maxLength(16)), []),
  /**
   * The server speaks HTTP under `shim exec --loopback`: it is served once that holds it there, and `standIns` are
   * taken at the pod's own addresses alone; with the wildcard, neither could listen beside the other.
   */
  isSupervised: z._default(z.boolean(), false),
  /** Other ports of a server that is held on loopback: carried there from the pod's own addresses as plain TCP, unread. */
  carriedPorts: z._default(
    z.array(z.int().check(z.gte(1), z.lte(65_535))).check(z.maxLength(16)),
    [],
  ),
  /** Where to leave the shim for the server's container; absent where it is there already. */
  binDir: z.optional(path),
  /**
   * Host names (no port) accepted in Host and Origin besides loopback and the public URL's. The
   * item `*` accepts any Host (a pod is called by Service names that nobody knows at admission);
   * it never widens Origin.
   */
  allowedHosts: z._default(z.array(allowedHost).check(z.maxLength(64)), []),
  /**
   * Origins accepted besides those whose host is allowed, e.g. `https://inspector.example`, or
   * `vscode-webview://<id>` of a program that is no browser.
   */
  allowedOrigins: z._default(z.array(allowedOrigin).check(z.maxLength(64)), []),
  /** Who may say who calls, where `auth` is `oidc`; nobody else is believed. */
  issuers: z._default(z.array(issuerSchema).check(z.maxLength(MAX_ISSUERS)), []),
  /** Whose workloads may call by their SVIDs; without `issuers` nobody else may. */
  trustDomains: z.optional(trustDomainList),
  /** The directory of `client-id` and `client-secret`, by which opaque tokens are asked about; absent: they are refused. */
  introspectionDir: z.optional(path),
  /** The same, by which callers' tokens are exchanged for those of their processes. */
  tokenExchangeDir: z.optional(path),
  /** Who is asked for the keys of an issuer with `serviceAccounts`; `dir` holds `token` and `ca.crt` for that. */
  apiServer: z.optional(
    z.strictObject({
      url: z.string().check(z.refine(isServer, 'must be https://HOST or https://HOST:PORT')),
      dir: path,
    }),
  ),
  /** The file of the tool policy; without it and a base policy callers may do everything. It is read again whenever it changes. */
  toolPolicy: z.optional(path),
  /** What the platform team fixes, a tool policy as the policy's own reader checks it: that of the file can only narrow it. */
  basePolicy: z.optional(z.unknown()),
  /** The file of the tool lock; without it and a base lock what the server lists is not looked at. It is read again whenever it changes. */
  toolLock: z.optional(path),
  /** What the platform team fixes, a tool lock as the lock's own reader checks it: both hold. */
  baseLock: z.optional(z.unknown()),
  /** The files of a certificate and its key, by which MCP is served over TLS on every port; read again whenever they change. */
  tls: z.optional(z.strictObject({ certFile: path, keyFile: path })),
  /** The headless Service that names the pods of this workload, and the folder of `tls.crt`, `tls.key` and `id.key`, by which they know each other; absent: a session is served where it began alone. */
  replicas: z.optional(
    z.strictObject({
      service: z
        .string()
        .check(z.refine((name) => SERVICE.test(name), 'must be NAME.NAMESPACE.svc')),
      keys: path,
    }),
  ),
  /** What to do where the kernel cannot separate children of one uid, or uids are shared. */
  isolation: z._default(z.enum(['require', 'advisory']), 'require'),
  /** The pod's terminationGracePeriodSeconds. */
  graceSeconds: z._default(z.int().check(z.gte(0), z.lte(86_400)), 30),
  /** For pods that are to complete (Jobs): the server's container exits when idle. */
  exitWhenIdle: z._default(z.boolean(), false),
  /** Memory limit of the server's container, bytes: bounds the number of children. */
  serverMemoryBytes: z.optional(z.int().check(z.positive())),
  /** Memory limit of the sidecar itself, bytes, where its container has none, or a lower one to keep to. */
  memoryBytes: z.optional(z.int().check(z.gte(64 * 1024 * 1024))),
  /** Absent: no traces, and nothing of OpenTelemetry is loaded. */
  traces: z.optional(tracesSchema),
  /** Absent: metrics are sent where OpenTelemetry's own variables ask for it, else nowhere. Without `endpoint`: to that of the traces, or as those say. */
  metrics: z.optional(metricsSchema),
  /** Absent: nothing is recorded. */
  audit: z.optional(auditSchema),
  /** Absent: the server reaches what it likes, and nobody looks. */
  egress: z.optional(egressSchema),
})

export type SidecarDocument = z.input<typeof schema>
/** What is made of it once settings are known. */
type Chosen = 'settings' | 'issuers' | 'trustDomains'
export type SidecarConfig = Readonly<Omit<z.output<typeof schema>, Chosen>> & {
  /** Those that settings choose. */
  readonly issuers: readonly IssuerEntry[]
  /** Each with the audiences that settings choose. */
  readonly trustDomains: readonly TrustDomainSource[]
  readonly settings: Settings
}

/** Whether the server is reached over HTTP, not by the shim. */
export const speaksHttp = ({ transport }: Settings): boolean =>
  transport === 'http' || transport === 'sse'

/** What is wrong with the ports that are taken besides our own. */
const portErrors = ({ standIns, carriedPorts, isSupervised }: Shape): readonly string[] => {
  const ports = [...standIns.map(({ port: one }) => one), ...carriedPorts]
  const twice = new Set(ports.filter((one, index) => ports.indexOf(one) !== index))
  return [
    ...[...twice].map((one) => `standIns, carriedPorts: port ${one} stands there twice`),
    ...(carriedPorts.length > 0 && !isSupervised
      ? ['carriedPorts: only with isSupervised; else the server has them itself']
      : []),
  ]
}

type Shape = z.output<typeof schema>

/** What is wrong with the settings of what the sidecar is to do. */
const settingErrors = (settings: Settings, { isSupervised }: Shape): readonly string[] => {
  const { transport, port } = settings
  const errors = [
    ...(speaksHttp(settings) && port === undefined
      ? [`port: missing; transport ${transport} needs the port of the server`]
      : []),
    ...conflicts(settings),
    ...(isSupervised && !speaksHttp(settings)
      ? [`transport: nothing is supervised that speaks ${transport}`]
      : []),
  ]
  return errors.map((error) => `settings: ${error}`)
}

const trustErrors = (
  issuers: ReturnType<typeof chosenIssuers>,
  { introspectionDir, tokenExchangeDir, apiServer }: Shape,
  settings: Settings,
): readonly string[] =>
  issuers.ok
    ? [
        ...introspectionFaults(issuers.value, introspectionDir),
        ...exchangeFaults(issuers.value, settings, tokenExchangeDir),
        ...apiServerFaults(issuers.value, apiServer),
      ]
    : issuers.error

/** Checks a document (already parsed from JSON or YAML); on failure every error at once. */
export const parseSidecarConfig = (document: unknown): Result<SidecarConfig, string[]> => {
  const read = schema.safeParse(document)
  if (!read.success) {
    return fail(schemaFaults(schema, document, read.error.issues).map(faultWords))
  }
  const shape = read.data
  const parsed = parseSettings(shape.settings)
  if (!parsed.ok) return fail(parsed.error.map((error) => `settings: ${error}`))
  const settings = parsed.value
  const issuers = chosenIssuers({ ...shape, settings })
  const trustDomains = chosenTrustDomains({ ...shape, settings })
  const errors = [
    ...settingErrors(settings, shape),
    ...portErrors(shape),
    ...trustErrors(issuers, shape, settings),
    ...(trustDomains.ok ? [] : trustDomains.error),
  ]
  return issuers.ok && trustDomains.ok && errors.length === 0
    ? ok({ ...shape, issuers: issuers.value, trustDomains: trustDomains.value, settings })
    : fail(errors)
}
