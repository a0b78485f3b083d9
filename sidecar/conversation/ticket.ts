// What a request has of its caller's limits, from the guard until it is over.

import type { FaultCode } from '../mcp/faults.ts'

export interface Ticket {
  /** Longest wait for its answer, in milliseconds, where its tool has one of its own. */
  readonly timeoutMs: number | undefined
  /** It is over: answered by the server, or failed by a fault. The first word counts. */
  end(fault?: FaultCode): void
}
