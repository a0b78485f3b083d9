// The server behind a sidecar, whichever kind: what the rest asks of it, what it needs, and what it tells.

import type { Log } from '../../shared/log.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { ControlOptions } from './control.ts'
import type { Listener } from './listeners.ts'
import type { OpenPaths } from './open-paths.ts'
import type { ProcessTokens } from './process-tokens.ts'
import type { ProcessWatch } from './process-watch.ts'
import type { Outfitter } from './outfit.ts'
import type { LinkSource, Spares, Tenant } from './source.ts'
import type { SpareOptions } from './spare-processes.ts'
import type { Underway } from './underway.ts'

export interface McpServer {
  readonly source: LinkSource
  /** The server's paths besides MCP, where it has any that pass. */
  readonly openPaths?: OpenPaths
  /** Children that are not gone, or open HTTP sessions. */
  readonly count: number
  /** Who holds its processes; absent where those are nobody's own. */
  readonly tenants?: Iterable<Tenant>
  /** Absent where nobody has asked for any. */
  readonly spares?: Spares | undefined
  /** What is in flight with it. */
  readonly underway: Iterable<Underway>
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
export interface ServerMeans extends Pick<
  ControlOptions,
  'budget' | 'newName' | 'schedule' | 'atTurnEnd'
> {
  /** Of this process; a server must not share it. */
  readonly ownUid: number | undefined
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Undefined where the server may reach what it likes. */
  readonly outfitter?: Outfitter | undefined
  /** Undefined where its processes have no tokens of their callers'. */
  readonly tokens?: ProcessTokens | undefined
  /** Whether the server is known to work. */
  readonly isServing: () => boolean
  /** Absent where nobody has asked for spare processes. */
  readonly createSpares?: ((options: SpareOptions) => Spares) | undefined
  /** Who listens in the pod; undefined on a machine that is none. */
  readonly listeners: (() => readonly Listener[]) | undefined
}

export interface ServerEvents {
  readonly log: Log
  /** The server can be asked; `weakness`: what of its isolation does not hold and is only advised. */
  readonly onThere: (weakness: string | undefined) => void
  readonly onGone: (why: string) => void
  readonly onTerminating: (leftMs: number) => void
  readonly onSpawn: (outcome: 'started' | 'refused' | 'full' | 'spare') => void
  /** A server process has ended with this code. */
  readonly onExit: (code: number) => void
  /** Hears of all server processes. */
  readonly watch: ProcessWatch
}

export type ConnectServer = (
  config: SidecarConfig,
  means: ServerMeans,
  events: ServerEvents,
) => McpServer
