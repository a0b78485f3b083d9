// What `outrigger run` serves with: a file, and flags above it. Whatever is wrong with it is told at once, and what is
// set in vain is a warning.

import { readFileSync } from 'node:fs'
import { parse, YAMLParseError } from 'yaml'
import { annotation, KEYS } from '../../shared/annotations.ts'
import { NO_IDENTITY } from '../../shared/identity.ts'
import { isObject, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { parseSidecarConfig, speaksHttp, type SidecarConfig } from '../../shared/sidecar-config.ts'
import { yamlWords } from '../../shared/yaml-words.ts'
import { fileWords } from '../output/system-words.ts'
import { DEFAULTS_HERE, type RunFlags } from './run-flags.ts'

export interface RunConfiguration {
  readonly config: SidecarConfig
  /** Sentences about settings that change nothing. */
  readonly warnings: readonly string[]
}

const fileDocument = (path: string | undefined): Result<JsonObject, string> => {
  if (path === undefined) return ok({})
  let value: unknown
  try {
    value = parse(readFileSync(path, 'utf8')) ?? {}
  } catch (error) {
    const why =
      error instanceof YAMLParseError
        ? `line ${error.linePos?.[0].line}: ${yamlWords(error.code)}`
        : fileWords(error)
    return fail(`--config ${path}: ${why}`)
  }
  return isObject(value)
    ? ok(value)
    : fail(`--config ${path}: must be a mapping, such as \`settings: { log-level: info }\``)
}

/** The file's settings under the flags'; what is no mapping stays as it is, to be refused by the schema. */
const settingsOver = (own: unknown, { settings, allowAnonymous }: RunFlags): unknown =>
  isObject(own)
    ? { ...DEFAULTS_HERE, ...own, ...settings, ...(allowAnonymous ? { auth: 'none' } : {}) }
    : own

/** The file's names and the flags'; what is no list stays as it is, to be refused by the schema. */
const withHosts = (own: unknown, { allowedHosts }: RunFlags): unknown =>
  own === undefined || Array.isArray(own) ? [...(own ?? []), ...allowedHosts] : own

/** The settings on which nothing acts here. */
const setInVain = (own: unknown, { config, settings }: RunFlags): readonly string[] =>
  KEYS.flatMap((key) => {
    const { isPlanned, readBy } = annotation(key)
    const isFlag = settings[key] !== undefined
    if (!isFlag && !(isObject(own) && own[key] !== undefined)) return []
    const where = isFlag ? `--${key}` : `--config ${config}: settings: ${key}`
    if (isPlanned) return [`${where}: nothing acts on it yet`]
    return readBy === 'webhook' ? [`${where}: nothing acts on it here, only in a cluster`] : []
  })

/** File, then flags; the log is quiet by default, since a person reads it. */
export const readConfiguration = (flags: RunFlags): Result<RunConfiguration, readonly string[]> => {
  const file = fileDocument(flags.config)
  if (!file.ok) return fail([file.error])
  const { settings, ...document } = file.value
  const config = parseSidecarConfig({
    host: '127.0.0.1',
    adminPort: 0,
    isolation: 'advisory',
    ...document,
    ...(flags.host === undefined ? {} : { host: flags.host }),
    allowedHosts: withHosts(document['allowedHosts'], flags),
    ...(flags.port === undefined ? {} : { port: flags.port }),
    ...(flags.adminPort === undefined ? {} : { adminPort: flags.adminPort }),
    settings: settingsOver(settings ?? {}, flags),
  })
  if (!config.ok) {
    const where = flags.config === undefined ? '' : `--config ${flags.config}: `
    return fail(config.error.map((error) => `${where}${error}`))
  }
  if (!flags.allowAnonymous) {
    return fail([`${NO_IDENTITY}; --allow-anonymous serves anybody who can reach the port`])
  }
  return speaksHttp(config.value.settings)
    ? fail(['settings: transport: a command is served over stdio; leave it out'])
    : ok({ config: config.value, warnings: setInVain(settings, flags) })
}
