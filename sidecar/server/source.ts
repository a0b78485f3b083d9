// Where new links come from: a child by the shim, or a session of a loopback HTTP server.

import type { Principal } from '../access/principal.ts'
import type { Holder } from '../access/room.ts'
import type { Result } from '../../shared/result.ts'
import type { Fault } from '../mcp/faults.ts'
import type { Link } from './link.ts'

/** Why a place is given up: somebody else needs it, or its caller has no token any more that is good. */
export type GiveUp = 'room' | 'expired'

/** Whoever asks for a link: a newcomer while it waits, then the holder of its place. */
export interface Tenant extends Holder {
  /** Whose it is; absent where it is everybody's, or ours. */
  readonly caller?: Principal | undefined
  /** The beginning of its session's id, for those who read of it; absent where it is for several sessions, or none. */
  readonly session?: string
  /** Closes the link; without a word, since somebody else needs the place. Asked for only where the tenant is idle. */
  readonly giveUp: (why?: GiveUp) => void
  /** It is ours and no client's: it comes only where no process is, and whoever comes waits until it has gone. */
  readonly isProbe?: true
  /** It is nobody's yet, and who takes it holds its place. */
  readonly isSpare?: true
}

/** Processes that are there before anybody asks. */
export interface Spares {
  /** Those that are being started included. */
  readonly size: number
  readonly free: number
  /** That did not last, or did not start, in a row. */
  readonly failures: number
  /** What does not hold of them. */
  readonly weakness: string | undefined
  /** One of them for whoever comes; undefined where there is none. */
  take(tenant: Tenant): Link | undefined
  sweep(nowMs: number): void
}

export interface LinkSource {
  /** The server is known to speak no other era, and need not be asked. */
  readonly isLegacyOnly?: boolean
  /** A new link to a server that nobody else uses; the fault is for the client that waits. */
  open(tenant: Tenant): Promise<Result<Link, Fault>>
}
