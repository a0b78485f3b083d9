// The streams of one session: the one that its client opens by GET, and those of its POSTs while they can still be
// answered or resumed. What of them is kept stands in the session's log.

import type { Reply } from '../http/reply.ts'
import { InFlight } from '../conversation/in-flight.ts'
import { EventLog, type Logs } from './event-log.ts'
import { Stream, type StreamOptions } from './stream.ts'

/** Streams that can still be resumed. */
const MAX_STREAMS = 64
/** The stream that a client opens by GET. */
const LISTENING = 0

export interface StreamsOptions extends Pick<StreamOptions, 'hasPriming' | 'now' | 'onSlow'> {
  /** Shared with the other sessions. */
  readonly logs: Logs
}

export class Streams {
  /** What a client opens by GET. */
  readonly listening: Stream
  private readonly options: StreamsOptions
  private readonly log: EventLog
  private readonly posted = new InFlight<Stream>()
  private next = LISTENING

  constructor(options: StreamsOptions) {
    this.options = options
    this.log = new EventLog(options.logs)
    this.listening = this.stream(undefined)
  }

  /** Whether somebody reads one of them now. */
  get isListenedTo(): boolean {
    return this.listening.isOpen || this.posted.find(({ isOpen }) => isOpen) !== undefined
  }

  /** A stream for the answer to a POST; `requests` for a batch. */
  open(reply: Reply, requests?: number): Stream {
    const stream = this.stream(reply, requests)
    this.posted.add(stream)
    if (this.posted.size > MAX_STREAMS) this.forgetCompleted()
    return stream
  }

  /** An answer has gone out on it: it is of no use any more, unless it can be resumed. */
  answered(stream: Stream): void {
    if (stream.isComplete && !stream.isResumable) this.posted.delete(stream)
  }

  /** Opens the listening stream, or resumes the stream of an event. False where that id is not ours. */
  listen(reply: Reply, lastEventId: string | undefined): boolean {
    if (lastEventId === undefined) {
      this.listening.attach(reply)
      return true
    }
    const seen = this.log.after(lastEventId)
    if (seen === undefined || seen.stream >= this.next) return false
    const stream =
      seen.stream === LISTENING
        ? this.listening
        : this.posted.find(({ number }) => number === seen.stream)
    if (stream) stream.attach(reply, seen.sequence)
    else this.replay(reply, seen)
    return true
  }

  sweep(nowMs: number, keepAliveMs: number): void {
    this.listening.sweep(nowMs, keepAliveMs)
    for (const stream of this.posted) stream.sweep(nowMs, keepAliveMs)
  }

  /** Ends every connection; nothing is kept. */
  end(): void {
    this.listening.end()
    for (const stream of this.posted.take()) stream.end()
    this.log.close()
  }

  /** A stream that was complete and forgotten: what is left of it is all there is. */
  private replay(reply: Reply, seen: { readonly stream: number; readonly sequence: number }): void {
    reply.stream()
    for (const event of this.log.since(seen.stream, seen.sequence)) {
      reply.event(event.text, this.options.now(), event.id)
    }
    reply.end()
  }

  private stream(reply: Reply | undefined, requests?: number): Stream {
    const { hasPriming, now, onSlow, logs } = this.options
    const number = this.next++
    const options = { number, log: this.log, hasPriming, now, onSlow, budget: logs.budget }
    return new Stream(options, reply, requests)
  }

  private forgetCompleted(): void {
    for (const stream of this.posted) {
      if (this.posted.size <= MAX_STREAMS) return
      if (stream.isComplete) this.posted.delete(stream)
    }
  }
}
