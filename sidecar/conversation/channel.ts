// Requests over one link: every id and progress token is replaced by a number of ours, unique in this
// process, and comes back exactly as it came. Answers, progress and subscriptions find their caller by
// that number and by nothing else; what names it and cannot be used fails its call. Every wait has a deadline; progress
// moves it.

import { fault, type Fault } from '../mcp/faults.ts'
import {
  member,
  slice,
  type Message,
  type Notification,
  type Request,
  type Response,
} from '../mcp/message.ts'
import { SUBSCRIBE } from '../mcp/meta.ts'
import { ownNumber, ownNumberInAnySpelling, tokenLike } from '../mcp/own-id.ts'
import { rewrite } from '../mcp/rewrite.ts'
import type { OddLine } from '../mcp/server-line.ts'
import type { Remarks, Tolerance } from '../mcp/tolerance.ts'
import type { Unusable } from '../mcp/unusable.ts'
import { injection } from '../telemetry/trace-context.ts'
import {
  NO_HEADERS,
  type Link,
  type LinkEnd,
  type LinkOwner,
  type Refusal,
} from '../server/link.ts'
import {
  answerText,
  errorMessage,
  errorType,
  isReadWhole,
  subscriptionIn,
  twiceFault,
} from './answer.ts'
import type { Call, Caller, CallOptions, Observe } from './call.ts'
import { Clock } from './clock.ts'
import {
  exitFault,
  hinted,
  refusalFault,
  timeoutFault,
  tooManyFault,
  withoutWords,
} from './call-faults.ts'
import { InFlight } from './in-flight.ts'
import { Nameless } from './nameless.ts'
import { ownEdits, sendEdited } from './own-edits.ts'
import { Rulings, unusableFault, type Ruling } from './ruling.ts'
import { Strays } from './strays.ts'

export interface ChannelOwner {
  /** A message that no caller in flight owns: a server's request, a log line, a change. */
  serverMessage(message: Request | Notification, relatedTo: Call | undefined): void
  ended(end: LinkEnd): void
}

export interface ChannelOptions {
  readonly link: Link
  readonly owner: ChannelOwner
  /** The next number, unique in this process. */
  readonly nextId: () => number
  readonly now: () => number
  readonly observe: Observe
  /** What may explain that it ended before it had answered anything. */
  readonly hint?: () => string | undefined
  readonly remarks: Remarks
  /** Whether callers who must not hear of each other share the server: then none of its words stands in a fault. */
  readonly isShared: boolean
}

/** Most requests in flight to one process, whoever asked. */
export const MAX_CALLS = 4096
/** Behind a line that only may have been the answer, the answer has so long. */
const DOUBT_MS = 750

export class Channel implements LinkOwner {
  readonly link: Link
  private readonly options: ChannelOptions
  readonly underway = new InFlight<Call>()
  private readonly rulings = new Rulings()
  private end: LinkEnd | undefined
  /** How many requests the server has answered. */
  answers = 0
  private readonly strays: Strays
  private readonly nameless = new Nameless()

  constructor(options: ChannelOptions) {
    this.options = options
    this.link = options.link
    this.strays = new Strays(options.remarks, options.link)
    this.link.owner = this
  }

  get inFlight(): number {
    return this.underway.size
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
    if (this.underway.size >= MAX_CALLS) {
      caller.fault(tooManyFault(MAX_CALLS))
      return undefined
    }
    const id = this.options.nextId()
    const token = member(request.meta, 'progressToken')
    const tokenText = token && slice(request.text, token)
    this.nameless.asked(id)
    const edits = ownEdits(request, token, id, options.edits)
    // A traced request's hop goes under our id.
    const hop = options.trace?.send(id, this.link.port)
    if (hop) edits.push(...injection(request, hop.context))
    const sentMs = this.options.now()
    const { timeoutMs } = options
    const call: Call = {
      id,
      idText: slice(request.text, request.id),
      tokenText,
      method: request.method,
      caller,
      timeoutMs,
      sentMs,
      hop,
      operation: options.operation,
      record: options.record,
      clock: new Clock(timeoutMs, sentMs),
      setting: options.setting,
    }
    const { headers = NO_HEADERS.headers } = options
    const envelope = { headers, id, isLasting: request.method === SUBSCRIBE }
    const unsent = sendEdited(this.link, { request, edits }, envelope, !hop)
    if (unsent) {
      hop?.end(unsent.code.replaceAll('-', '_'))
      caller.fault(unsent)
      return undefined
    }
    this.underway.add(call)
    options.record?.sent(this.link.process)
    return call
  }

  /** Sends a notification or response as it is; lost where the server does not read, or has gone. */
  send(text: string): void {
    this.nameless.told()
    if (this.end === undefined) this.link.send(text, NO_HEADERS)
  }

  /** Tells the server that nobody waits any more; its answer, if it comes, goes nowhere. */
  cancel(call: Call, reason: 'timeout' | 'disconnected'): void {
    this.withdraw(
      call,
      `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${call.id},"reason":"${reason}"}}`,
      reason === 'timeout' ? reason : 'cancelled',
    )
  }

  /** The same with the client's own notification, in which our id stands already. */
  withdraw(call: Call, text: string, errorType = 'cancelled'): void {
    if (!this.underway.delete(call)) return
    this.nameless.gaveUp(call.id)
    this.observe(call, errorType)
    this.send(text)
    this.link.abandon(call.id)
  }

  /** Ends the waits whose time is up. */
  sweep(nowMs: number): void {
    if (this.underway.size > 0) this.link.look(nowMs)
    for (const call of this.underway) {
      if (call.doubt && call.doubt.untilMs <= nowMs) this.fail(call, call.doubt.fault)
      else if (call.clock.isOver(nowMs)) this.timeOut(call)
    }
  }

  private timeOut(call: Call): void {
    this.cancel(call, 'timeout')
    call.caller.fault(timeoutFault(call, this.isPrivate ? this.strays.last : undefined))
  }

  /** Whether what the server says may stand in a fault; before its first answer no caller has told it anything. */
  private get isPrivate(): boolean {
    return !this.options.isShared || !this.hasAnswered
  }

  odd(line: OddLine, relatedTo: number | undefined): void {
    for (const what of line.tolerated) this.options.remarks.tolerated(what)
    for (const message of line.messages) {
      if (message.kind === 'response') this.response(message, line.twin)
      else {
        if (line.twin !== undefined) this.options.remarks.tolerated('repeated-name')
        this.message(message, relatedTo)
      }
    }
    for (const one of line.unusable) this.unusable(one, relatedTo)
  }

  message(message: Message, relatedTo: number | undefined): void {
    if (message.kind === 'response') this.response(message, undefined)
    else if (message.kind === 'request' || !this.ownNotice(message)) {
      const related = relatedTo === undefined ? undefined : this.byId(relatedTo)
      this.options.owner.serverMessage(message, related)
    }
  }

  ended(end: LinkEnd): void {
    if (this.end) return
    const told = this.isPrivate ? end : withoutWords(end)
    this.end = told
    const hint = this.hasAnswered ? undefined : this.options.hint?.()
    const fault = hinted(exitFault(told), hint)
    for (const call of this.underway.take()) {
      this.observe(call, 'server_exited')
      call.caller.fault(fault)
    }
    this.options.owner.ended(told)
  }

  failed(id: number, why: string, refusal?: Refusal): void {
    const call = this.byId(id)
    if (!call) return
    if (refusal) this.fail(call, refusalFault(why, refusal), `${refusal.status}`)
    else this.fail(call, fault('server-failed', why))
  }

  private fail(call: Call, reason: Fault, errorType = 'server_failed'): void {
    if (!this.underway.delete(call)) return
    this.observe(call, errorType)
    this.link.abandon(call.id)
    call.caller.fault(reason)
  }

  /** A line that cannot be used fails the calls that it names, now. */
  private unusable(line: Unusable, relatedTo: number | undefined): void {
    const ruling = this.rulings.on(line, this.hasAnswered)
    const { what, fails, start, why, seen, reply, isHopeless } = ruling
    if (seen !== '') this.options.remarks.odd(what, seen, this.link.process)
    if (reply !== undefined) this.send(reply)
    if (isHopeless) {
      this.link.close()
      this.ended({ code: 'unusable-answer', message: why })
    }
    const isRelated = fails.length === 0 && line.mayAnswer
    const ids = isRelated ? [relatedTo] : fails.map(ownNumberInAnySpelling)
    const calls = ids.flatMap((id) => this.byId(id ?? 0) ?? [])
    if (calls.length === 0) this.strays.line(start, why)
    for (const call of calls) this.failBy(call, ruling)
  }

  private failBy(call: Call, ruling: Ruling): void {
    const reason = unusableFault(call.method, ruling, this.isPrivate)
    if (ruling.isDoubtful) call.doubt ??= { fault: reason, untilMs: this.options.now() + DOUBT_MS }
    else this.fail(call, reason)
  }

  close(): void {
    this.link.close()
  }

  private observe(call: Call, errorType: string | undefined, response?: Response): void {
    call.hop?.end(errorType, response && errorMessage(response))
    call.record?.answered(errorType, response)
    this.options.observe(call, errorType, response)
  }

  /** The call whose number a text is; in another spelling than ours that is tolerated. */
  private find(text: string, otherwise: Tolerance): Call | undefined {
    const id = ownNumber(text)
    if (id !== undefined) return this.byId(id)
    const call = this.byId(ownNumberInAnySpelling(text) ?? 0)
    if (call) this.options.remarks.tolerated(otherwise)
    return call
  }

  private byId(id: number): Call | undefined {
    return this.underway.find((call) => call.id === id)
  }

  /** `twin`: a name that stands twice in it, deeper than has been read. */
  private response(response: Response, twin: string | undefined): void {
    const { id, text } = response
    const call =
      id === undefined ? this.ofError(response) : this.find(slice(text, id), 'id-spelling')
    // An answer nobody waits for (cancelled, answered, or never ours) is dropped.
    if (call === undefined) {
      if (id !== undefined) this.strays.answer(slice(text, id), this.nameless.lastId)
      return
    }
    if (twin === undefined) this.answered(call, response)
    else if (isReadWhole(call.method)) this.fail(call, twiceFault(call.method, twin))
    else {
      this.options.remarks.tolerated('repeated-name')
      this.answered(call, response)
    }
  }

  private answered(call: Call, response: Response): void {
    this.underway.delete(call)
    this.link.abandon(call.id)
    this.answers++
    this.nameless.answered(call.id)
    this.observe(call, errorType(response), response)
    call.caller.answer(answerText(response, call), response)
  }

  /** The request that an error without an id answers: on a pipe alone, and nothing of what strangers share. */
  private ofError(response: Response): Call | undefined {
    const { nameless, link, options } = this
    if (link.port !== undefined || nameless.isPerhapsNone(response)) return undefined
    const call = this.isPrivate ? nameless.whose(this.underway) : undefined
    if (call) {
      options.remarks.tolerated('error-without-id')
      return call
    }
    this.strays.error(response)
    return undefined
  }

  /** Hands progress and subscription messages to their caller; false where they have none. */
  private ownNotice(message: Notification): boolean {
    const isProgress = message.method === 'notifications/progress'
    const place = isProgress
      ? member(message.params, 'progressToken')
      : subscriptionIn(message.params)
    if (place === undefined) return isProgress
    const call = this.findNoticed(slice(message.text, place), isProgress)
    const original = isProgress ? call?.tokenText : call?.idText
    if (call === undefined || original === undefined) return true
    const text = rewrite(message.text, [{ start: place.start, end: place.end, text: original }])
    const isHeard = call.caller.notice(text, message)
    // Progress that somebody hears starts the wait again; where nobody does, the wait must have an end.
    if (isProgress && isHeard) call.clock.restart(this.options.now())
    return true
  }

  /** A token is as we sent it, a number or a string; anything else is another spelling. */
  private findNoticed(text: string, isProgress: boolean): Call | undefined {
    if (!isProgress) return this.find(text, 'id-spelling')
    const bare = text.startsWith('"') ? text.slice(1, -1) : text
    const call = this.byId(ownNumber(bare) ?? ownNumberInAnySpelling(text) ?? 0)
    if (call?.tokenText !== undefined && text !== tokenLike(call.tokenText, call.id)) {
      this.options.remarks.tolerated('token-spelling')
    }
    return call
  }
}
