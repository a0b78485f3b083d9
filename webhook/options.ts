// The webhook's command line. Read once, every error at once; nothing here has an effect.

import { parseArgs } from 'node:util'
import { z } from 'zod'
import { LEVELS, type Level } from '../shared/log.ts'
import { nearest } from '../shared/nearest.ts'
import { fail, ok, type Result } from '../shared/result.ts'
import { schemaFaults } from '../shared/schema-words.ts'

export const USAGE = `usage: webhook webhook --config FILE [options]

  --config FILE           the cluster configuration (YAML); required
  --images FILE           the image index (JSON), read again when it changes (default: none)
  --host ADDRESS          address of both ports (default: all)
  --port N                admission over TLS (default 8443)
  --admin-port N          /livez, /readyz, /metrics (default 8081)
  --namespace NAME        our own namespace (default outrigger-system)
  --service NAME          our Service, named in the certificate (default outrigger-webhook)
  --ca-secret NAME        Secret of the certificate authority (default outrigger-ca)
  --configuration NAME    webhook configurations (mutating and validating) that get their caBundle (default outrigger)
  --ca-lifetime TIME      of a certificate authority, replaced at two thirds; 3 times the leaf's at least (default 365d)
  --leaf-lifetime TIME    of a replica's serving certificate, replaced at two thirds; 5s to 90d (default 7d)
  --cert-dir DIR          serve by tls.crt and tls.key of a mounted Secret, as cert-manager keeps it, read again when
                          it changes; neither the Secret nor caBundle is written then (default: our own authority)
  --drain-delay SECONDS   go on serving after SIGTERM, not ready, for this long (default 5)
  --log-level LEVEL       ${LEVELS.join(', ')} (default info)
`

export interface Options {
  readonly configFile: string
  readonly imagesFile: string | undefined
  /** Undefined: every address, by IPv6 where the machine has it. */
  readonly host: string | undefined
  readonly port: number
  readonly adminPort: number
  readonly namespace: string
  readonly service: string
  readonly caSecret: string
  readonly configuration: string
  readonly authorityMs: number
  readonly leafMs: number
  /** Where somebody else's certificate is mounted; undefined: an authority of our own. */
  readonly certDir: string | undefined
  readonly drainDelayMs: number
  readonly logLevel: Level
}

const FLAGS = {
  config: { type: 'string' },
  images: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string', default: '8443' },
  'admin-port': { type: 'string', default: '8081' },
  namespace: { type: 'string', default: 'outrigger-system' },
  service: { type: 'string', default: 'outrigger-webhook' },
  'ca-secret': { type: 'string', default: 'outrigger-ca' },
  configuration: { type: 'string', default: 'outrigger' },
  'ca-lifetime': { type: 'string', default: '365d' },
  'leaf-lifetime': { type: 'string', default: '7d' },
  'cert-dir': { type: 'string' },
  'drain-delay': { type: 'string', default: '5' },
  'log-level': { type: 'string', default: 'info' },
} as const

const whole = (max: number, wants: string) =>
  z
    .string()
    .refine((text) => /^\d{1,6}$/.test(text) && Number(text) <= max, `use ${wants}`)
    .transform(Number)

const UNIT_MS = new Map([
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

const lifetimeMs = (text: string): number => {
  const [, amount, unit = ''] = /^(\d{1,5})([smhd])$/.exec(text) ?? []
  return Number(amount) * (UNIT_MS.get(unit) ?? Number.NaN)
}

const lifetime = (leastMs: number, mostMs: number, wants: string) =>
  z
    .string()
    .transform(lifetimeMs)
    .refine((ms) => ms >= leastMs && ms <= mostMs, `use ${wants}`)

/** What an authority signs last is over before it is itself: by then a third of its life is left. */
const LEAVES_IN_AUTHORITY = 3

const fields = z.object({
  config: z.string().min(1),
  images: z.string().min(1).optional(),
  host: z.string().min(1).optional(),
  port: whole(65_535, 'a port, 0 to 65535'),
  'admin-port': whole(65_535, 'a port, 0 to 65535'),
  namespace: z.string().min(1),
  service: z.string().min(1),
  'ca-secret': z.string().min(1),
  configuration: z.string().min(1),
  'ca-lifetime': lifetime(15_000, 3650 * 86_400_000, 'a time up to 3650d, such as 365d'),
  'leaf-lifetime': lifetime(5000, 90 * 86_400_000, 'a time of 5s to 90d, such as 12h'),
  'cert-dir': z.string().min(1).optional(),
  'drain-delay': whole(3600, 'a number of seconds up to 3600'),
  'log-level': z.enum(LEVELS),
})

const schema = fields.refine(
  (all) => all['ca-lifetime'] >= LEAVES_IN_AUTHORITY * all['leaf-lifetime'],
  {
    path: ['ca-lifetime'],
    message: `use ${LEAVES_IN_AUTHORITY} times --leaf-lifetime at least`,
  },
)

const parse = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    options: FLAGS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  })

type Token = ReturnType<typeof parse>['tokens'][number]

const misuse = (token: Token): readonly string[] => {
  if (token.kind !== 'option') return []
  const { name, rawName, value = '' } = token
  if (Object.hasOwn(FLAGS, name)) return value === '' ? [`${rawName} wants a value`] : []
  const match = nearest(name, Object.keys(FLAGS))
  return [`there is no flag ${rawName}${match === undefined ? '' : `; did you mean --${match}?`}`]
}

const check = (values: unknown): Result<Options, string[]> => {
  const parsed = schema.safeParse(values)
  if (!parsed.success) {
    return fail(
      schemaFaults(fields, values, parsed.error.issues).map(
        ({ path, message }) => `--${path.join('.')}: ${message}`,
      ),
    )
  }
  const { config, images, host, port, namespace, service, configuration, ...rest } = parsed.data
  return ok({
    configFile: config,
    imagesFile: images,
    host,
    port,
    namespace,
    service,
    configuration,
    adminPort: rest['admin-port'],
    caSecret: rest['ca-secret'],
    authorityMs: rest['ca-lifetime'],
    leafMs: rest['leaf-lifetime'],
    certDir: rest['cert-dir'],
    drainDelayMs: rest['drain-delay'] * 1000,
    logLevel: rest['log-level'],
  })
}

/** Reads `webhook --config FILE …`. */
export const parseOptions = (args: readonly string[]): Result<Options, string[]> => {
  const { tokens, positionals, values } = parse(args)
  const errors = tokens.flatMap(misuse)
  if (errors.length > 0) return fail(errors)
  const [command, ...extra] = positionals
  if (command !== 'webhook' || extra.length > 0) {
    return fail([`say which command to run: webhook (got ${JSON.stringify(positionals)})`])
  }
  return values.config === undefined
    ? fail(['the cluster configuration is missing: --config FILE'])
    : check(values)
}
