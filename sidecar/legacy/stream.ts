// The answer to one legacy POST or GET: JSON where nothing comes before the response, else an event
// stream whose events have ids and outlive the connection. Whoever was cut off resumes by a GET.

import type { Budget, Lease } from '../bytes/budget.ts'
import { faultText, type Fault } from '../mcp/faults.ts'
import type { Reply } from '../http/reply.ts'
import type { EventLog, LoggedEvent } from './event-log.ts'

export interface StreamOptions {
  readonly number: number
  readonly log: EventLog
  readonly hasPriming: () => boolean
  readonly now: () => number
  readonly budget: Budget
  /**
   * Called when the client reads too slowly (true) and when it has caught up (false); answers
   * whether the server is held meanwhile. Where it is not, the stream ends at its bound.
   */
  readonly onSlow: (isSlow: boolean) => boolean
}

/** A response, and the text of its request's id. */
interface Answer {
  readonly text: string
  readonly idText: string
}

export class Stream {
  readonly number: number
  private readonly options: StreamOptions
  private reply: Reply | undefined
  /** Responses still to come; a stream of server messages (GET) never completes by itself. */
  private expected: number
  private readonly isBatch: boolean
  private results: Answer[] = []
  /** For what a batch has been answered so far. */
  private readonly lease: Lease | undefined
  /** The last event that went to a connection; what follows it waits in the log. */
  private sent = 0
  /** The connection that the server waits for. */
  private held: Reply | undefined
  /** An event with an id has gone out: from then on a client can come back for the rest. */
  private hasBegun = false

  /** `requests`: how many requests of a batch are answered here; undefined for a single message. */
  constructor(options: StreamOptions, reply: Reply | undefined, requests?: number) {
    this.options = options
    this.number = options.number
    this.reply = reply
    this.isBatch = requests !== undefined
    this.expected = requests ?? 1
    this.lease = this.isBatch ? options.budget.lease('batches') : undefined
  }

  get isComplete(): boolean {
    return this.expected === 0
  }

  /** Whether events with ids have gone out, so that a client can come back for the rest. */
  get isResumable(): boolean {
    return this.hasBegun
  }

  /** Whether somebody reads it now. */
  get isOpen(): boolean {
    return this.reply !== undefined && this.reply.state !== 'done'
  }

  /** Whether a message may come before the response: not to a client that takes nothing but JSON. */
  get takesEvents(): boolean {
    return this.reply?.form !== 'json'
  }

  /** A message before the response: from here on the answer is an event stream. False where nobody reads it now. */
  event(text: string): boolean {
    if (!this.takesEvents) return false
    this.begin()
    this.write(this.options.log.append(this.number, text))
    return this.isOpen
  }

  /** Makes room for a response; false where its caller should hear that there is none. */
  hasRoomFor(bytes: number): boolean {
    const { reply, lease } = this
    if (reply?.state !== 'waiting') return true
    return lease ? lease.keep(lease.bytes + bytes) : reply.hasRoomFor(bytes)
  }

  /** A response; the last one completes the stream. */
  result(text: string, idText: string): void {
    this.expected--
    if (this.reply?.state === 'waiting') this.plainResult({ text, idText })
    else if (this.hasBegun) {
      this.write(this.options.log.append(this.number, text, idText))
      if (this.expected === 0) this.reply?.end()
    } else this.forget()
  }

  fault(fault: Fault, idText: string): void {
    if (this.reply?.state === 'waiting' && !this.isBatch) {
      this.expected--
      this.reply.fault(fault, idText)
    } else {
      this.reply?.noteFault(fault, idText)
      this.result(faultText(fault, idText), idText)
    }
  }

  /**
   * A new connection takes over, from the event that its client saw last, else from what no connection
   * has had; the old one, if any, is ended (not answered 409), and holds the server no longer: it may well be dead.
   */
  attach(reply: Reply, seen?: number): void {
    this.reply?.replaced()
    if (this.held) this.release(this.held)
    this.reply = reply
    const missed = this.options.log.since(this.number, seen ?? this.sent)
    this.hasBegun = true
    reply.stream()
    // Whoever comes back has an id already; a newer one in front of what was missed would skip that.
    if (seen === undefined && missed.length === 0) this.prime()
    for (const event of missed) this.write(event)
    if (this.isComplete) reply.end()
  }

  /** Starts streaming where a request takes long, or keeps the stream alive. */
  sweep(nowMs: number, keepAliveMs: number): void {
    const { reply } = this
    reply?.recount()
    if (reply && nowMs >= reply.untilMs) reply.outlived()
    if (!reply || reply.state === 'done' || !this.takesEvents) return
    if (nowMs - reply.lastWriteMs < keepAliveMs) return
    this.begin()
    reply.keepAlive(nowMs)
  }

  /** Ends the connection; what is logged stays until the session ends. */
  end(): void {
    this.lease?.release()
    this.reply?.end()
  }

  /** The client has gone before anything was streamed: it cannot come back for what a batch had so far. */
  private forget(): void {
    this.results = []
    this.lease?.release()
  }

  private plainResult(answer: Answer): void {
    this.results.push(answer)
    if (this.expected > 0) return
    this.lease?.release()
    if (this.isBatch) this.reply?.jsonArray(this.results.map(({ text }) => text))
    else this.reply?.json(answer.text)
    this.results = []
  }

  private begin(): void {
    this.hasBegun = true
    if (this.reply?.state !== 'waiting') return
    this.reply.stream()
    this.prime()
    this.lease?.release()
    for (const { text, idText } of this.results) {
      this.write(this.options.log.append(this.number, text, idText))
    }
    this.results = []
  }

  /** Gives the client an id to come back with before anything has happened (SEP-1699). */
  private prime(): void {
    if (this.options.hasPriming()) this.write(this.options.log.append(this.number, ''))
  }

  private write(event: LoggedEvent): void {
    const { reply } = this
    if (reply?.state !== 'streaming') return
    this.sent = event.sequence
    if (!reply.event(event.text, this.options.now(), event.id)) this.hold(reply)
  }

  private hold(reply: Reply): void {
    if (!this.options.onSlow(true)) reply.cut()
    else if (this.held !== reply) {
      this.held = reply
      reply.onDrain(() => this.release(reply))
    }
  }

  private release(reply: Reply): void {
    if (this.held !== reply) return
    this.held = undefined
    this.options.onSlow(false)
  }
}
