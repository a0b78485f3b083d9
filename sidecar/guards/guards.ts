// Whether a caller's requests may go to the server now: by the limits of the caller, by those of the tools that they call,
// and by the server's breaker. Either all of them take what they need, or none is touched. Who goes on has a ticket, which
// gives it back.

import type { Log } from '../../shared/log.ts'
import type { Settings } from '../../shared/settings.ts'
import { speaksHttp } from '../../shared/sidecar-config.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Principal } from '../access/principal.ts'
import type { Ticket } from '../conversation/ticket.ts'
import type { Fault, FaultCode } from '../mcp/faults.ts'
import type { Request } from '../mcp/message.ts'
import { SUBSCRIBE } from '../mcp/meta.ts'
import type { BreakerState } from './breaker.ts'
import { CallerLimit, useTable, type Use, type Wish } from './caller-limit.ts'
import { ServerBreaker, type Guarded } from './server-breaker.ts'

/** What refuses, as the metric names it. */
export const GUARDS = ['rate-limit', 'concurrency-limit', 'tool-limits', 'circuit-breaker'] as const
export type Guard = (typeof GUARDS)[number]

export interface GuardsOptions {
  readonly now: () => number
  /** For what breakers do. */
  readonly log: Log
}

/** What one request needs of a limit, or several together. */
interface Need extends Wish {
  readonly limit: CallerLimit<Guard>
  readonly use: Use
}

/** A tool whose calls are limited. */
class Tool {
  readonly limit: CallerLimit<Guard> | undefined
  readonly timeoutMs: number | undefined
  private readonly name: string
  /**
   * Of its callers: put together for each call, a key would be hashed each time (`npm run bench -- auth`: 0.15 us of a
   * call's 25).
   */
  private readonly keys = new WeakMap<Principal, string>()

  constructor(name: string, limit: CallerLimit<Guard> | undefined, timeoutMs: number | undefined) {
    this.name = name
    this.limit = limit
    this.timeoutMs = timeoutMs
  }

  /** Under which it is kept what a caller has used of its limit. */
  keyOf(caller: Principal): string {
    const before = this.keys.get(caller)
    if (before !== undefined) return before
    const key = `${this.name} ${caller.key}`
    this.keys.set(caller, key)
    return key
  }
}

/** A request's way out. */
interface Exit {
  over(server: Guarded | undefined, fault: FaultCode | undefined): void
}

class Held implements Ticket {
  readonly needs: readonly Need[]
  readonly timeoutMs: number | undefined
  private readonly server: Guarded | undefined
  private readonly exit: Exit
  private isOver = false

  constructor(
    needs: readonly Need[],
    timeoutMs: number | undefined,
    server: Guarded | undefined,
    exit: Exit,
  ) {
    this.needs = needs
    this.timeoutMs = timeoutMs
    this.server = server
    this.exit = exit
  }

  end(fault?: FaultCode): void {
    if (this.isOver) return
    this.isOver = true
    for (const { use, places } of this.needs) use.running -= places
    this.exit.over(this.server, fault)
  }
}

export class Guards implements Exit {
  /** How many requests each has refused. */
  readonly refusals = new Map<Guard, number>(GUARDS.map((guard) => [guard, 0]))
  private readonly now: () => number
  private readonly every: CallerLimit<Guard> | undefined
  private readonly tools: ReadonlyMap<string, Tool>
  private readonly callers = useTable()
  /** One for all tools: their number must not multiply the callers'. */
  private readonly callersOfTools = useTable()
  private readonly breaker: ServerBreaker | undefined

  constructor(settings: Settings, options: GuardsOptions) {
    this.now = options.now
    this.every = everyLimit(settings)
    this.tools = toolsOf(settings)
    this.breaker = breakerOf(settings, options.log)
  }

  /** How many breakers are in each state; undefined without any. */
  breakers(): Readonly<Record<BreakerState, number>> | undefined {
    return this.breaker?.counts()
  }

  /** A ticket for one that comes alone, as nearly all do. */
  admit(caller: Principal, request: Request): Result<Ticket, Fault> {
    const nowMs = this.now()
    const server = this.breaker?.of(caller.key)
    const ticket = this.ticketFor(caller, request, server)
    const refusal = this.refusal(ticket.needs, server, nowMs)
    if (refusal) return fail(refusal)
    this.take(ticket.needs, server, nowMs)
    return ok(ticket)
  }

  /** A ticket for each of a batch; the fault is for all of them. */
  admitAll(caller: Principal, requests: readonly Request[]): Result<readonly Ticket[], Fault> {
    const nowMs = this.now()
    const server = this.breaker?.of(caller.key)
    const tickets = requests.map((request) => this.ticketFor(caller, request, server))
    const needs = sumOf(tickets)
    const refusal = this.refusal(needs, server, nowMs)
    if (refusal) return fail(refusal)
    this.take(needs, server, nowMs)
    return ok(tickets)
  }

  over(server: Guarded | undefined, fault: FaultCode | undefined): void {
    if (server) this.breaker?.leave(server, fault, this.now)
  }

  private refusal(
    needs: readonly Need[],
    server: Guarded | undefined,
    nowMs: number,
  ): Fault | undefined {
    const open = server && this.breaker?.refusal(server, nowMs)
    if (open) return this.refused('circuit-breaker', open)
    for (const need of needs) {
      const found = need.limit.refusal(need.use, need, nowMs)
      if (found) return this.refused(found.by, found.fault)
    }
    return undefined
  }

  private take(needs: readonly Need[], server: Guarded | undefined, nowMs: number): void {
    for (const need of needs) need.limit.take(need.use, need, nowMs)
    if (server) this.breaker?.enter(server, nowMs)
  }

  private refused(by: Guard, fault: Fault): Fault {
    this.refusals.set(by, (this.refusals.get(by) ?? 0) + 1)
    return fault
  }

  private toolOf({ method, shortName = '' }: Request): Tool | undefined {
    if (this.tools.size === 0 || method !== 'tools/call') return undefined
    return this.tools.get(shortName)
  }

  private ticketFor(caller: Principal, request: Request, server: Guarded | undefined): Held {
    const tool = this.toolOf(request)
    // It lives as long as its client likes.
    const places = request.method === SUBSCRIBE ? 0 : 1
    const needs: Need[] = []
    if (this.every) {
      needs.push({ limit: this.every, use: this.callers.of(caller.key), count: 1, places })
    }
    if (tool?.limit) {
      const use = this.callersOfTools.of(tool.keyOf(caller))
      needs.push({ limit: tool.limit, use, count: 1, places })
    }
    return new Held(needs, tool?.timeoutMs, server, this)
  }
}

/** What all of them need, by limit. */
const sumOf = (tickets: readonly Held[]): readonly Need[] => {
  const sums = new Map<CallerLimit<Guard>, Need>()
  for (const need of tickets.flatMap(({ needs }) => needs)) {
    const { count, places } = sums.get(need.limit) ?? { count: 0, places: 0 }
    sums.set(need.limit, {
      ...need,
      count: count + need.count,
      places: places + need.places,
    })
  }
  return [...sums.values()]
}

const everyLimit = (settings: Settings): CallerLimit<Guard> | undefined => {
  const { 'rate-limit': rate, 'concurrency-limit': concurrency } = settings
  if (rate === undefined && concurrency === undefined) return undefined
  const names = { rate: 'rate-limit', concurrency: 'concurrency-limit' } as const
  return new CallerLimit<Guard>({ rate, concurrency, what: 'requests', settings: names })
}

const toolsOf = (settings: Settings): ReadonlyMap<string, Tool> => {
  const names = { rate: 'tool-limits', concurrency: 'tool-limits' } as const
  const tools = new Map<string, Tool>()
  for (const [tool, { rate, concurrency, timeoutMs }] of settings['tool-limits'] ?? []) {
    const isLimited = rate !== undefined || concurrency !== undefined
    const what = `calls of ${tool}`
    const limit = isLimited
      ? new CallerLimit<Guard>({ rate, concurrency, what, settings: names })
      : undefined
    tools.set(tool, new Tool(tool, limit, timeoutMs))
  }
  return tools
}

const breakerOf = (settings: Settings, log: Log): ServerBreaker | undefined => {
  const { 'circuit-breaker': rule, 'process-model': model } = settings
  if (rule === undefined) return undefined
  const isShared = model === 'shared' || speaksHttp(settings)
  return new ServerBreaker({ rule, isShared, log })
}

/** Undefined where nothing is limited: then nothing is looked at. */
export const guardsOf = (settings: Settings, options: GuardsOptions): Guards | undefined =>
  GUARDS.some((guard) => settings[guard] !== undefined) ? new Guards(settings, options) : undefined
