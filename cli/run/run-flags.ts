// The flags of `outrigger run`: its own, and one for every annotation that the sidecar reads. Pure.

import type { Flag, FlagTable, Given } from '../command/flags.ts'
import { parsePort } from '../command/port.ts'
import { annotation, KEYS, type Annotation, type Key } from '../../shared/annotations.ts'
import { parseValue, wants } from '../../shared/settings.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { spiffeIn, type SpiffeFlags } from './spiffe-flags.ts'

/** A command on this machine speaks stdio: what describes an HTTP server has no flag here. */
const NOT_HERE: ReadonlySet<Key> = new Set([
  'transport',
  'port',
  'path',
  'scheme',
  'ca-file',
  'forward-headers',
  'open-paths',
  'tool-policy',
  'tool-lock',
])

const SETTING_KEYS = KEYS.filter(
  (key) => annotation(key).readBy !== 'webhook' && !NOT_HERE.has(key),
)

/** Defaults that differ from the table's: a person reads the log here. */
export const DEFAULTS_HERE: Readonly<Partial<Record<Key, string>>> = { 'log-level': 'warn' }

const settingFlag = (key: Key): Flag => {
  const { type, doc, default: usual, values } = annotation(key)
  const value = DEFAULTS_HERE[key] ?? usual
  const words = type === 'boolean' ? ['true', 'false'] : values
  const notes = value === undefined ? wants(key) : `${wants(key)}; default ${value}`
  return {
    value: 'VALUE',
    doc: `${doc} (${notes})`,
    ...(words === undefined ? {} : { words }),
  }
}

export const OWN_FLAGS = {
  port: { value: 'N', doc: 'port to listen on, 0 for any (default 15200)' },
  host: { value: 'H', doc: 'address to listen on (default 127.0.0.1, with ::1)' },
  'allowed-host': {
    value: 'NAME',
    doc: 'a name or address that clients call it by, besides loopback and --host; else they get 403',
  },
  'admin-port': { value: 'N', doc: 'port of /livez, /readyz and /metrics, 0 for any (default 0)' },
  config: { value: 'FILE', doc: 'a sidecar configuration, YAML or JSON; flags stand above it' },
  'tool-policy': {
    value: 'FILE',
    doc: 'a tool policy: what it does not allow is denied; read again whenever it changes',
  },
  'oidc-ca': {
    value: 'FILE',
    doc: 'the authorities of the issuers’ certificates, in PEM, in the place of the usual ones',
  },
  'oidc-dpop': {
    value: 'WORD',
    doc: 'whether tokens may, or must, be bound to their client’s key, which proves it with each request (DPoP, RFC 9449): accepted or required',
    words: ['accepted', 'required'],
  },
  'oidc-certificate-bound': {
    doc: 'their tokens may be bound to a client certificate (RFC 8705), for which connections over TLS are then asked',
  },
  'tool-lock': {
    value: 'FILE',
    doc: 'a tool lock (outrigger tools lock): what is new or differs is hidden and refused; read again whenever it changes',
  },
  'introspection-url': {
    value: 'URL',
    doc: 'where the one issuer of --oidc-issuers is asked about tokens that are no JWTs (RFC 7662)',
  },
  'introspection-credentials': {
    value: 'DIR',
    doc: 'a directory with the files client-id and client-secret, by which it is asked',
  },
  'tls-cert': {
    value: 'FILE',
    doc: 'a certificate in PEM, with those that signed it behind it: MCP is served over TLS; read again whenever it changes',
  },
  'tls-key': { value: 'FILE', doc: 'its private key in PEM' },
  'spiffe-ids': {
    value: 'LIST',
    doc: 'SPIFFE IDs of one trust domain whose X.509-SVIDs let in over TLS, comma separated; /* at the end is everything below. Without --oidc-issuers and --spiffe-jwt who shows none is refused in the handshake',
  },
  'spiffe-bundle': {
    value: 'FILE',
    doc: 'the bundle of that trust domain: its authorities in PEM, or as SPIFFE has it in JSON; read again whenever it changes',
  },
  'spiffe-bundle-url': {
    value: 'URL',
    doc: 'where that bundle is to be had instead; asked again and again',
  },
  'spiffe-bundle-ca': {
    value: 'FILE',
    doc: 'the authorities of that URL’s certificate, in PEM, in the place of the usual ones',
  },
  'spiffe-endpoint-id': {
    value: 'ID',
    doc: 'the SPIFFE ID that is shown at that URL (https_spiffe): it is believed by the bundle that was had last, at first by --spiffe-bundle',
  },
  'spiffe-jwt': {
    doc: 'their JWT-SVIDs let in, too, as bearer tokens for --oidc-audience, else for the URL that is served',
  },
  'audit-file': {
    value: 'FILE',
    doc: 'a file for audit records: who called what, with what result; without it nothing is recorded',
  },
  'audit-sink': {
    value: 'WORD',
    doc: 'where audit records go without a file: otlp, as OTLP logs to the collector of audit.otlp.endpoint or OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, or stdout, between what run itself says',
    words: ['otlp', 'stdout'],
  },
  'allow-anonymous': { doc: 'serve anybody who can reach the port' },
} as const satisfies FlagTable

export const SETTING_FLAGS: FlagTable = Object.fromEntries(
  SETTING_KEYS.map((key) => [key, settingFlag(key)]),
)

type AuditSink = (typeof OWN_FLAGS)['audit-sink']['words'][number]

export interface RunFlags {
  readonly port: number | undefined
  readonly adminPort: number | undefined
  readonly host: string | undefined
  /** Names that Host may bear besides the usual ones. */
  readonly allowedHosts: readonly string[]
  readonly config: string | undefined
  /** The file of a tool policy. */
  readonly toolPolicy: string | undefined
  /** The file of the issuers' authorities. */
  readonly oidcCa: string | undefined
  /** Whether the issuers' tokens may, or must, be bound to their client's key. */
  readonly oidcDpop: string | undefined
  /** Whether the issuers' tokens may be bound to a client certificate. */
  readonly oidcCertificateBound: boolean
  /** Where tokens that are no JWTs are asked about, and the directory of the credentials. */
  readonly introspection: { readonly url: string; readonly dir: string } | undefined
  /** The file of a tool lock. */
  readonly toolLock: string | undefined
  /** The files of a certificate and its key. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  /** Whose SVIDs let in. */
  readonly spiffe: SpiffeFlags | undefined
  /** The file of the audit records, or where they go without one. */
  readonly auditFile: string | undefined
  readonly auditSink: AuditSink | undefined
  readonly allowAnonymous: boolean
  readonly settings: Readonly<Record<string, string>>
  readonly command: readonly string[]
}

const portOf = (flag: string, text: string | undefined): Result<number | undefined, string> =>
  text === undefined ? ok(undefined) : parsePort(flag, text)

/** Those whose values are lists: given several times they add up. */
const LISTS: ReadonlySet<Annotation['type']> = new Set([
  'list',
  'destinations',
  'callers',
  'directories',
  'headers',
  'paths',
  'redactions',
])

const valueIn = ({ text, texts }: Given, key: Key): string | undefined =>
  LISTS.has(annotation(key).type) && texts(key).length > 1 ? texts(key).join(',') : text(key)

/** The texts of the settings' flags; the error names every flag whose value is wrong. */
const settingsIn = (typed: Given): Result<Readonly<Record<string, string>>, string> => {
  const given = SETTING_KEYS.flatMap((key) => {
    const value = valueIn(typed, key)
    return value === undefined ? [] : [{ key, value, parsed: parseValue(key, value) }]
  })
  const errors = given.flatMap(({ parsed }) => (parsed.ok ? [] : [`--${parsed.error}`]))
  return errors.length > 0
    ? fail(errors.join('; '))
    : ok(Object.fromEntries(given.map(({ key, value }) => [key, value])))
}

const introspectionOf = ({ text }: Given): Result<RunFlags['introspection'], string> => {
  const [url, dir] = [text('introspection-url'), text('introspection-credentials')]
  if (url === undefined && dir === undefined) return ok(undefined)
  return url === undefined || dir === undefined
    ? fail(
        '--introspection-url and --introspection-credentials: one is of no use without the other',
      )
    : ok({ url, dir })
}

/** Both or none. */
const tlsIn = ({ text }: Given): Result<RunFlags['tls'], string> => {
  const [certFile, keyFile] = [text('tls-cert'), text('tls-key')]
  if (certFile === undefined && keyFile === undefined) return ok(undefined)
  if (certFile !== undefined && keyFile !== undefined) return ok({ certFile, keyFile })
  const [has, lacks] = keyFile === undefined ? ['cert', 'key'] : ['key', 'cert']
  return fail(`--tls-${has} needs --tls-${lacks}, the file of the other half`)
}

/** One of the two. */
const auditIn = ({ text }: Given): Result<Pick<RunFlags, 'auditFile' | 'auditSink'>, string> => {
  const [auditFile, sink] = [text('audit-file'), text('audit-sink')]
  if (sink === undefined) return ok({ auditFile, auditSink: undefined })
  const { words } = OWN_FLAGS['audit-sink']
  const auditSink = words.find((word) => word === sink)
  if (auditSink === undefined) {
    return fail(
      `--audit-sink ${JSON.stringify(sink)} is none of ${words.join(', ')}; a file is named by --audit-file FILE`,
    )
  }
  return auditFile === undefined
    ? ok({ auditFile, auditSink })
    : fail(`--audit-sink ${sink} and --audit-file: records go to one of the two`)
}

/** Both. */
const portsIn = ({ text }: Given): Result<Pick<RunFlags, 'port' | 'adminPort'>, string> => {
  const port = portOf('port', text('port'))
  if (!port.ok) return port
  const adminPort = portOf('admin-port', text('admin-port'))
  return adminPort.ok ? ok({ port: port.value, adminPort: adminPort.value }) : adminPort
}

/** Reads what was typed; the error is a sentence. */
export const readRunFlags = (given: Given): Result<RunFlags, string> => {
  const { text, texts, has, command = [] } = given
  if ((command[0] ?? '') === '') return fail('the command is missing: put it after --')
  const ports = portsIn(given)
  if (!ports.ok) return ports
  const introspection = introspectionOf(given)
  if (!introspection.ok) return introspection
  const tls = tlsIn(given)
  if (!tls.ok) return tls
  const spiffe = spiffeIn(given)
  if (!spiffe.ok) return spiffe
  const audit = auditIn(given)
  if (!audit.ok) return audit
  const settings = settingsIn(given)
  if (!settings.ok) return settings
  return ok({
    ...ports.value,
    host: text('host'),
    allowedHosts: texts('allowed-host'),
    config: text('config'),
    toolPolicy: text('tool-policy'),
    oidcCa: text('oidc-ca'),
    oidcDpop: text('oidc-dpop'),
    oidcCertificateBound: has('oidc-certificate-bound'),
    introspection: introspection.value,
    toolLock: text('tool-lock'),
    tls: tls.value,
    spiffe: spiffe.value,
    ...audit.value,
    allowAnonymous: has('allow-anonymous'),
    settings: settings.value,
    command,
  })
}
