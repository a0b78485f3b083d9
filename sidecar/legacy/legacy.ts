// The legacy era (2024-11-05 to 2025-11-25): sessions over POST, GET and DELETE. It finds or makes
// the session and its process, and hands the message on; a message without a session of one's own goes nowhere.

import type { CallOptions, Patience } from '../conversation/call.ts'
import { exitFault } from '../conversation/call-faults.ts'
import type { Asked } from '../conversation/ask.ts'
import { costOf, keepPlace } from '../conversation/cost.ts'
import { filtered } from '../conversation/filtered.ts'
import type { Ticket } from '../conversation/ticket.ts'
import { header, type Exchange } from '../http/exchange.ts'
import type { Forwarded } from '../http/forwarded.ts'
import type { Permit } from '../access/permit.ts'
import type { Rights } from '../access/rights.ts'
import { VERSION_HEADER, versionFault } from '../mcp/era.ts'
import type { Checked } from '../conversation/vetting.ts'
import { blockedFault, fault, tooManyWait, type Fault } from '../mcp/faults.ts'
import { slice, type Message, type Request } from '../mcp/message.ts'
import type { Envelope, LinkEnd } from '../server/link.ts'
import { fail, type Result } from '../../shared/result.ts'
import type { Backend } from './backend.ts'
import { Opening, type OpeningOptions } from './opening.ts'
import { Pool, type PoolOptions } from './pool.ts'
import { Sessions, type Entry, type SessionEnd } from './sessions.ts'
import type { Stream } from './stream.ts'

export interface LegacyOptions
  extends Omit<PoolOptions, 'onEnd' | 'onGiveUp'>, Omit<OpeningOptions, 'sessions' | 'pool'> {
  readonly requestTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly keepAliveMs: number
  readonly endsListeners: boolean
  /** Which headers of callers' own go on; undefined: none. */
  readonly forwarded?: Forwarded | undefined
  /** Counts the ends of sessions. */
  readonly onSessionEnd: (end: SessionEnd) => void
}

interface SessionCallOptions extends Omit<CallOptions, keyof Patience>, Patience {
  /** The caller's, where a tool policy holds. */
  readonly rights: Rights | undefined
}

/** A request of a session's, and where its answer goes. */
interface Posted {
  readonly request: Request
  readonly ticket: Ticket | undefined
  readonly stream: Stream
}

export class Legacy {
  readonly sessions: Sessions
  private readonly options: LegacyOptions
  private readonly pool: Pool
  private readonly opening: Opening

  constructor(options: LegacyOptions) {
    this.options = options
    const sessions = new Sessions({ ...options, onEnd: options.onSessionEnd })
    this.sessions = sessions
    this.pool = new Pool({
      ...options,
      onEnd: (backend, end) => this.ended(backend, end),
      onGiveUp: (backend, why) => {
        for (const session of backend.sessions) sessions.giveUp({ session, backend }, why)
      },
    })
    this.opening = new Opening({ ...options, pool: this.pool, sessions })
  }

  /** One message. */
  post(permit: Permit, exchange: Exchange, asked: Asked): Fault | undefined | Promise<undefined> {
    const { message, trace, operation, ticket, record } = asked
    if (message.kind === 'request' && message.method === 'initialize') {
      const headers = this.headersOf(exchange)
      return this.opening.initialize(permit, exchange, {
        request: message,
        trace,
        operation,
        record,
        headers,
        ticket,
      })
    }
    const found = this.findForPost(permit, exchange)
    if (!found.ok) return found.error
    const entry = found.value
    if (message.kind === 'request') {
      const stream = entry.session.open(exchange.reply)
      this.request(entry, { request: message, ticket, stream }, this.call(permit, exchange, asked))
    } else {
      this.oneWay(entry, message, trace)
      exchange.reply.empty(202)
    }
    return undefined
  }

  /** A batch, already checked to be one that the session's revision allows. */
  batch(permit: Permit, exchange: Exchange, items: readonly Asked[]): Fault | undefined {
    const found = this.findForPost(permit, exchange)
    if (!found.ok) return found.error
    const entry = found.value
    if (!entry.session.revision.hasBatches) {
      return fault('invalid-request', 'a batch, which the revision of this session does not have')
    }
    const requests = items.filter(({ message }) => message.kind === 'request')
    const stream =
      requests.length > 0 ? entry.session.open(exchange.reply, requests.length) : undefined
    for (const asked of items) {
      const { message: request, ticket, denied } = asked
      if (denied) refuse(stream, request, denied)
      else if (request.kind !== 'request') this.oneWay(entry, request, asked.trace)
      else if (stream) {
        this.request(entry, { request, ticket, stream }, this.call(permit, exchange, asked))
      }
    }
    if (!stream) exchange.reply.empty(202)
    return undefined
  }

  /** Whether the request's session has this version from its own server, whatever the version says of its era. */
  hasNegotiated(permit: Permit, { request }: Exchange): boolean {
    const id = header(request, 'mcp-session-id')
    const entry = this.sessions.find(id, permit.principal.key)
    return entry.ok && entry.value.session.version === header(request, VERSION_HEADER)
  }

  /** GET: the server's messages, or the rest of a broken stream. */
  listen(permit: Permit, exchange: Exchange): Fault | undefined {
    const found = this.find(permit, exchange)
    if (!found.ok) return found.error
    const { session } = found.value
    return session.listen(exchange.reply, header(exchange.request, 'last-event-id'))
      ? undefined
      : fault('invalid-request', 'Last-Event-ID names no event of this session')
  }

  delete(permit: Permit, exchange: Exchange): Fault | undefined {
    const found = this.find(permit, exchange)
    if (!found.ok) return found.error
    this.sessions.end(found.value, 'client', fault('session-unknown', 'the client ended it'))
    exchange.reply.empty(204)
    return undefined
  }

  sweep(nowMs: number): void {
    this.opening.sweep(nowMs)
    this.pool.sweep(nowMs)
    this.sessions.sweep(nowMs, this.options.keepAliveMs)
  }

  /** Ends the sessions that have nothing in flight. */
  endIdle(): void {
    for (const entry of this.sessions.all()) {
      if (entry.session.inFlight === 0) {
        this.sessions.end(entry, 'drain', fault('session-unknown', 'the server is being stopped'))
      }
    }
  }

  /** Ends the sessions of callers whom the tool policy denies everything. */
  endBlocked(): void {
    for (const entry of this.sessions.all()) {
      const rule = entry.session.rights?.blockedBy()
      if (rule !== undefined) this.sessions.end(entry, 'policy', blockedFault(rule))
    }
  }

  get inFlight(): number {
    let sum = 0
    for (const { session } of this.sessions.all()) sum += session.inFlight
    return sum + this.opening.inFlight
  }

  close(): void {
    for (const entry of this.sessions.all()) {
      this.sessions.end(entry, 'drain', fault('draining', 'the sidecar is ending'))
    }
    this.pool.close()
  }

  private find({ principal, granted }: Permit, { request, reply }: Exchange): Result<Entry, Fault> {
    const entry = this.sessions.find(header(request, 'mcp-session-id'), principal.key)
    if (!entry.ok) return entry
    const { session, backend } = entry.value
    session.rights = granted?.rights
    session.lastUsedMs = this.options.now()
    reply.session = session.name
    reply.process = backend.channel.link.process
    return entry
  }

  /** The same where the version that the request names is one that can be spoken in it. */
  private findForPost(permit: Permit, exchange: Exchange): Result<Entry, Fault> {
    const found = this.find(permit, exchange)
    if (!found.ok) return found
    const { version } = found.value.session
    const wrong = versionFault((name) => header(exchange.request, name), version)
    return wrong ? fail(wrong) : found
  }

  /** The caller's own headers, where any go on. */
  private headersOf({ request }: Exchange): Envelope['headers'] | undefined {
    const { forwarded } = this.options
    return forwarded && (() => forwarded(request))
  }

  private call(
    { granted }: Permit,
    exchange: Exchange,
    { trace, operation, ticket, record }: Asked,
  ): SessionCallOptions {
    const own = ticket?.timeoutMs
    return {
      timeoutMs: own ?? this.options.requestTimeoutMs,
      setting: own === undefined ? 'request-timeout' : 'tool-limits',
      trace,
      operation,
      record,
      headers: this.headersOf(exchange),
      rights: granted?.rights,
    }
  }

  private request(
    { session, backend }: Entry,
    { request, ticket, stream }: Posted,
    options: SessionCallOptions,
  ): void {
    const idText = slice(request.text, request.id)
    const counted = backend.countSubscription(session, request)
    if (counted !== 'forward') {
      ticket?.end(counted === 'settled' ? undefined : counted.code)
      if (counted === 'settled') {
        options.operation?.end(undefined)
        stream.result(`{"jsonrpc":"2.0","id":${idText},"result":{}}`, idText)
      } else stream.fault(counted, idText)
      return
    }
    session.begin(stream, {
      idText,
      cost: () => costOf(request),
      timeoutMs: options.timeoutMs,
      setting: options.setting,
      ticket,
      check: () => this.check(backend, request, options),
      send: (caller) => {
        const { channel, vetted } = backend
        const hears = filtered(caller, request.method, options.rights)
        return channel.call(request, vetted?.hears(hears, request.method) ?? hears, options)
      },
    })
  }

  /** What a tool lock or the tool's schema says of it; it has a place among what waits while the server is asked. */
  private check(backend: Backend, request: Request, { headers }: CallOptions): Checked {
    const found = backend.vetted?.check(request, { headers })
    if (!(found instanceof Promise)) return found
    const { budget } = this.options
    const lease = budget.lease('calls')
    if (!keepPlace(lease, request)) return tooManyWait(budget.bytes)
    return found.finally(() => lease.release())
  }

  private oneWay(
    { session, backend }: Entry,
    message: Exclude<Message, Request>,
    trace: Asked['trace'],
  ): void {
    if (message.kind === 'response') backend.response(session, message)
    else backend.notification(session, message, trace)
  }

  private ended(backend: Backend, end: LinkEnd): void {
    const reason = exitFault(end)
    for (const session of backend.sessions)
      this.sessions.end({ session, backend }, 'server', reason)
  }
}

/** A message of a batch that goes no further: only a request hears of it. */
const refuse = (stream: Stream | undefined, message: Message, denied: Fault): void => {
  if (message.kind === 'request') stream?.fault(denied, slice(message.text, message.id))
}
