// A circuit breaker: after some failures in a row nothing goes to a server for a while, then one request tries whether it
// serves again. A union of states and two pure functions.

import type { BreakerRule } from '../../shared/limits.ts'
import type { FaultCode } from '../mcp/faults.ts'

export type Breaker =
  | { readonly state: 'closed'; readonly failures: number }
  | { readonly state: 'open'; readonly untilMs: number; readonly last: FaultCode }
  /** One request has been let through, and has not ended. */
  | { readonly state: 'half-open'; readonly sinceMs: number; readonly last: FaultCode }

export type BreakerState = Breaker['state']
export const CLOSED: Breaker = { state: 'closed', failures: 0 }

/** How the server has failed, not its caller and not us. */
const FAILURES: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'request-timeout',
  'server-exited',
  'server-failed',
  'server-not-reading',
  'server-not-started',
  'unusable-answer',
])

/** How long nothing goes through; 0 where a request may go. */
export const closedForMs = (breaker: Breaker, { pauseMs }: BreakerRule, nowMs: number): number => {
  if (breaker.state === 'closed') return 0
  // A request that tries and does not end keeps nobody away for longer than the pause itself.
  const untilMs = breaker.state === 'open' ? breaker.untilMs : breaker.sinceMs + pauseMs
  return Math.max(untilMs - nowMs, 0)
}

/** The breaker once a request has gone through. */
export const entered = (breaker: Breaker, nowMs: number): Breaker =>
  breaker.state === 'closed' ? breaker : { state: 'half-open', sinceMs: nowMs, last: breaker.last }

/** The breaker once a request is over; `fault`: none where the server has answered. */
export const left = (
  breaker: Breaker,
  fault: FaultCode | undefined,
  { failures, pauseMs }: BreakerRule,
  nowMs: number,
): Breaker => {
  // What had begun before says nothing of the server now.
  if (breaker.state === 'open') return breaker
  if (fault === undefined) return CLOSED
  if (!FAILURES.has(fault)) {
    // Who tried has found out nothing: the next one tries.
    return breaker.state === 'closed' ? breaker : { ...breaker, sinceMs: -Infinity }
  }
  const count = breaker.state === 'closed' ? breaker.failures + 1 : failures
  return count < failures
    ? { state: 'closed', failures: count }
    : { state: 'open', untilMs: nowMs + pauseMs, last: fault }
}
