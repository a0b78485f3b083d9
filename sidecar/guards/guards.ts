// Whether a caller's requests may go to the server now: by the limits of the caller, by those of the tools that they call,
// and by the server's breaker. Either all of them take what they need, or none is touched. Who goes on has a ticket, which
// gives it back.

import type { Log } from '../../shared/log.ts'
import type { Settings } from '../../shared/settings.ts'
import { speaksHttp } from '../../shared/sidecar-config.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { personOf, type Principal } from '../access/principal.ts'
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

/** What several requests need of a limit together. */
interface Need {
  readonly limit: CallerLimit<Guard>
  readonly use: Use
  readonly wish: Wish
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
    const key = `${this.name} ${personOf(caller)}`
    this.keys.set(caller, key)
    return key
  }
}

/** A request's way out. */
interface Exit {
  over(server: Guarded | undefined, fault: FaultCode | undefined): void
}

/** What a request goes through: of what its caller has used, of its tool's limit, of its server. */
interface Claims {
  readonly wish: Wish
  readonly every: Use | undefined
  readonly tool: Tool | undefined
  readonly ofTool: Use | undefined
  readonly server: Guarded | undefined
}

class Held implements Ticket {
  readonly claims: Claims
  private readonly exit: Exit
  private isOver = false

  constructor(claims: Claims, exit: Exit) {
    this.claims = claims
    this.exit = exit
  }

  get timeoutMs(): number | undefined {
    return this.claims.tool?.timeoutMs
  }

  end(fault?: FaultCode): void {
    if (this.isOver) return
    this.isOver = true
    const { every, ofTool, wish, server } = this.claims
    if (every) every.running -= wish.places
    if (ofTool) ofTool.running -= wish.places
    this.exit.over(server, fault)
  }
}

const ONE: Wish = { count: 1, places: 1 }
/** It lives as long as its client likes. */
const ONE_LASTING: Wish = { count: 1, places: 0 }

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
    const claims = this.claimsOf(caller, request, this.breaker?.of(caller.key))
    const refusal = this.closed(claims.server, nowMs) ?? this.refusal(claims, nowMs)
    if (refusal) return fail(refusal)
    this.take(claims, nowMs)
    return ok(new Held(claims, this))
  }

  /** A ticket for each of a batch; the fault is for all of them. */
  admitAll(caller: Principal, requests: readonly Request[]): Result<readonly Ticket[], Fault> {
    const nowMs = this.now()
    const server = this.breaker?.of(caller.key)
    const all = requests.map((request) => this.claimsOf(caller, request, server))
    const needs = sumOf(all.flatMap((claims) => this.needsOf(claims)))
    const refusal = this.closed(server, nowMs) ?? this.refusalOf(needs, nowMs)
    if (refusal) return fail(refusal)
    for (const { limit, use, wish } of needs) limit.take(use, wish, nowMs)
    if (server) this.breaker?.enter(server, nowMs)
    return ok(all.map((claims) => new Held(claims, this)))
  }

  over(server: Guarded | undefined, fault: FaultCode | undefined): void {
    if (server) this.breaker?.leave(server, fault, this.now)
  }

  private closed(server: Guarded | undefined, nowMs: number): Fault | undefined {
    const open = server && this.breaker?.refusal(server, nowMs)
    return open && this.refused('circuit-breaker', open)
  }

  private refusal({ wish, every, tool, ofTool }: Claims, nowMs: number): Fault | undefined {
    const found =
      (every && this.every?.refusal(every, wish, nowMs)) ??
      (ofTool && tool?.limit?.refusal(ofTool, wish, nowMs))
    return found && this.refused(found.by, found.fault)
  }

  private refusalOf(needs: readonly Need[], nowMs: number): Fault | undefined {
    for (const { limit, use, wish } of needs) {
      const found = limit.refusal(use, wish, nowMs)
      if (found) return this.refused(found.by, found.fault)
    }
    return undefined
  }

  private take({ wish, every, tool, ofTool, server }: Claims, nowMs: number): void {
    if (every) this.every?.take(every, wish, nowMs)
    if (ofTool) tool?.limit?.take(ofTool, wish, nowMs)
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

  private claimsOf(caller: Principal, request: Request, server: Guarded | undefined): Claims {
    const tool = this.toolOf(request)
    return {
      wish: request.method === SUBSCRIBE ? ONE_LASTING : ONE,
      every: this.every && this.callers.of(personOf(caller)),
      tool,
      ofTool: tool?.limit && this.callersOfTools.of(tool.keyOf(caller)),
      server,
    }
  }

  private needsOf({ wish, every, tool, ofTool }: Claims): readonly Need[] {
    return [
      ...(this.every && every ? [{ limit: this.every, use: every, wish }] : []),
      ...(tool?.limit && ofTool ? [{ limit: tool.limit, use: ofTool, wish }] : []),
    ]
  }
}

/** What all of them need, by limit. */
const sumOf = (needs: readonly Need[]): readonly Need[] => {
  const sums = new Map<CallerLimit<Guard>, Need>()
  for (const need of needs) {
    const { count, places } = sums.get(need.limit)?.wish ?? { count: 0, places: 0 }
    const wish = { count: count + need.wish.count, places: places + need.wish.places }
    sums.set(need.limit, { ...need, wish })
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
