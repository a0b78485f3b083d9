// Requests over one link: every id and progress token is replaced by a number of ours, unique in this
// process, and comes back exactly as it came. Answers, progress and subscriptions find their caller by
// that number and by nothing else. Every wait has a deadline; progress moves it.

import { InFlight } from './in-flight.ts'
import type { JsonObject } from '../json/scan.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import {
  member,
  metaOf,
  slice,
  stringAt,
  valueAt,
  type Message,
  type Notification,
  type Request,
  type Response,
} from '../mcp/message.ts'
import { SUBSCRIPTION_KEY } from '../mcp/meta.ts'
import { rewrite, type Edit } from '../mcp/rewrite.ts'
import { injection } from '../telemetry/trace-context.ts'
import type { Hop, RequestTrace } from '../telemetry/trace.ts'
import {
  NO_HEADERS,
  type Envelope,
  type Link,
  type LinkEnd,
  type LinkOwner,
  type Refusal,
} from '../server/link.ts'

/** Whoever waits for the answer to one request; texts are whole messages with the caller's own ids. */
export interface Caller {
  answer(text: string, response: Response): void
  /** Progress, or a message of the caller's subscription. False where nobody is there to hear it. */
  notice(text: string): boolean
  fault(fault: Fault): void
}

export interface CallOptions {
  /** Longest wait, or 0 for requests that live as long as they like (subscriptions). */
  readonly timeoutMs: number
  readonly headers?: Envelope['headers'] | undefined
  /** Of a client's request, where traces are on. */
  readonly trace?: RequestTrace | undefined
}

/** One request in flight. */
export interface Call {
  readonly id: number
  readonly idText: string
  readonly tokenText: string | undefined
  readonly method: string
  readonly caller: Caller
  readonly timeoutMs: number
  readonly sentMs: number
  /** Its way to the server and back, where that is traced. */
  readonly hop?: Hop | undefined
  deadlineMs: number
}

export interface ChannelOwner {
  /** A message that no caller in flight owns: a server's request, a log line, a change. */
  serverMessage(message: Request | Notification, relatedTo: Call | undefined): void
  ended(end: LinkEnd): void
}

/** Takes note of how a request ended; `errorType` by OpenTelemetry's MCP conventions, absent on success. */
export type Observe = (method: string, durationMs: number, errorType: string | undefined) => void

export interface ChannelOptions {
  readonly link: Link
  readonly owner: ChannelOwner
  /** The next number, unique in this process. */
  readonly nextId: () => number
  readonly now: () => number
  readonly observe: Observe
  /** What may explain that it ended before it had answered anything. */
  readonly hint?: () => string | undefined
}

/** Most requests in flight to one process, whoever asked. */
export const MAX_CALLS = 4096
const OWN_NUMBER = /^[1-9]\d{0,15}$/

/** What a server asks of its caller, told to the caller as the server tells it. */
const refusalFault = (why: string, { status, challenge }: Refusal): Fault =>
  fault(status === 401 ? 'server-unauthorized' : 'server-forbidden', why, {
    headers: challenge === undefined ? {} : { 'www-authenticate': challenge },
  })

export const exitFault = (end: LinkEnd): Fault => {
  const { message, code = 'server-exited', refusal, ...details } = end
  if (refusal) return refusalFault(message, refusal)
  return fault(code, end.stderr ? `${message}; it wrote: ${end.stderr.trim()}` : message, {
    data: details,
  })
}

const hinted = (fault: Fault, hint: string | undefined): Fault =>
  hint === undefined ? fault : { ...fault, message: `${fault.message.trim()}; ${hint}` }

export class Channel implements LinkOwner {
  readonly link: Link
  private readonly options: ChannelOptions
  private readonly calls = new InFlight<Call>()
  private end: LinkEnd | undefined
  private answers = 0

  constructor(options: ChannelOptions) {
    this.options = options
    this.link = options.link
    this.link.owner = this
  }

  get inFlight(): number {
    return this.calls.size
  }

  /** Whether the server has answered anything yet. */
  get hasAnswered(): boolean {
    return this.answers > 0
  }

  get isEnded(): boolean {
    return this.end !== undefined
  }

  /** Sends a request; a fault goes to the caller at once where it cannot be sent. */
  call(request: Request, caller: Caller, options: CallOptions): Call | undefined {
    if (this.end) {
      caller.fault(exitFault(this.end))
      return undefined
    }
    if (this.calls.size >= MAX_CALLS) {
      caller.fault(fault('too-many-requests', `${MAX_CALLS} requests wait for this server process`))
      return undefined
    }
    const id = this.options.nextId()
    const token = member(metaOf(request), 'progressToken')
    const edits: Edit[] = [{ start: request.id.start, end: request.id.end, text: `${id}` }]
    if (token) edits.push({ start: token.start, end: token.end, text: `${id}` })
    const hop = options.trace && this.hop(options.trace, request, id, edits)
    const sentMs = this.options.now()
    const { timeoutMs } = options
    const call: Call = {
      id,
      idText: slice(request.text, request.id),
      tokenText: token && slice(request.text, token),
      method: request.method,
      caller,
      timeoutMs,
      sentMs,
      hop,
      deadlineMs: timeoutMs === 0 ? Infinity : sentMs + timeoutMs,
    }
    if (
      !this.link.send(rewrite(request.text, edits), {
        headers: options.headers ?? NO_HEADERS.headers,
        id,
      })
    ) {
      hop?.end('server_not_reading')
      caller.fault(
        fault('server-not-reading', 'the server does not read its input; try again later'),
      )
      return undefined
    }
    this.calls.add(call)
    return call
  }

  /** Sends a notification or response as it is; false where the server does not read. */
  send(text: string): boolean {
    return this.end === undefined && this.link.send(text, NO_HEADERS)
  }

  /** Tells the server that nobody waits any more; its answer, if it comes, goes nowhere. */
  cancel(call: Call, reason: 'timeout' | 'disconnected'): void {
    this.withdraw(
      call,
      `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${call.id},"reason":"${reason}"}}`,
    )
  }

  /** The same with the client's own notification, in which our id stands already. */
  withdraw(call: Call, text: string): void {
    if (!this.calls.delete(call)) return
    call.hop?.end('cancelled')
    this.send(text)
    this.link.abandon(call.id)
  }

  /** Ends the waits whose time is up. */
  sweep(nowMs: number): void {
    for (const call of this.calls) {
      if (call.deadlineMs > nowMs) continue
      this.observe(call, 'timeout')
      this.cancel(call, 'timeout')
      const stray = this.link.strayOutput
      const hint =
        stray === undefined ? '' : `; it wrote this to stdout, which is no message: ${stray}`
      call.caller.fault(
        fault(
          'request-timeout',
          `the server did not answer ${call.method} within ${call.timeoutMs} ms${hint}`,
        ),
      )
    }
  }

  message(message: Message, relatedTo: number | undefined): void {
    if (message.kind === 'response') this.response(message)
    else if (message.kind === 'request' || !this.ownNotice(message)) {
      const related = relatedTo === undefined ? undefined : this.byId(relatedTo)
      this.options.owner.serverMessage(message, related)
    }
  }

  ended(end: LinkEnd): void {
    if (this.end) return
    this.end = end
    const fault = this.hasAnswered ? exitFault(end) : hinted(exitFault(end), this.options.hint?.())
    for (const call of this.calls.take()) {
      this.observe(call, 'server_exited')
      call.caller.fault(fault)
    }
    this.options.owner.ended(end)
  }

  failed(id: number, why: string, refusal?: Refusal): void {
    const call = this.byId(id)
    if (!call) return
    this.calls.delete(call)
    this.observe(call, refusal ? String(refusal.status) : 'server_failed')
    call.caller.fault(refusal ? refusalFault(why, refusal) : fault('server-failed', why))
  }

  close(): void {
    this.link.close()
  }

  /** Begins a traced request's hop under our id; its context joins the edits. */
  private hop(trace: RequestTrace, request: Request, id: number, edits: Edit[]): Hop {
    const hop = trace.send(id, this.link.port)
    edits.push(...injection(request, hop.context))
    return hop
  }

  private observe(call: Call, errorType: string | undefined, error?: string): void {
    call.hop?.end(errorType, error)
    this.options.observe(call.method, this.options.now() - call.sentMs, errorType)
  }

  private find(text: string): Call | undefined {
    return OWN_NUMBER.test(text) ? this.byId(Number(text)) : undefined
  }

  private byId(id: number): Call | undefined {
    return this.calls.find((call) => call.id === id)
  }

  private response(response: Response): void {
    const { id, text } = response
    const call = id && this.find(slice(text, id))
    // An answer nobody waits for (cancelled, answered, or never ours) is dropped.
    if (call === undefined || id === undefined) return
    this.calls.delete(call)
    this.answers++
    this.observe(call, errorType(response), call.hop && errorMessage(response))
    const edits: Edit[] = [{ start: id.start, end: id.end, text: call.idText }]
    const subscription = subscriptionIn(response.result?.object)
    if (subscription && slice(text, subscription) === `${call.id}`) {
      edits.push({ start: subscription.start, end: subscription.end, text: call.idText })
    }
    call.caller.answer(rewrite(text, edits), response)
  }

  /** Hands progress and subscription messages to their caller; false where they have none. */
  private ownNotice(message: Notification): boolean {
    const isProgress = message.method === 'notifications/progress'
    const place = isProgress
      ? member(message.params, 'progressToken')
      : subscriptionIn(message.params)
    if (place === undefined) return isProgress
    const call = this.find(slice(message.text, place))
    const original = isProgress ? call?.tokenText : call?.idText
    if (call === undefined || original === undefined) return true
    const isHeard = call.caller.notice(
      rewrite(message.text, [{ start: place.start, end: place.end, text: original }]),
    )
    if (isProgress && isHeard) this.postpone(call)
    return true
  }

  /** Progress that somebody hears starts the wait again; where nobody does, the wait must have an end. */
  private postpone(call: Call): void {
    if (call.timeoutMs > 0) call.deadlineMs = this.options.now() + call.timeoutMs
  }
}

/** The error code, or `tool_error` for a tool result that says so (OpenTelemetry MCP conventions). */
const errorType = ({ text, error, result }: Response): string | undefined => {
  const code = member(error?.object, 'code')
  if (error) return code && slice(text, code).length <= 11 ? slice(text, code) : '_OTHER'
  const isError = member(result?.object, 'isError')
  return isError && slice(text, isError) === 'true' ? 'tool_error' : undefined
}

const errorMessage = ({ text, error }: Response): string | undefined =>
  stringAt(text, member(error?.object, 'message'))

const subscriptionIn = (object: JsonObject | undefined): ReturnType<typeof member> =>
  member(member(object, '_meta')?.object, SUBSCRIPTION_KEY)

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]\+?(-?\d+))?$/

/** The key under which a server's request is remembered: equal for every spelling of the same id. */
export const idKey = (text: string): string => {
  if (text.startsWith('"')) return `s${String(valueAt(text, { start: 0, end: text.length }))}`
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  const power = BigInt(exponent) + BigInt(digits.length - significant.length - fraction.length)
  return `${sign}${significant}e${power}`
}
