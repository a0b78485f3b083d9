// The answer of a server that speaks HTTP, read within its bound and the memory budget: whole, or event by event. Where
// there is no room nothing is read; what cannot be read to its end has a reason.

import type { IncomingMessage } from 'node:http'
import { oneLine } from '../../shared/one-line.ts'
import { SMALL_BYTES, type Budget, type Lease, type MessageSizes } from '../bytes/budget.ts'
import { free } from '../bytes/freed.ts'
import { Whole } from '../bytes/whole.ts'
import { member, stringAt, type Response } from '../mcp/message.ts'
import { readServerLine, type ServerLine } from '../mcp/server-line.ts'
import { EventReader, type ServerEvent } from './event-reader.ts'
import { EventTurns } from './event-turns.ts'
import type { Refusal } from './link.ts'

const WANTS_HEADERS =
  "; if it wants its caller's own Authorization, set outrigger.dev/forward-headers: Authorization"
const tooLong = ({ responseBytes }: MessageSizes): string =>
  `the server's answer is longer than ${responseBytes} bytes (outrigger.dev/max-response-size)`
/** The servers that end their answers do so at once. */
const LEFT_OPEN_MS = 1000
const NO_MEMORY =
  "the server's answer stopped while others waited for the memory that it takes, and was cut off"

export const isEventStream = ({ headers }: IncomingMessage): boolean =>
  /^\s*text\/event-stream\s*(;|$)/i.test(headers['content-type'] ?? '')

/** What a body or an event says; its bytes are let go. */
export const lineIn = (bytes: Buffer): ServerLine => {
  const line = readServerLine(bytes)
  free(bytes)
  return line
}

/** Why an HTTP answer is none to the request. */
export interface NoAnswer {
  readonly why: string
  readonly refusal: Refusal | undefined
}

/** What becomes of an HTTP answer without one to the request; `forwards`: its caller's own headers go on. */
export const noAnswer = (
  { statusCode: status = 0, headers }: IncomingMessage,
  line: ServerLine,
  forwards: boolean,
): NoAnswer => {
  const why = `the server answered HTTP ${status} ${saidInstead(line)}`
  if (status !== 401 && status !== 403) return { why, refusal: undefined }
  return forwards
    ? { why, refusal: { status, challenge: headers['www-authenticate'] } }
    : { why: why + WANTS_HEADERS, refusal: undefined }
}

/** What stands in the place of an answer to the request. */
const saidInstead = (line: ServerLine): string => {
  const said = line.kind === 'response' ? errorIn(line) : undefined
  if (said !== undefined) return `and said: ${said}`
  const [wrong] = line.kind === 'odd' ? line.unusable : []
  const reason = wrong === undefined ? '' : `: ${wrong.reason}; it begins: ${oneLine(wrong.start)}`
  return `without an answer to the request${reason}`
}

const errorIn = ({ text, error }: Response): string | undefined =>
  stringAt(text, member(error?.object, 'message'))

/** Reads a whole body; `why` says that it was cut off, and then there are no bytes. */
export const readWhole = (
  response: IncomingMessage,
  budget: Budget,
  onEnd: (bytes: Buffer, why: string | undefined) => void,
): void => {
  const { responseBytes } = budget.sizes
  const body = new Whole(responseBytes)
  let why: string | undefined
  const cut = (reason: string): void => {
    why ??= reason
    body.take()
    response.destroy()
  }
  const lease = budget.lease('lines', {
    isRefusable: false,
    granted: () => void response.resume(),
    ended: () => cut(NO_MEMORY),
  })
  response.on('data', (chunk: Buffer) => {
    if (!body.add(chunk)) cut(tooLong(budget.sizes))
    else if (!lease.reads(body.length, responseBytes)) response.pause()
  })
  response.on('error', () => undefined)
  const end = (): void => {
    // What becomes of it is counted where it goes.
    lease.release()
    onEnd(body.take(), why)
  }
  // What is large has a turn of its own.
  response.on('close', () => (body.length > SMALL_BYTES ? lease.inTurn(end) : end()))
}

/** What has been answered is the server's to end; what it leaves open would take a connection for ever. */
const closeSoon = (response: IncomingMessage): void => {
  const late = setTimeout(() => response.destroy(), LEFT_OPEN_MS)
  response.on('close', () => clearTimeout(late))
}

/** Reads a body of which nobody wants to know anything. */
export const throwAway = (response: IncomingMessage): void => {
  response.on('error', () => undefined)
  response.resume()
  closeSoon(response)
}

export interface EventsOptions {
  readonly budget: Budget
  readonly onEvent: (event: ServerEvent) => void
  /** Its end; `why` where we have cut it off. */
  readonly onEnd: (why: string | undefined) => void
}

/** An event stream that is being read. */
export class Events {
  private readonly response: IncomingMessage
  private readonly sizes: MessageSizes
  private readonly reader: EventReader
  private readonly lease: Lease
  private readonly turns: EventTurns
  private isPaused = false
  private why: string | undefined
  private isLeft = false
  private isOver = false
  private readonly onEnd: (why: string | undefined) => void

  constructor(response: IncomingMessage, { budget, onEvent, onEnd }: EventsOptions) {
    this.response = response
    this.sizes = budget.sizes
    this.onEnd = onEnd
    this.reader = new EventReader(budget.sizes.responseBytes, (event) => this.turns.take(event))
    this.lease = budget.lease('lines', {
      isRefusable: false,
      granted: () => this.goOn(),
      ended: () => this.cut(NO_MEMORY),
    })
    this.turns = new EventTurns(this.lease, { event: onEvent, idle: () => this.handedOut() })
    response.on('data', (chunk: Buffer) => this.read(chunk))
    response.on('error', () => undefined)
    response.on('close', () => {
      this.isOver = true
      if (!this.turns.isBusy) this.handedOut()
    })
  }

  get lastId(): string | undefined {
    return this.reader.lastId
  }

  get retryMs(): number | undefined {
    return this.reader.retryMs
  }

  pause(): void {
    this.isPaused = true
    this.response.pause()
  }

  resume(): void {
    this.isPaused = false
    this.goOn()
  }

  close(): void {
    this.response.destroy()
  }

  /** Leaves it to the server to end it, for a moment. */
  closeSoon(): void {
    if (!this.isLeft) closeSoon(this.response)
    this.isLeft = true
  }

  private goOn(): void {
    if (!this.isPaused && !this.turns.isBusy && !this.lease.isWaiting) this.response.resume()
  }

  private handedOut(): void {
    if (this.isOver || this.reader.length === 0) this.lease.release()
    if (this.isOver) this.onEnd(this.why)
    else this.goOn()
  }

  private read(chunk: Buffer): void {
    this.turns.begin()
    if (!this.reader.push(chunk)) this.cut(tooLong(this.sizes))
    else if (this.turns.isBusy) this.response.pause()
    else if (this.reader.length === 0) this.lease.release()
    else if (!this.lease.reads(this.reader.length, this.sizes.responseBytes)) this.response.pause()
  }

  private cut(why: string): void {
    this.why ??= why
    this.close()
  }
}
