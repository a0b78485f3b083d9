// How the sidecar itself gets beyond the cluster, where a company's own proxy alone leads there. Who knows that proxy is elsewhere.

import type { Socket } from 'node:net'
import type { Result } from '../../shared/result.ts'

export interface Place {
  /** A name, or an address without brackets. */
  readonly host: string
  readonly port: number
}

/** A connection to a place; the error is a sentence. The signal ends the wait for it, and not the connection. */
export type OwnWay = (place: Place, signal: AbortSignal) => Promise<Result<Socket, string>>
