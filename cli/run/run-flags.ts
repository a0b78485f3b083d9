// The flags of `outrigger run`: its own, and one for every annotation that the sidecar reads. Pure.

import { parseFlags } from '../command/flags.ts'
import { parsePort } from '../command/port.ts'
import { annotation, KEYS, type Key } from '../../shared/annotations.ts'
import { parseValue, wants } from '../../shared/settings.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

/** A command on this machine speaks stdio: what describes an HTTP server has no flag here. */
const NOT_HERE: ReadonlySet<Key> = new Set([
  'transport',
  'port',
  'path',
  'scheme',
  'ca-file',
  'forward-headers',
  'open-paths',
])

export const SETTING_FLAGS = KEYS.filter(
  (key) => annotation(key).readBy !== 'webhook' && !NOT_HERE.has(key),
)

/** Defaults that differ from the table's: a person reads the log here. */
export const DEFAULTS_HERE: Readonly<Partial<Record<Key, string>>> = { 'log-level': 'warn' }

export interface RunFlags {
  readonly port: number | undefined
  readonly adminPort: number | undefined
  readonly host: string | undefined
  /** Names that Host may bear besides the usual ones. */
  readonly allowedHosts: readonly string[]
  readonly config: string | undefined
  readonly allowAnonymous: boolean
  readonly settings: Readonly<Record<string, string>>
  readonly command: readonly string[]
}

const portOf = (flag: string, text: string | undefined): Result<number | undefined, string> =>
  text === undefined ? ok(undefined) : parsePort(flag, text)

const options = {
  port: { type: 'string' },
  'admin-port': { type: 'string' },
  host: { type: 'string' },
  'allowed-host': { type: 'string', multiple: true },
  config: { type: 'string' },
  'allow-anonymous': { type: 'boolean' },
  ...Object.fromEntries(SETTING_FLAGS.map((key) => [key, { type: 'string' as const }])),
} as const

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** The texts of the settings' flags; the error names every flag whose value is wrong. */
const settingsIn = (
  values: Readonly<Record<string, unknown>>,
): Result<Readonly<Record<string, string>>, string> => {
  const given = SETTING_FLAGS.flatMap((key) => {
    const value = text(values[key])
    return value === undefined ? [] : [{ key, value, parsed: parseValue(key, value) }]
  })
  const errors = given.flatMap(({ parsed }) => (parsed.ok ? [] : [`--${parsed.error}`]))
  return errors.length > 0
    ? fail(errors.join('; '))
    : ok(Object.fromEntries(given.map(({ key, value }) => [key, value])))
}

/** Reads the arguments; the error is a sentence. */
export const parseRunFlags = (args: readonly string[]): Result<RunFlags, string> => {
  const split = args.indexOf('--')
  const command = split === -1 ? [] : args.slice(split + 1)
  if (command.length === 0) return fail('the command is missing: put it after --')
  const flags = parseFlags({ args: args.slice(0, split), options })
  if (!flags.ok) return flags
  const values: Readonly<Record<string, unknown>> = flags.value.values
  const port = portOf('port', text(values['port']))
  if (!port.ok) return port
  const adminPort = portOf('admin-port', text(values['admin-port']))
  if (!adminPort.ok) return adminPort
  const settings = settingsIn(values)
  if (!settings.ok) return settings
  return ok({
    port: port.value,
    adminPort: adminPort.value,
    host: text(values['host']),
    allowedHosts: flags.value.values['allowed-host'] ?? [],
    config: text(values['config']),
    allowAnonymous: values['allow-anonymous'] === true,
    settings: settings.value,
    command,
  })
}

/** The lines of the help text that come from the annotation table. */
export const settingsHelp = (): string =>
  SETTING_FLAGS.map((key) => {
    const { doc, default: usual, isPlanned } = annotation(key)
    const value = DEFAULTS_HERE[key] ?? usual
    const notes = value === undefined ? wants(key) : `${wants(key)}; default ${value}`
    return `  --${key} VALUE\n      ${isPlanned ? 'Not built yet. ' : ''}${doc} (${notes})`
  }).join('\n')
