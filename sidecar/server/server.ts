// Which kind of server a configuration asks for, behind one interface: the shim's children, or
// sessions of a loopback HTTP server.

import type { Log } from '../../shared/log.ts'
import { RUN_DIR } from '../../shared/names.ts'
import { speaksHttp, type SidecarConfig } from '../../shared/sidecar-config.ts'
import { maxProcesses } from '../../shared/max-processes.ts'
import { admitShim, weaknessOf } from './admit.ts'
import { Control, type ControlOptions } from './control.ts'
import { forwarded } from '../http/forwarded.ts'
import { HttpSource } from './http-source.ts'
import { Loopback } from './loopback.ts'
import { OpenPaths } from './open-paths.ts'
import { whereElse, type Listener } from './listeners.ts'
import { Spawner } from './spawner.ts'
import type { ProcessWatch } from './process-watch.ts'
import type { LinkSource } from './source.ts'
import { Supervision } from './supervision.ts'

export interface McpServer {
  readonly source: LinkSource
  /** The server's paths besides MCP, where it has any that pass. */
  readonly openPaths?: OpenPaths
  /** Children that are not gone, or open HTTP sessions. */
  readonly count: number
  /** Looks after those who wait for a process. */
  sweep(nowMs: number): void
  /** Where a server that speaks HTTP has its endpoint, once that is known. */
  readonly path: string | undefined
  /** `hold` takes the ports of a server that is held on loopback, or leaves them to one that is not. */
  start(hold: (isHeld: boolean) => Promise<unknown>): Promise<void>
  /** Lets the server's container exit with a code; with HTTP nothing, unless it is being stopped and is held back for us. */
  exit(code: number): Promise<void>
  close(): void
}

/** What servers with a shim need of the machine. */
export interface ServerMeans extends Pick<ControlOptions, 'budget' | 'newName' | 'schedule'> {
  /** Of this process; a server must not share it. */
  readonly ownUid: number | undefined
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Who listens in the pod; undefined on a machine that is none. */
  readonly listeners: (() => readonly Listener[]) | undefined
}

export interface ServerEvents {
  readonly log: Log
  /** The server can be asked; `weakness`: what of its isolation does not hold and is only advised. */
  readonly onThere: (weakness: string | undefined) => void
  readonly onGone: (why: string) => void
  readonly onTerminating: (leftMs: number) => void
  readonly onSpawn: (outcome: 'started' | 'refused' | 'full') => void
  /** A server process has ended with this code. */
  readonly onExit: (code: number) => void
  /** Hears of all server processes. */
  readonly watch: ProcessWatch
}

const ENDED = "the server's container has ended"
const IS_IT_STDIO = 'if the server speaks stdio, set outrigger.dev/transport: stdio'

const stdio = (
  config: SidecarConfig,
  { ownUid, budget, newName, schedule, now }: ServerMeans,
  events: ServerEvents,
): McpServer => {
  const control = new Control({
    runDir: config.runDir ?? RUN_DIR,
    budget,
    newName,
    schedule,
    log: events.log,
    admit: (peer) => admitShim(peer, { ...config, ownUid }),
    onTerminating: events.onTerminating,
    onExit: events.onExit,
    watch: events.watch,
    onPeer: (peer) => (peer ? events.onThere(weaknessOf(peer, ownUid)) : events.onGone(ENDED)),
  })
  const spawner = new Spawner({
    control,
    maxProcesses: maxProcesses(config.settings['max-processes'], config.serverMemoryBytes),
    idleTimeoutMs: config.settings['idle-timeout'],
    now,
    onSpawn: events.onSpawn,
  })
  return {
    source: spawner,
    sweep: (nowMs) => spawner.sweep(nowMs),
    path: undefined,
    get count() {
      return control.count
    },
    start: () => control.listen(),
    exit: (code) => control.exit(code),
    close: () => control.close(),
  }
}

/** Waits for the shim that holds the server on loopback; without it the server is there whenever it likes. */
const superviseServer = (
  config: SidecarConfig,
  { ownUid }: ServerMeans,
  { log, onThere, onGone, onTerminating }: ServerEvents,
  hold: (isHeld: boolean) => Promise<unknown>,
): Supervision =>
  new Supervision({
    runDir: config.runDir ?? RUN_DIR,
    log,
    admit: (peer) => admitShim(peer, { ...config, ownUid }),
    weaknessOf: (peer) => weaknessOf(peer, ownUid),
    isAdvisory: config.isolation === 'advisory',
    hold,
    onRunning: onThere,
    onGone,
    onTerminating,
  })

const http = (config: SidecarConfig, means: ServerMeans, events: ServerEvents): McpServer => {
  const { port, path, transport, scheme, 'ca-file': caFile } = config.settings
  if (port === undefined) throw new Error('unreachable: the configuration was checked for a port')
  const { budget, ownUid, listeners } = means
  const loopback = new Loopback({ port, isTls: scheme === 'https', caFile })
  const source = new HttpSource({
    loopback,
    path,
    transports: transport === 'sse' ? ['sse'] : ['http', 'sse'],
    forwards: (config.settings['forward-headers'] ?? []).length > 0,
    budget,
    onEndpoint: (found) =>
      events.log.info('the MCP endpoint of the server was found', { port, ...found }),
    advice: () => whereElse(listeners?.() ?? [], ownUid) ?? IS_IT_STDIO,
  })
  const openPaths = new OpenPaths({
    loopback,
    paths: config.settings['open-paths'] ?? [],
    endpoint: () => source.endpoint?.path,
    forwarded: forwarded(config.settings['forward-headers']),
  })
  let supervision: Supervision | undefined
  return {
    source,
    openPaths,
    get path() {
      // Who looks for HTTP+SSE is told that it is not there.
      return source.endpoint?.transport === 'http' ? source.endpoint.path : undefined
    },
    get count() {
      return source.count
    },
    sweep: () => undefined,
    start: async (hold) => {
      if (!config.isSupervised) {
        events.onThere(undefined)
        return
      }
      supervision = superviseServer(config, means, events, hold)
      await supervision.listen()
    },
    exit: async (code) => supervision?.exit(code),
    close: () => {
      supervision?.close()
      loopback.close()
    },
  }
}

export const connectServer = (
  config: SidecarConfig,
  means: ServerMeans,
  events: ServerEvents,
): McpServer =>
  speaksHttp(config.settings) ? http(config, means, events) : stdio(config, means, events)
