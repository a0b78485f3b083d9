// `outrigger run`: a sidecar on this machine around a command. Refuses to start without
// authentication unless told to, and ends with its server when that cannot even start.

import { createLog } from '../../shared/log.ts'
import { MCP_PATH } from '../../shared/names.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { originRules } from '../../sidecar/pipeline/origin.ts'
import { defineCommand, type Io } from '../command/command.ts'
import { startLocalSidecar } from './local-sidecar.ts'
import { aborted } from '../command/signal.ts'
import { readConfiguration } from './configuration.ts'
import { parseRunFlags, settingsHelp, type RunFlags } from './run-flags.ts'

const USAGE = `usage: outrigger run [--port N] [--host H] [--allowed-host NAME]... [--admin-port N] [--config FILE] [--allow-anonymous] [--SETTING VALUE]... -- CMD ARGS...

Serves a stdio MCP server over Streamable HTTP on this machine, through the shim.

  --port N            port to listen on, 0 for any (default 15200)
  --host H            address to listen on (default 127.0.0.1, with ::1)
  --allowed-host NAME a name or address that clients call it by, besides loopback and --host; else they get 403
  --admin-port N      port of /livez, /readyz and /metrics, 0 for any (default 0)
  --config FILE       a sidecar configuration, YAML or JSON; flags stand above it
  --allow-anonymous   serve anybody who can reach the port

Settings, by their annotation's name:
${settingsHelp()}
`

/** By which names it can be called: of whoever calls by another only the 403 would tell. */
const servedNames = (config: SidecarConfig): string => {
  const { hosts, anyHost } = originRules(config)
  return anyHost
    ? 'serves whatever name it is called by'
    : `serves the names ${[...hosts].join(', ')}; others get 403 (--allowed-host NAME adds one)`
}

/** How long a server may say nothing before it is said that we wait. */
const SILENCE_MS = 5000

/** What is waited for, once it takes long: whoever watches cannot know. */
const silence = (startupTimeoutMs: number): string =>
  `the server has not answered on stdout for ${SILENCE_MS / 1000} s; it is waited for, ${startupTimeoutMs / 1000} s in all (--startup-timeout)`

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
  const silent = setTimeout(
    () => io.stderr(`outrigger run: ${silence(settings['startup-timeout'])}\n`),
    SILENCE_MS,
  )
  try {
    const first = await Promise.race([sidecar.ready, over, sidecar.failed])
    clearTimeout(silent)
    if (first === undefined) {
      const name = host.includes(':') ? `[${host}]` : host
      io.stdout(`outrigger: listening on http://${name}:${sidecar.port}${MCP_PATH}\n`)
      io.stdout(`outrigger: ${servedNames(config)}\n`)
      io.stdout(`outrigger: health and metrics on http://${name}:${sidecar.adminPort}/metrics\n`)
    }
    const end = first ?? (await over)
    if (end === 'signal') return 0
    io.stderr(`outrigger run: ${end}\n`)
    return 1
  } finally {
    clearTimeout(silent)
    await close()
  }
}

export const run = defineCommand({
  name: 'run',
  usage: USAGE,
  cleansUp: true,
  readFlags: parseRunFlags,
  run: async (flags, io) => {
    const config = readConfiguration(flags)
    if (!config.ok) {
      for (const error of config.error) io.stderr(`outrigger run: ${error}\n`)
      return 2
    }
    for (const warning of config.value.warnings) io.stderr(`outrigger run: ${warning}\n`)
    return serve(config.value.config, flags, io)
  },
})
