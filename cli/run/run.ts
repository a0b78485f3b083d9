// `outrigger run`: a sidecar on this machine around a command. Refuses to start without
// authentication unless told to, and ends with its server when that cannot even start.

import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { annotation, KEYS } from '../../shared/annotations.ts'
import { createLog } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import { MCP_PATH } from '../../shared/names.ts'
import { fail, type Result } from '../../shared/result.ts'
import { parseSidecarConfig, type SidecarConfig } from '../../shared/sidecar-config.ts'
import { isObject, type JsonObject } from '../../shared/json.ts'
import { isHelp, misuse, type Command, type Io } from '../command/command.ts'
import { startLocalSidecar } from './local-sidecar.ts'
import { aborted } from '../command/signal.ts'
import { DEFAULTS_HERE, parseRunFlags, settingsHelp, type RunFlags } from './run-flags.ts'

const USAGE = `usage: outrigger run [--port N] [--host H] [--admin-port N] [--config FILE] [--allow-anonymous] [--SETTING VALUE]... -- CMD ARGS...

Serves a stdio MCP server over Streamable HTTP on this machine, through the shim.

  --port N            port to listen on, 0 for any (default 15200)
  --host H            address to listen on (default 127.0.0.1, with ::1)
  --admin-port N      port of /livez, /readyz and /metrics, 0 for any (default 0)
  --config FILE       a sidecar configuration, YAML or JSON; flags stand above it
  --allow-anonymous   serve anybody who can reach the port

Settings, by their annotation's name:
${settingsHelp()}
`

const fileDocument = (path: string | undefined): JsonObject => {
  if (path === undefined) return {}
  let value: unknown
  try {
    value = parse(readFileSync(path, 'utf8')) ?? {}
  } catch (error) {
    throw new Error(`--config ${path}: ${messageOf(error)}`, { cause: error })
  }
  if (!isObject(value)) {
    throw new Error(
      `--config ${path}: must be a mapping, such as \`settings: { log-level: info }\``,
    )
  }
  return value
}

/** The file's settings under the flags'; what is no mapping stays as it is, to be refused by the schema. */
const settingsOver = (own: unknown, { settings, allowAnonymous }: RunFlags): unknown =>
  isObject(own)
    ? { ...DEFAULTS_HERE, ...own, ...settings, ...(allowAnonymous ? { auth: 'none' } : {}) }
    : own

/** File, then flags; the log is quiet by default, since a person reads it. */
const configuration = (flags: RunFlags): Result<SidecarConfig, string[]> => {
  const file = fileDocument(flags.config)
  const config = parseSidecarConfig({
    host: '127.0.0.1',
    adminPort: 0,
    isolation: 'advisory',
    ...file,
    ...(flags.host === undefined ? {} : { host: flags.host }),
    ...(flags.port === undefined ? {} : { port: flags.port }),
    ...(flags.adminPort === undefined ? {} : { adminPort: flags.adminPort }),
    settings: settingsOver(file['settings'] ?? {}, flags),
  })
  if (!config.ok) {
    const where = flags.config === undefined ? '' : `--config ${flags.config}: `
    return fail(config.error.map((error) => `${where}${error}`))
  }
  if (!flags.allowAnonymous) {
    return fail([
      'refusing to serve without authentication (auth: oidc is not built yet); --allow-anonymous serves anybody who can reach the port',
    ])
  }
  return config.value.settings.transport === 'http'
    ? fail(['settings: transport: a command is served over stdio; leave it out'])
    : config
}

const serve = async (config: SidecarConfig, flags: RunFlags, io: Io): Promise<number> => {
  const { settings, host } = config
  const log = createLog({
    level: settings['log-level'],
    write: (line) => io.log(line),
    now: () => Date.now(),
  })
  const most = settings['max-processes']
  const local = await startLocalSidecar(
    config,
    {
      command: flags.command,
      environment: io.environment,
      ...(most === undefined ? {} : { maxProcesses: most }),
    },
    log,
  )
  const { sidecar, ended, close } = local
  const over = Promise.race([aborted(io.signal), ended])
  try {
    const first = await Promise.race([sidecar.ready, over, sidecar.failed])
    if (first === undefined) {
      const name = host.includes(':') ? `[${host}]` : host
      io.stdout(`outrigger: listening on http://${name}:${sidecar.port}${MCP_PATH}\n`)
      io.stdout(`outrigger: health and metrics on http://${name}:${sidecar.adminPort}/metrics\n`)
    }
    const end = first ?? (await over)
    if (end === 'signal') return 0
    io.stderr(`outrigger run: ${end}\n`)
    return 1
  } finally {
    await close()
  }
}

export const run: Command = {
  usage: USAGE,
  cleansUp: true,
  run: async (args, io) => {
    if (isHelp(args)) {
      io.stdout(USAGE)
      return 0
    }
    const flags = parseRunFlags(args)
    if (!flags.ok) return misuse(io, 'run', flags.error)
    const config = configuration(flags.value)
    if (!config.ok) {
      for (const error of config.error) io.stderr(`outrigger run: ${error}\n`)
      return 2
    }
    for (const key of KEYS) {
      if (flags.value.settings[key] === undefined || !annotation(key).isPlanned) continue
      io.stderr(`outrigger run: --${key}: nothing acts on it yet\n`)
    }
    return serve(config.value, flags.value, io)
  },
}
