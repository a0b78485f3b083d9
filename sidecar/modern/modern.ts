// The modern era (2026-07-28): every POST stands alone. It finds the principal's process, checks
// mirrored arguments, and answers with JSON or a stream; who hangs up cancels.

import type { Permit } from '../access/permit.ts'
import type { Budget } from '../bytes/budget.ts'
import type { Asked } from '../conversation/ask.ts'
import type { Patience } from '../conversation/call.ts'
import { header, type Exchange } from '../http/exchange.ts'
import type { Forwarded } from '../http/forwarded.ts'
import { filtered } from '../conversation/filtered.ts'
import { InFlight } from '../conversation/in-flight.ts'
import type { Stated } from '../mcp/era.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { member, valueAt, type Message, type Request } from '../mcp/message.ts'
import { LOG_LEVEL_KEY } from '../mcp/meta.ts'
import { MODERN } from '../mcp/revision.ts'
import { paramMismatch, type ParamHeader } from '../mcp/param-headers.ts'
import { Pool, type PoolOptions } from './pool.ts'
import type { Envelope } from '../server/link.ts'
import { ModernCall, type CallOwner } from './call.ts'
import type { Found, ModernProcess, ModernProcesses } from './process.ts'
import type { Mirrored } from './tools.ts'
import { fail, ok } from '../../shared/result.ts'

export interface ModernOptions extends PoolOptions {
  readonly budget: Budget
  readonly requestTimeoutMs: number
  readonly startupTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly keepAliveMs: number
  /** Which headers of callers' own go on; undefined: none. */
  readonly forwarded?: Forwarded | undefined
}

/** A request that has not been sent yet. */
interface Pending {
  readonly exchange: Exchange
  readonly call: ModernCall
  readonly request: Request
  readonly stated: Stated
}

const NOTHING_MIRRORED: Mirrored = ok([])

export class Modern implements CallOwner {
  readonly now: () => number
  readonly budget: Budget
  private readonly options: ModernOptions
  private readonly pool: ModernProcesses
  private readonly open = new InFlight<ModernCall>()

  constructor(options: ModernOptions, pool: ModernProcesses = new Pool(options)) {
    this.options = options
    this.now = options.now
    this.budget = options.budget
    this.pool = pool
  }

  get inFlight(): number {
    return this.open.size + (this.pool.waiting ?? 0)
  }

  /** Whether it belongs to a call that has begun. */
  isLaterRound(message: Message): boolean {
    return message.kind === 'request' && this.pool.isLaterRound?.(message) === true
  }

  post(
    permit: Permit,
    exchange: Exchange,
    asked: Asked,
    stated: Stated,
  ): undefined | Promise<undefined> {
    const { reply } = exchange
    const { message } = asked
    if (message.kind !== 'request') {
      // HTTP clients of this era have no notifications; hanging up is how they cancel.
      reply.empty(202)
      return undefined
    }
    const call = new ModernCall(reply, message, { ...asked, granted: permit.granted }, this)
    this.open.add(call)
    reply.onGone(() => call.gone())
    // It may have gone while we waited to learn what the server speaks.
    if (call.isDone) return undefined
    const takesEvents = reply.form !== 'json'
    if (call.isSubscription && !takesEvents) {
      call.fault(fault('not-acceptable', 'subscriptions/listen needs text/event-stream in Accept'))
      return undefined
    }
    const wantsLogs =
      takesEvents && !call.isSubscription && member(message.meta, LOG_LEVEL_KEY) !== undefined
    const pending = { exchange, call, request: message, stated }
    const reader = wantsLogs ? call : undefined
    const found = this.pool.find(permit.principal, reader, call, message)
    if (!(found instanceof Promise)) return this.check(found, pending)
    // Who has been refused leaves what was found for it, and keeps nothing of the request meanwhile.
    return call.waits(message)
      ? found.then((backend) => this.check(backend, pending))
      : found.then((backend) => {
          if (backend.ok) call.choose(backend.value)
          return undefined
        })
  }

  done(call: ModernCall): void {
    this.open.delete(call)
  }

  sweep(nowMs: number): void {
    for (const call of this.open) call.sweep(nowMs, this.options.keepAliveMs)
    this.pool.sweep(nowMs, this.options.idleTimeoutMs)
  }

  /** Ends what is in flight of callers whom the tool policy denies everything. */
  endBlocked(): void {
    for (const call of this.open) {
      const rule = call.rights?.blockedBy()
      if (rule !== undefined) call.endedBy(rule)
    }
    this.pool.endBlocked?.()
  }

  /** Ends subscriptions, which would otherwise outlive a drain. */
  endSubscriptions(): void {
    for (const call of this.open) if (call.isSubscription) call.end()
  }

  close(): void {
    for (const call of this.open) call.fault(fault('draining', 'the sidecar is ending'))
    this.pool.close()
  }

  /** Checks what only the process can tell, its tools' mirrored arguments, and sends the request. */
  private check(found: Found, pending: Pending): undefined | Promise<undefined> {
    const { call, request, exchange } = pending
    if (!found.ok) {
      call.fault(found.error)
      return undefined
    }
    call.choose(found.value)
    const headers = this.ownHeaders(exchange)
    const declared = mirrored(found.value, pending, headers)
    const { version } = pending.stated
    const refused = found.value.vetted?.check(request, { version: version ?? MODERN, headers })
    if (declared instanceof Promise || refused instanceof Promise) {
      if (!call.waits(request)) return undefined
      return Promise.all([declared, refused]).then(([later, locked]) =>
        this.forward(found.value, pending, locked ? fail(locked) : later),
      )
    }
    return this.forward(found.value, pending, refused ? fail(refused) : declared)
  }

  /** How long a call waits: its tool's own time, or everybody's; the first of a process at least as long as that may start. */
  private patience({ channel: { hasAnswered } }: ModernProcess, { ticket }: ModernCall): Patience {
    const { requestTimeoutMs, startupTimeoutMs } = this.options
    const own = ticket?.timeoutMs
    if (!hasAnswered && (own ?? 0) <= startupTimeoutMs) {
      return { timeoutMs: startupTimeoutMs, setting: 'startup-timeout' }
    }
    return own === undefined
      ? { timeoutMs: requestTimeoutMs, setting: 'request-timeout' }
      : { timeoutMs: own, setting: 'tool-limits' }
  }

  /** The caller's own headers, where any go on. */
  private ownHeaders({ request }: Exchange): Envelope['headers'] | undefined {
    const { forwarded } = this.options
    return forwarded && (() => forwarded(request))
  }

  private forward(
    backend: ModernProcess,
    { exchange, call, request }: Pending,
    declared: Mirrored,
  ): undefined {
    if (call.isDone) return undefined
    const wrong = declared.ok ? headerFault(exchange, request, declared.value) : declared.error
    if (wrong) {
      call.fault(wrong)
      return undefined
    }
    call.goesOn()
    const { timeoutMs, setting } = this.patience(backend, call)
    const allowed = filtered(call, request.method, call.rights)
    const hears = backend.vetted?.hears(allowed, request.method) ?? allowed
    call.sent = backend.channel.call(request, hears, {
      timeoutMs: call.isSubscription ? 0 : timeoutMs,
      setting,
      headers: () => ({ ...this.ownHeaders(exchange)?.(), ...mcpHeaders(exchange) }),
      trace: call.trace,
      operation: call.operation,
      record: call.record,
    })
    return undefined
  }
}

const mirrored = (
  backend: ModernProcess,
  { request, stated: { version, name } }: Pending,
  headers: Envelope['headers'] | undefined,
): Mirrored | Promise<Mirrored> => {
  const isCall = request.method === 'tools/call'
  return !isCall || name === undefined || version === undefined
    ? NOTHING_MIRRORED
    : backend.tools.headersOf(name, version, headers)
}

const headerFault = (
  exchange: Exchange,
  request: Request,
  declared: readonly ParamHeader[],
): Fault | undefined => {
  if (declared.length === 0) return undefined
  const args = valueAt(request.text, member(request.params, 'arguments'))
  const wrong = paramMismatch(declared, args, (name) => header(exchange.request, name))
  return wrong === undefined ? undefined : fault('header-mismatch', wrong)
}

const mcpHeaders = ({ request }: Exchange): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(request.headers).filter(
      (entry): entry is [string, string] =>
        entry[0].startsWith('mcp-') &&
        // It names a session of the legacy era, perhaps somebody else's; this era has none.
        entry[0] !== 'mcp-session-id' &&
        typeof entry[1] === 'string',
    ),
  )
