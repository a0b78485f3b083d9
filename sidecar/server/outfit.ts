// What a server's processes are given for what they reach, and who hears of what they try: the egress proxy's part of them,
// where there is one. Without it they reach what they like.

import type { Principal } from '../access/principal.ts'
import type { Peer } from './connection.ts'
import type { EgressAttempt, Led, Terms } from './control-frame.ts'
import type { ServerProcess } from './process-watch.ts'
import type { Tenant } from './source.ts'
import type { Underway } from './underway.ts'

/** Stands for a child's number where one command is the server of all. */
export const COMMAND = 0

export interface Fitting {
  readonly process: ServerProcess
  /** Whose it is; absent of one that is everybody's, or nobody's. */
  readonly caller: Principal | undefined
  /** What is in flight with it, whenever that is asked. */
  readonly calls: () => Iterable<Underway>
  /** It reaches nothing until it is handed to somebody. */
  readonly isSpare?: true | undefined
}

/** What a shim does about the processes that it starts. */
export interface Confining extends Pick<Peer, 'uid'> {
  /** Undefined where it does; else why not. */
  readonly why: string | undefined
}

export interface Outfitter {
  /** Why a shim may not serve that can confine nothing, where that must be. */
  readonly refusal: (confining: Confining) => string | undefined
  /** A shim serves. */
  readonly met: (confining: Confining) => void
  /** What a child is started with; it counts from now on, until it has gone. */
  readonly fit: (fitting: Fitting) => Promise<Terms>
  /** Whether one that is nobody's yet would reach nothing. */
  readonly holdsBack: () => boolean
  /** A spare one is somebody's from now on. */
  readonly handed: (
    child: number,
    session: string | undefined,
    caller: Principal | undefined,
  ) => void
  /** The same of the one command that is the server; its secret is its shim's, and outlives us. */
  readonly fitCommand: (secret: string, calls: Fitting['calls']) => Promise<Terms>
  /** It has gone, or never comes. */
  readonly gone: (child: number) => void
  /** A process has tried to reach something by itself. */
  readonly attempted: (attempt: EgressAttempt) => void
  /** One is on its way to a forward of its own. */
  readonly led: (led: Led) => void
}

/** With what its caller's processes have of it; what it may reach stands above that. */
export const withOwn = (terms: Terms, { caller }: Pick<Tenant, 'caller'>): Terms =>
  caller?.environment
    ? { ...terms, environment: { ...caller.environment, ...terms.environment } }
    : terms
