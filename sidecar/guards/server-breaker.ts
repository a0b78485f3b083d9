// The breakers of the servers behind us: one where callers share a server, else one a caller, so that nobody's failures
// keep others away from servers of their own.

import type { BreakerRule } from '../../shared/limits.ts'
import type { Log } from '../../shared/log.ts'
import { fault, type Fault, type FaultCode } from '../mcp/faults.ts'
import { closedForMs, CLOSED, entered, left, type Breaker } from './breaker.ts'
import type { BreakerState } from './breaker.ts'
import { MAX_CALLERS } from './caller-limit.ts'
import { Table } from './table.ts'

export interface ServerBreakerOptions {
  readonly rule: BreakerRule
  /** Whether all callers have one server. */
  readonly isShared: boolean
  readonly log: Log
}

/** The breaker of one server. */
export interface Guarded {
  breaker: Breaker
}

const EVERYBODY = ''

export class ServerBreaker {
  private readonly options: ServerBreakerOptions
  private readonly servers = new Table<Guarded>({
    most: MAX_CALLERS,
    create: () => ({ breaker: CLOSED }),
    isUsed: ({ breaker }) => breaker.state !== 'closed',
  })

  constructor(options: ServerBreakerOptions) {
    this.options = options
  }

  of(caller: string): Guarded {
    return this.servers.of(this.options.isShared ? EVERYBODY : caller)
  }

  refusal({ breaker }: Guarded, nowMs: number): Fault | undefined {
    const { rule } = this.options
    const waitMs = closedForMs(breaker, rule, nowMs)
    if (waitMs === 0 || breaker.state === 'closed') return undefined
    const seconds = Math.ceil(waitMs / 1000)
    const now =
      breaker.state === 'open'
        ? `it is tried again in ${seconds} s`
        : 'one request tries it now; try again when that is over'
    return fault(
      'circuit-open',
      `the server has failed ${rule.failures} times in a row or more, the last time with ${breaker.last}: ${now} (outrigger.dev/circuit-breaker; each replica has its own)`,
      {
        headers: { 'retry-after': `${seconds}` },
        data: { limit: 'circuit-breaker', state: breaker.state, last: breaker.last },
      },
    )
  }

  enter(server: Guarded, nowMs: number): void {
    this.change(server, entered(server.breaker, nowMs))
  }

  leave(server: Guarded, fault: FaultCode | undefined, now: () => number): void {
    // Where the server has answered, as it nearly always does, no time matters: none is read.
    const nowMs = fault === undefined ? 0 : now()
    this.change(server, left(server.breaker, fault, this.options.rule, nowMs))
  }

  /** How many servers have their breaker in each state. */
  counts(): Readonly<Record<BreakerState, number>> {
    const counts = { closed: 0, open: 0, 'half-open': 0 }
    for (const { breaker } of this.servers.all()) counts[breaker.state]++
    return counts
  }

  private change(server: Guarded, breaker: Breaker): void {
    const { state } = server.breaker
    server.breaker = breaker
    const { log } = this.options
    if (breaker.state === 'open' && state !== 'open') {
      log.warn('the circuit breaker has opened: the server fails', { last: breaker.last })
    }
    if (breaker.state === 'closed' && state !== 'closed') {
      log.info('the circuit breaker has closed: the server answers')
    }
  }
}
