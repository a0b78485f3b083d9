// Where new links come from: a child by the shim, or a session of a loopback HTTP server.

import type { Fault } from '../mcp/faults.ts'
import type { Result } from '../../shared/result.ts'
import type { Link } from './link.ts'

export interface LinkSource {
  /** A new link to a server that nobody else uses; the fault is for the client that waits. */
  open(): Promise<Result<Link, Fault>>
  /** Set by whoever can end a link that nobody needs now; says whether it did, so that its place becomes free. */
  reclaim: () => boolean
}
