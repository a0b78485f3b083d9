// `outrigger run`: a sidecar on this machine around a command. Refuses to start without
// authentication unless told to, and ends with its server when that cannot even start.

import { MCP_PATH } from '../../shared/names.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { originRules } from '../../sidecar/pipeline/origin.ts'
import { defineCommand, tell, type Io } from '../command/command.ts'
import { ReachedRecords } from '../egress/reached-record.ts'
import { suggestionOf, suggestionText } from '../egress/suggestion.ts'
import { Tallies } from '../egress/tally.ts'
import { auditFaults } from './audit-faults.ts'
import { startLocalSidecar, type OnReached } from './local-sidecar.ts'
import { certificateFaults } from './certificate-faults.ts'
import { credentialFaults } from './credential-faults.ts'
import { tellWaiting } from './patience.ts'
import { documentFaults } from './document-faults.ts'
import { startLogs } from './start-log.ts'
import { byFlag, startWords } from './start-words.ts'
import { aborted } from '../command/signal.ts'
import { readConfiguration } from './configuration.ts'
import { OWN_FLAGS, readRunFlags, SETTING_FLAGS, type RunFlags } from './run-flags.ts'

/** By which names it can be called: of whoever calls by another only the 403 would tell. */
const servedNames = (config: SidecarConfig): string => {
  const { hosts, anyHost } = originRules(config)
  return anyHost
    ? 'serves whatever name it is called by'
    : `serves the names ${[...hosts].join(', ')}; others get 403 (--allowed-host NAME adds one)`
}

/** What is observed of a server, and told when it ends: the annotation by which it could be kept to that. */
const observed = ({ settings, egress, server }: SidecarConfig) => {
  const tallies = new Tallies()
  const records = new ReachedRecords()
  return {
    isLooking: egress !== undefined && settings['egress-mode'] === 'observe',
    onReached: (told: Parameters<OnReached>[0]): void => {
      const reached = records.reachedIn({ ...told, event: 'egress', server, instance: '' })
      if (reached) tallies.add(reached)
    },
    text: (): string => {
      const suggestion = suggestionOf(server, tallies.byServer.get(server)?.values() ?? [])
      const nowhere = records.nowhere().map((words) => `# ${words}\n`)
      return suggestionText(suggestion) + nowhere.join('')
    },
  }
}

const serve = async (config: SidecarConfig, flags: RunFlags, io: Io): Promise<number> => {
  const { settings, host } = config
  const { begin, ...logs } = startLogs(settings['log-level'], io)
  const most = settings['max-processes']
  const { isLooking, onReached, text } = observed(config)
  const local = await startLocalSidecar(
    config,
    {
      ...(isLooking ? { onReached } : {}),
      command: flags.command,
      environment: io.environment,
      ...(most === undefined ? {} : { maxProcesses: most }),
    },
    logs,
  )
  const { sidecar, ended, close } = local
  const over = Promise.race([aborted(io.signal), ended])
  const stopTelling = tellWaiting(
    (sentence) => tell(io, 'run', sentence),
    settings['startup-timeout'],
  )
  try {
    const failed = sidecar.failed.then((fault) => byFlag(startWords(fault)))
    const first = await Promise.race([sidecar.ready, over, failed])
    stopTelling()
    if (first === undefined) {
      begin()
      const name = host.includes(':') ? `[${host}]` : host
      const scheme = config.tls === undefined ? 'http' : 'https'
      io.stdout(`outrigger: listening on ${scheme}://${name}:${sidecar.port}${MCP_PATH}\n`)
      io.stdout(`outrigger: ${servedNames(config)}\n`)
      io.stdout(`outrigger: health and metrics on http://${name}:${sidecar.adminPort}/metrics\n`)
    }
    const end = first ?? (await over)
    if (end === 'signal') return 0
    io.stderr(`outrigger run: ${end}\n`)
    return 1
  } finally {
    stopTelling()
    await close()
    if (isLooking) io.stdout(text())
  }
}

export const run = defineCommand({
  name: 'run',
  synopsis: '[flags] -- CMD ARGS...',
  about:
    'Serves a stdio MCP server over Streamable HTTP on this machine, through the shim. What it writes to stderr\nstays as it is on a terminal; elsewhere each line is JSON, with its time, process and session.',
  flags: OWN_FLAGS,
  more: { title: 'Settings, by the name of their annotation', flags: SETTING_FLAGS },
  cleansUp: true,
  readFlags: readRunFlags,
  run: async (flags, io) => {
    const config = readConfiguration(flags)
    if (!config.ok) {
      for (const error of config.error) tell(io, 'run', error)
      return 2
    }
    const { introspectionDir, tokenExchangeDir, tls, audit } = config.value.config
    const faults = [
      ...(await auditFaults(audit)),
      ...(await documentFaults(config.value.config)),
      ...(await credentialFaults(introspectionDir)),
      ...(await credentialFaults(tokenExchangeDir, 'tokenExchangeDir')),
      ...(await certificateFaults(tls, flags.tls !== undefined)),
    ]
    for (const fault of faults) tell(io, 'run', fault)
    if (faults.length > 0) return 2
    for (const warning of config.value.warnings) tell(io, 'run', warning)
    return serve(config.value.config, flags, io)
  },
})
