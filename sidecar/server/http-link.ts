// A loopback Streamable HTTP server as a link: each request is a POST, its answer JSON or an event
// stream; a legacy session also has a GET stream. A server may close the stream of an answer once an event of it
// had an id, and be asked for the rest (SEP-1699). Which of the client's headers go on, the setting alone decides.

import type { ClientRequest, IncomingMessage } from 'node:http'
import { SMALL_BYTES, type Budget } from '../bytes/budget.ts'
import { noMemory, type Fault } from '../mcp/faults.ts'
import { member, slice, stringAt, type Message, type Response } from '../mcp/message.ts'
import { ownNumberInAnySpelling } from '../mcp/own-id.ts'
import type { ServerLine } from '../mcp/server-line.ts'
import { Events, isEventStream, lineIn, noAnswer, readWhole } from './http-answer.ts'
import {
  notReading,
  type Envelope,
  type Link,
  type LinkEnd,
  type LinkOwner,
  type Refusal,
} from './link.ts'
import { isNobody, type Loopback } from './loopback.ts'

/** What a Streamable HTTP server may answer with. */
export const BOTH_TYPES = 'application/json, text/event-stream'
const VERSION = /^[!-~]{1,64}$/
/** How long a broken stream is left alone where the server does not say. */
const RECONNECT_MS = 1000
/** What a server may ask for between two attempts; less than the least would be a hot loop. */
const MIN_RETRY_MS = 50
const MAX_RETRY_MS = 60_000
const MAX_OPEN = 256

export interface HttpTarget {
  readonly loopback: Loopback
  readonly path: string
  /** Headers of its caller's own go on: what the server says of them is for the caller. */
  readonly forwards: boolean
  /** For what the server has not read and what we have read of an answer. */
  readonly budget: Budget
  /** How long the server may take to hear that its session has ended; then it is left to itself. */
  readonly endTimeoutMs: number
  readonly onClose: () => void
}

const isAnswerTo = ({ text, id: place }: Response, id: number): boolean =>
  place !== undefined && ownNumberInAnySpelling(slice(text, place)) === id

const pauseOf = ({ retryMs }: Events): number =>
  retryMs === undefined ? RECONNECT_MS : Math.min(Math.max(retryMs, MIN_RETRY_MS), MAX_RETRY_MS)

export class HttpLink implements Link {
  owner: LinkOwner | undefined
  private readonly target: HttpTarget
  /** Requests without their answer, and what gives each of them up. */
  private open = new Map<number, () => void>()
  /** Notifications and responses that the server has not taken yet. */
  private readonly oneWay = new Set<ClientRequest>()
  private readonly streams = new Set<Events>()
  private session: string | undefined
  /** The caller's own headers, as its last request brought them. */
  private forwarded: Readonly<Record<string, string>> = {}
  private version: string | undefined
  private isModern = false
  private isEnded = false
  private isPaused = false
  private listening: ClientRequest | undefined
  private reconnect: NodeJS.Timeout | undefined
  private lastEvent: string | undefined

  constructor(target: HttpTarget) {
    this.target = target
  }

  get port(): number {
    return this.target.loopback.port
  }

  send(text: string, envelope: Envelope): Fault | undefined {
    const { id } = envelope
    const headers = envelope.headers()
    if (this.open.size + this.oneWay.size >= MAX_OPEN) return notReading(`${MAX_OPEN} messages`)
    // Who finds out what a server speaks asks in both eras over one link.
    if (id !== undefined) this.isModern = headers['mcp-method'] !== undefined
    // The modern era has no client notifications over HTTP: `abandon` cancels.
    if (id === undefined && this.isModern) return undefined
    // Whatever else belongs to the session goes in its caller's name as well.
    if (id !== undefined && !this.isModern) this.forwarded = headers
    const { budget } = this.target
    const unread = budget.lease('inputs')
    if (text.length > SMALL_BYTES && !unread.keep(text.length)) {
      return noMemory('what the server does not read', budget.bytes)
    }
    const body = Buffer.from(text, 'latin1')
    const sent = this.start('POST', {
      ...headers,
      'content-type': 'application/json',
      'content-length': `${body.length}`,
      accept: BOTH_TYPES,
    })
    if (id !== undefined) this.open.set(id, () => sent.destroy())
    else {
      this.oneWay.add(sent)
      sent.on('close', () => this.oneWay.delete(sent))
    }
    sent.on('response', (response) => this.answer(response, id))
    sent.on('error', (error) => this.broken(id, error))
    sent.on('finish', () => unread.release())
    sent.on('close', () => unread.release())
    sent.end(body)
    return undefined
  }

  abandon(id: number): void {
    const giveUp = this.open.get(id)
    this.open.delete(id)
    giveUp?.()
  }

  pause(): void {
    this.isPaused = true
    for (const stream of this.streams) stream.pause()
  }

  look(): void {
    // Whatever ends here ends with an event.
  }

  resume(): void {
    this.isPaused = false
    for (const stream of this.streams) stream.resume()
  }

  close(): void {
    if (this.isEnded) return
    if (this.session !== undefined) {
      const sent = this.start('DELETE', {}, AbortSignal.timeout(this.target.endTimeoutMs))
      sent.on('response', (response) => response.resume())
      sent.on('error', () => undefined)
      sent.end()
    }
    this.finish({ message: 'the session with the server was closed' })
  }

  private start(
    method: string,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): ClientRequest {
    const { loopback, path } = this.target
    return loopback.request({
      method,
      path,
      isLasting: method === 'GET',
      ...(signal === undefined ? {} : { signal }),
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
    } else this.whole(response, id)
    if (id === undefined && this.session !== undefined && !this.listening) this.listen()
  }

  private whole(response: IncomingMessage, id: number | undefined): void {
    readWhole(response, this.target.budget, (bytes, why) => {
      const line = lineIn(bytes)
      const none = noAnswer(response, line, this.target.forwards)
      if (!none.refusal) this.said(line, id)
      this.failed(id, why ?? none.why, none.refusal)
      if (response.statusCode === 404 && this.session !== undefined) {
        this.finish({ message: 'the server has ended its session' })
      }
    })
  }

  private stream(
    response: IncomingMessage,
    id: number | undefined,
    ended: (events: Events, why: string | undefined) => void,
  ): void {
    const events = new Events(response, {
      budget: this.target.budget,
      onEvent: ({ data }) => this.said(lineIn(data), id),
      onEnd: (why) => {
        this.streams.delete(events)
        ended(events, why)
      },
    })
    this.streams.add(events)
    if (this.isPaused) events.pause()
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
    if (line.kind !== 'odd') {
      this.note(line, id)
      this.owner?.message(line, id)
      return
    }
    for (const message of line.messages) this.note(message, id)
    this.owner?.odd(line, id)
  }

  private note(message: Message, id: number | undefined): void {
    if (message.kind !== 'response') return
    if (id !== undefined && isAnswerTo(message, id)) this.open.delete(id)
    const version = stringAt(message.text, member(message.result?.object, 'protocolVersion'))
    // It goes into a header: what cannot stand in one is no version.
    if (version !== undefined && VERSION.test(version)) this.version ??= version
  }

  /** A request that will get no answer: its caller hears why. */
  private failed(id: number | undefined, why: string, refusal?: Refusal): void {
    if (id !== undefined && this.open.delete(id)) this.owner?.failed(id, why, refusal)
  }

  /** Where nobody listens the server is gone, and with it whatever it knew of this session. */
  private broken(id: number | undefined, error: Error): void {
    const why = this.target.loopback.sentence(error)
    if (isNobody(error)) this.finish({ message: why })
    else this.failed(id, why)
  }

  /** The legacy GET stream, opened again whenever it breaks; a server without one answers 405. */
  private listen(): void {
    const sent = this.start('GET', {
      accept: 'text/event-stream',
      ...(this.lastEvent === undefined ? {} : { 'last-event-id': this.lastEvent }),
    })
    this.listening = sent
    sent.on('response', (response) => {
      if (response.statusCode !== 200) response.resume()
      else {
        this.stream(response, undefined, (events) => {
          this.lastEvent = events.lastId ?? this.lastEvent
          this.listenLater(pauseOf(events))
        })
      }
    })
    sent.on('error', () => this.listenLater(RECONNECT_MS))
    sent.end()
  }

  private listenLater(pauseMs: number): void {
    if (this.isEnded) return
    clearTimeout(this.reconnect)
    this.reconnect = setTimeout(() => this.listen(), pauseMs)
  }

  private finish(end: LinkEnd): void {
    if (this.isEnded) return
    this.isEnded = true
    clearTimeout(this.reconnect)
    this.listening?.destroy()
    const { open } = this
    this.open = new Map()
    for (const giveUp of open.values()) giveUp()
    for (const sent of this.oneWay) sent.destroy()
    this.target.onClose()
    this.owner?.ended(end)
  }
}
