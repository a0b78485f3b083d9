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
  'drain-delay': { type: 'string', default: '5' },
  'log-level': { type: 'string', default: 'info' },
} as const

const whole = (max: number, wants: string) =>
  z
    .string()
    .refine((text) => /^\d{1,6}$/.test(text) && Number(text) <= max, `use ${wants}`)
    .transform(Number)

const schema = z.object({
  config: z.string().min(1),
  images: z.string().min(1).optional(),
  host: z.string().min(1).optional(),
  port: whole(65_535, 'a port, 0 to 65535'),
  'admin-port': whole(65_535, 'a port, 0 to 65535'),
  namespace: z.string().min(1),
  service: z.string().min(1),
  'ca-secret': z.string().min(1),
  configuration: z.string().min(1),
  'drain-delay': whole(3600, 'a number of seconds up to 3600'),
  'log-level': z.enum(LEVELS),
})

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
      schemaFaults(schema, values, parsed.error.issues).map(
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
