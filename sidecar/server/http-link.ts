// A loopback Streamable HTTP server as a link: each request is a POST, its answer JSON or an event
// stream; a legacy session also has a GET stream. A server may close the stream of an answer once an event of it
// had an id, and be asked for the rest (SEP-1699). Which of the client's headers go on, the setting alone decides.

import type { ClientRequest, IncomingMessage } from 'node:http'
import { fail, type Result } from '../../shared/result.ts'
import type { Lease } from '../bytes/budget.ts'
import type { Fault } from '../mcp/faults.ts'
import { member, slice, stringAt, type Message, type Response } from '../mcp/message.ts'
import { ownNumberInAnySpelling } from '../mcp/own-id.ts'
import type { ServerLine } from '../mcp/server-line.ts'
import { isEventStream, lineIn, throwAway, type Events } from './http-answer.ts'
import { tooManyLasting, type Envelope, type Refusal } from './link.ts'
import { listenAgain, pauseAfter } from './listen-again.ts'
import type { LoopbackRequest } from './loopback.ts'
import { LoopbackLink, type LinkTarget } from './loopback-link.ts'

/** What a Streamable HTTP server may answer with. */
export const BOTH_TYPES = 'application/json, text/event-stream'
const VERSION = /^[!-~]{1,64}$/
/** How long a broken stream is left alone where the server does not say. */
const RECONNECT_MS = 1000
/** Requests that last, of one session; each has a connection of its own. */
const MAX_LASTING = 256
/** What a server may ask for between two attempts; less than the least would be a hot loop. */
const MIN_RETRY_MS = 50
const MAX_RETRY_MS = 60_000

export interface HttpTarget extends LinkTarget {
  /** How long the server may take to hear that its session has ended; then it is left to itself. */
  readonly endTimeoutMs: number
}

const isAnswerTo = ({ text, id: place }: Response, id: number): boolean =>
  place !== undefined && ownNumberInAnySpelling(slice(text, place)) === id

const pauseOf = ({ retryMs }: Events): number =>
  retryMs === undefined ? RECONNECT_MS : Math.min(Math.max(retryMs, MIN_RETRY_MS), MAX_RETRY_MS)

export class HttpLink extends LoopbackLink<HttpTarget> {
  /** Requests without their answer, and what gives each of them up. */
  private open = new Map<number, () => void>()
  /** Those of them that last: they take nobody's place. */
  private readonly lasting = new Set<number>()
  /** Notifications and responses that the server has not taken yet. */
  private readonly oneWay = new Set<ClientRequest>()
  private session: string | undefined
  /** The caller's own headers, as its last request brought them. */
  private forwarded: Readonly<Record<string, string>> = {}
  private version: string | undefined
  private isModern = false
  private listening: ClientRequest | undefined
  private reconnect: NodeJS.Timeout | undefined
  private lastEvent: string | undefined
  /** How often in a row there was no listening stream to be had. */
  private misses = 0

  send(text: string, envelope: Envelope): Fault | undefined {
    const { id } = envelope
    const headers = envelope.headers()
    // Who finds out what a server speaks asks in both eras over one link.
    if (id !== undefined) this.isModern = headers['mcp-method'] !== undefined
    // The modern era has no client notifications over HTTP: `abandon` cancels.
    if (id === undefined && this.isModern) return undefined
    const isLasting = envelope.isLasting === true
    const unread = isLasting ? this.lastingRoom(text) : this.room(text)
    if (!unread.ok) return unread.error
    // Whatever else belongs to the session goes in its caller's name as well.
    if (id !== undefined && !this.isModern) this.forwarded = headers
    const body = Buffer.from(text, 'latin1')
    const sent = this.start(
      'POST',
      {
        ...headers,
        'content-type': 'application/json',
        'content-length': `${body.length}`,
        accept: BOTH_TYPES,
      },
      { isLasting },
    )
    if (id === undefined) this.sentOneWay(sent)
    else this.opened(id, sent, isLasting)
    sent.on('response', (response) => this.answer(response, id))
    sent.on('error', (error) => this.broken(id, error))
    sent.on('finish', () => unread.value.release())
    sent.on('close', () => unread.value.release())
    sent.end(body)
    return undefined
  }

  abandon(id: number): void {
    const giveUp = this.open.get(id)
    this.over(id)
    giveUp?.()
  }

  private room(text: string): Result<Lease, Fault> {
    return this.unread(text, this.open.size - this.lasting.size + this.oneWay.size)
  }

  private lastingRoom(text: string): Result<Lease, Fault> {
    return this.lasting.size < MAX_LASTING
      ? this.unread(text, 0)
      : fail(tooManyLasting(MAX_LASTING))
  }

  private opened(id: number, sent: ClientRequest, isLasting: boolean): void {
    this.open.set(id, () => sent.destroy())
    if (isLasting) this.lasting.add(id)
  }

  /** A request is with the server no more; false where it was not. */
  private over(id: number): boolean {
    this.lasting.delete(id)
    return this.open.delete(id)
  }

  close(): void {
    if (this.isEnded) return
    if (this.session !== undefined) {
      const signal = AbortSignal.timeout(this.target.endTimeoutMs)
      const sent = this.start('DELETE', {}, { signal })
      sent.on('response', throwAway)
      sent.on('error', () => undefined)
      sent.end()
    }
    this.finish({ message: 'the session with the server was closed' })
  }

  /** Whatever the server makes of it, its connection is not kept for long. */
  private sentOneWay(sent: ClientRequest): void {
    const late = setTimeout(() => sent.destroy(), this.target.acceptTimeoutMs)
    this.oneWay.add(sent)
    sent.on('close', () => {
      clearTimeout(late)
      this.oneWay.delete(sent)
    })
  }

  private start(
    method: string,
    headers: Readonly<Record<string, string>>,
    { isLasting = method === 'GET', ...more }: Pick<LoopbackRequest, 'isLasting' | 'signal'> = {},
  ): ClientRequest {
    const { loopback, path } = this.target
    return loopback.request({
      method,
      path,
      isLasting,
      ...more,
      headers: {
        ...(this.session === undefined ? {} : { 'mcp-session-id': this.session }),
        ...(this.version === undefined ? {} : { 'mcp-protocol-version': this.version }),
        ...this.forwarded,
        ...headers,
      },
    })
  }

  /** `from`: the event behind which its stream was taken up again. */
  private answer(response: IncomingMessage, id: number | undefined, from?: string): void {
    const session = response.headers['mcp-session-id']
    if (typeof session === 'string' && !this.isModern) this.session = session
    if (isEventStream(response)) {
      this.stream(response, id, (events, why) => this.cutShort(id, events, why, from))
    } else this.body(response, id)
    if (id === undefined && this.session !== undefined && !this.listening) this.listen()
  }

  private body(response: IncomingMessage, id: number | undefined): void {
    this.whole(response, (line, { why, refusal }) => {
      if (!refusal) this.said(line, id)
      this.failed(id, why, refusal)
      if (response.statusCode === 404 && this.session !== undefined) {
        this.gone('the server has ended its session')
      }
    })
  }

  private stream(
    response: IncomingMessage,
    id: number | undefined,
    onEnd: (events: Events, why: string | undefined) => void,
  ): void {
    const events = this.events(
      response,
      ({ data }) => {
        this.said(lineIn(data), id)
        if (id !== undefined && !this.open.has(id)) events.closeSoon()
      },
      onEnd,
    )
  }

  /** A stream has ended, perhaps before its answer: the rest is asked for where an event says from where. */
  private cutShort(
    id: number | undefined,
    events: Events,
    why: string | undefined,
    from: string | undefined,
  ): void {
    const last = events.lastId ?? from
    if (id === undefined || !this.open.has(id)) return
    if (why !== undefined || last === undefined || this.isModern) {
      this.failed(id, why ?? "the server's event stream ended before its answer")
      return
    }
    const timer = setTimeout(() => {
      const sent = this.start('GET', { accept: 'text/event-stream', 'last-event-id': last })
      this.open.set(id, () => sent.destroy())
      sent.on('response', (response) => this.answer(response, id, last))
      sent.on('error', (error) => this.broken(id, error))
      sent.end()
    }, pauseOf(events))
    this.open.set(id, () => clearTimeout(timer))
  }

  private said(line: ServerLine, id: number | undefined): void {
    for (const message of line.kind === 'odd' ? line.messages : [line]) this.note(message, id)
    this.hear(line, id)
  }

  private note(message: Message, id: number | undefined): void {
    if (message.kind !== 'response') return
    if (id !== undefined && isAnswerTo(message, id)) this.over(id)
    const version = stringAt(message.text, member(message.result?.object, 'protocolVersion'))
    // It goes into a header: what cannot stand in one is no version.
    if (version !== undefined && VERSION.test(version)) this.version ??= version
  }

  protected override failed(id: number | undefined, why: string, refusal?: Refusal): void {
    if (id !== undefined && this.over(id)) super.failed(id, why, refusal)
  }

  protected override gone(message: string): void {
    this.finish({ message })
  }

  /** The legacy GET stream, opened again whenever it breaks, and where a server that refuses it may have it later. */
  private listen(): void {
    const sent = this.start('GET', {
      accept: 'text/event-stream',
      ...(this.lastEvent === undefined ? {} : { 'last-event-id': this.lastEvent }),
    })
    this.listening = sent
    sent.on('response', (response) => {
      if (response.statusCode === 200 && isEventStream(response)) this.listenTo(response)
      else this.unheard(response)
    })
    sent.on('error', () => this.listenLater(pauseAfter(this.misses++)))
    sent.end()
  }

  private listenTo(response: IncomingMessage): void {
    this.misses = 0
    this.stream(response, undefined, (events) => {
      this.lastEvent = events.lastId ?? this.lastEvent
      this.listenLater(pauseOf(events))
    })
  }

  private unheard(response: IncomingMessage): void {
    const { statusCode: status = 0, headers } = response
    throwAway(response)
    const isResumed = this.lastEvent !== undefined
    const { forwards } = this.target
    const retryAfter = headers['retry-after']
    const again = listenAgain({ status, retryAfter, isResumed, forwards }, this.misses++)
    if (again?.isAnew === true) this.lastEvent = undefined
    if (again) this.listenLater(again.pauseMs)
  }

  private listenLater(pauseMs: number): void {
    if (this.isEnded) return
    clearTimeout(this.reconnect)
    this.reconnect = setTimeout(() => this.listen(), pauseMs)
  }

  protected override stop(): void {
    clearTimeout(this.reconnect)
    this.listening?.destroy()
    const { open } = this
    this.open = new Map()
    this.lasting.clear()
    for (const giveUp of open.values()) giveUp()
    for (const sent of this.oneWay) sent.destroy()
  }
}
