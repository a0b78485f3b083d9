// A modern server as a link to a legacy one: what a session says goes on as requests that stand alone, and what the server
// says comes back as a legacy server says it.

import { subscriptionIn } from '../conversation/answer.ts'
import type { Budget } from '../bytes/budget.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import {
  member,
  slice,
  type Message,
  type Notification,
  type Request,
  type Response,
} from '../mcp/message.ts'
import { SUBSCRIBE, UPDATED } from '../mcp/meta.ts'
import { ownNumberInAnySpelling } from '../mcp/own-id.ts'
import { NO_EDITS, type Edited } from '../mcp/rewrite.ts'
import type { OddLine } from '../mcp/server-line.ts'
import type { Unusable } from '../mcp/unusable.ts'
import { Tools } from '../modern/tools.ts'
import {
  NO_HEADERS,
  type Envelope,
  type Link,
  type LinkEnd,
  type LinkOwner,
  type Refusal,
} from '../server/link.ts'
import type { Underway } from '../server/underway.ts'
import { jsonText, readAgain } from '../translation/own-text.ts'
import { withoutMark } from './legacy-answer.ts'
import { ACKNOWLEDGED, Listening } from './listening.ts'
import { refusalOf } from './methods.ts'
import { modernHeaders, modernText } from './modern-request.ts'
import { OwnRequests } from './own-requests.ts'
import { CANCELLED, hasRoomFor, Passages } from './passages.ts'
import { Reception } from './reception.ts'

export interface EmulatedLinkOptions {
  readonly nextId: () => number
  readonly now: () => number
  readonly budget: Budget
  readonly schedule: (callback: () => void, delayMs: number) => () => void
  readonly startupTimeoutMs: number
}

/** What a request cannot be completed for is nobody's parameters. */
const INTERNAL = -32_603

const errorText = (id: number, code: number, message: string): string =>
  `{"jsonrpc":"2.0","id":${id},"error":${jsonText({ code, message })}}`
const cancelledText = (id: number, reason: string): string =>
  `{"jsonrpc":"2.0","method":"${CANCELLED}","params":{"requestId":${id},"reason":"${reason}"}}`

export class EmulatedLink implements Link, LinkOwner {
  readonly port?: number
  readonly process?: number
  private readonly inner: Link
  private upper: LinkOwner | undefined
  private readonly own: OwnRequests
  private readonly listening: Listening
  private readonly reception: Reception
  private readonly passages: Passages
  private readonly tools: Tools
  /** The caller's own headers, as its last request brought them. */
  private forwarded: Envelope['headers'] = NO_HEADERS.headers
  private isEnded = false

  constructor(inner: Link, options: EmulatedLinkOptions) {
    this.inner = inner
    if (inner.port !== undefined) this.port = inner.port
    if (inner.process !== undefined) this.process = inner.process
    const { budget, nextId, schedule } = options
    this.own = new OwnRequests({
      ...options,
      send: (request, id, headers) => this.sendOwn(request, id, headers),
      abandon: (id) => inner.abandon(id),
    })
    this.tools = new Tools(this.own, options)
    this.listening = new Listening({
      listen: (request, caller) =>
        this.own.ask(request, caller, { timeoutMs: 0, headers: this.forwarded }),
      giveUp: (id) => {
        inner.send(cancelledText(id, 'nobody listens to it any more'), NO_HEADERS)
        this.own.giveUp(id)
      },
      schedule,
      missed: (methods, uris) => this.missed(methods, uris),
      mayKeep: (bytes) => hasRoomFor(budget, bytes),
      lease: budget.lease('calls'),
    })
    this.reception = new Reception({
      own: this.own,
      listening: this.listening,
      say: (id, result) => this.say(`{"jsonrpc":"2.0","id":${id},"result":${result}}`),
      refuse: (id, { code, message }) => this.say(errorText(id, code, message)),
      fail: (id, why) => this.upper?.failed(id, why),
    })
    this.passages = new Passages({
      inner,
      nextId,
      budget,
      tools: this.tools,
      client: this.reception,
      ask: (question, callersId) => this.upper?.message(question, callersId),
      takeBack: (id) => this.say(cancelledText(id, 'the call is over')),
      refuse: (id, why) =>
        this.say(errorText(id, INTERNAL, `the request cannot be completed: ${why}`)),
      fail: (id, why) => this.upper?.failed(id, why),
    })
  }

  get owner(): LinkOwner | undefined {
    return this.upper
  }

  set owner(owner: LinkOwner | undefined) {
    this.upper = owner
    this.inner.owner = this
  }

  get underway(): Iterable<Underway> {
    return this.upper?.underway ?? []
  }

  send(text: string, envelope: Envelope): Fault | undefined {
    const message = readAgain(text)
    if (message?.kind === 'request')
      return this.ask({ request: message, edits: NO_EDITS }, envelope)
    if (message?.kind === 'response') this.passages.told(message)
    // The modern era has no other notification of a client's.
    else if (message?.method === CANCELLED) this.passages.cancelled(message)
    else if (envelope.id !== undefined) return fault('invalid-request', 'it has too many members')
    return undefined
  }

  ask(asked: Edited, { headers, ...envelope }: Envelope): Fault | undefined {
    const { request } = asked
    // What a session leaves behind goes without an envelope: nobody waits for its answer.
    const id = envelope.id ?? ownNumberInAnySpelling(slice(request.text, request.id))
    if (id === undefined) return undefined
    if (this.port !== undefined && headers !== NO_HEADERS.headers) {
      const brought = headers()
      this.forwarded = () => brought
    }
    if (request.method === 'initialize') return this.reception.initialize(id, request, headers)
    const refused = refusalOf(request)
    if (refused) this.say(errorText(id, refused.code, refused.message))
    else if (!this.reception.takes(id, request)) return this.passages.begin(asked, id, headers)
    return undefined
  }

  abandon(id: number): void {
    if (!this.passages.abandon(id)) this.reception.abandon(id)
  }

  pause(): void {
    this.inner.pause()
  }

  resume(): void {
    this.inner.resume()
  }

  look(nowMs: number): void {
    this.own.sweep(nowMs)
    this.inner.look(nowMs)
  }

  close(): void {
    this.listening.close()
    this.inner.close()
  }

  message(message: Message, relatedTo: number | undefined): void {
    const related = this.passages.callersId(relatedTo)
    const told = this.up(message, undefined)
    if (told) this.upper?.message(told, related)
  }

  odd(line: OddLine, relatedTo: number | undefined): void {
    const related = this.passages.callersId(relatedTo)
    const messages = line.messages.flatMap((one) => this.up(one, line.twin) ?? [])
    const unusable = line.unusable.map((one) => this.unusable(one, relatedTo))
    this.upper?.odd({ ...line, messages, unusable }, related)
  }

  failed(id: number, why: string, refusal?: Refusal): void {
    const { opening } = this.reception
    if (opening?.ownId === id) {
      this.upper?.failed(opening.id, why, refusal)
      this.reception.abandon(opening.id)
      return
    }
    const callersId = this.passages.failed(id)
    if (callersId === undefined) this.own.failed(id, fault('server-failed', why))
    else this.upper?.failed(callersId, why, refusal)
  }

  ended(end: LinkEnd): void {
    this.isEnded = true
    this.own.close()
    this.listening.close()
    this.reception.close()
    this.passages.close()
    this.upper?.ended(end)
  }

  private sendOwn(request: Request, id: number, headers: Envelope['headers']): Fault | undefined {
    const asked = { request, edits: NO_EDITS }
    return this.inner.send(modernText(asked, { id, meta: this.reception.envelope }), {
      id,
      headers: () => ({ ...headers(), ...modernHeaders(request) }),
      isLasting: request.method === SUBSCRIBE,
    })
  }

  /** Whoever asks has to be known to wait first: it is told once that has been seen to. */
  private say(text: string): void {
    queueMicrotask(() => {
      const message = readAgain(text)
      if (message && !this.isEnded) this.upper?.message(message, undefined)
    })
  }

  private missed(methods: readonly string[], uris: readonly string[]): void {
    this.tools.changed()
    for (const method of methods) this.say(`{"jsonrpc":"2.0","method":"${method}"}`)
    for (const uri of uris) {
      this.say(`{"jsonrpc":"2.0","method":"${UPDATED}","params":${jsonText({ uri })}}`)
    }
  }

  /** What cannot be used fails what it names: what we have asked ourselves, here; the rest by its caller's number. */
  private unusable(line: Unusable, relatedTo: number | undefined): Unusable {
    const { names, mayAnswer, reason } = line
    const related = mayAnswer && names.length === 0 && relatedTo !== undefined ? [relatedTo] : []
    for (const id of [...names.flatMap((name) => ownNumberInAnySpelling(name) ?? []), ...related]) {
      this.own.failed(id, fault('unusable-answer', reason))
    }
    const callers = (name: string): string =>
      `${this.passages.callersId(ownNumberInAnySpelling(name)) ?? name}`
    return { ...line, names: names.map(callers) }
  }

  /** What the server says as a legacy one says it; undefined of what is ours, or of no legacy client. */
  private up(message: Message, twin: string | undefined): Message | undefined {
    // Requests of the server's do not exist in this era.
    if (message.kind === 'request') return undefined
    return message.kind === 'response' ? this.response(message, twin) : this.notification(message)
  }

  private response(response: Response, twin: string | undefined): Response | undefined {
    const id = response.id && ownNumberInAnySpelling(slice(response.text, response.id))
    if (id === undefined) return this.nameless(response)
    if (!this.own.has(id)) return this.passages.answer(id, response)
    if (twin === undefined) this.own.answered(id, response)
    else this.own.failed(id, fault('unusable-answer', 'a member name stands twice in it'))
    return undefined
  }

  /** An error that names no request is that of the only one; which that is, is known where we have asked nothing ourselves. */
  private nameless(response: Response): Response | undefined {
    const { opening } = this.reception
    if (!opening) return this.listening.isAsking ? undefined : response
    this.own.answered(opening.ownId, response)
    return undefined
  }

  private notification(message: Notification): Notification | undefined {
    const { text, params, method } = message
    if (method === CANCELLED) return this.takenBack(message)
    if (method.endsWith('/list_changed')) this.tools.changed()
    const place = subscriptionIn(params)
    const id = place && ownNumberInAnySpelling(slice(text, place))
    if (id === undefined || !params) return message
    this.own.told(id, message)
    if (!this.listening.hears(id) || method === ACKNOWLEDGED) return undefined
    const again = readAgain(withoutMark(text, params))
    return again?.kind === 'notification' ? again : undefined
  }

  /** The server ends a subscription of its own accord: nothing else of ours is its to take back. */
  private takenBack({ text, params }: Notification): undefined {
    const place = member(params, 'requestId')
    const id = place && ownNumberInAnySpelling(slice(text, place))
    if (id !== undefined) this.own.failed(id, fault('server-failed', 'the server has ended it'))
    return undefined
  }
}
