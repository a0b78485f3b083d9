// What links to a loopback server have in common, by whichever of the two transports: what waits for the server and what is
// read of its answers is bounded and counted, held while a client reads too slowly, and gone with the link.

import type { IncomingMessage } from 'node:http'
import type { Budget, Lease } from '../bytes/budget.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { noMemory, type Fault } from '../mcp/faults.ts'
import type { ServerLine } from '../mcp/server-line.ts'
import { Events, lineIn, noAnswer, readWhole, type NoAnswer } from './http-answer.ts'
import type { ServerEvent } from './event-reader.ts'
import {
  notReading,
  type Envelope,
  type Link,
  type LinkEnd,
  type LinkOwner,
  type Refusal,
} from './link.ts'
import { isNobody, type Loopback } from './loopback.ts'

/** Messages on their way to the server. */
const MAX_OPEN = 256
/** What each of them takes beside its text. */
const MESSAGE_BYTES = 256

export interface LinkTarget {
  readonly loopback: Loopback
  readonly path: string
  /** Headers of its caller's own go on: what the server says of them is for the caller. */
  readonly forwards: boolean
  /** For what the server has not read and what we have read of an answer. */
  readonly budget: Budget
  /** How long the server may take over a notification, or a response. */
  readonly acceptTimeoutMs: number
  readonly onClose: () => void
}

export abstract class LoopbackLink<Target extends LinkTarget> implements Link {
  owner: LinkOwner | undefined
  protected readonly target: Target
  private readonly streams = new Set<Events>()
  private isPaused = false
  private end: LinkEnd | undefined

  constructor(target: Target) {
    this.target = target
  }

  get port(): number {
    return this.target.loopback.port
  }

  abstract send(text: string, envelope: Envelope): Fault | undefined
  abstract abandon(id: number): void
  abstract close(): void
  /** Gives up whatever is under way. */
  protected abstract stop(): void

  pause(): void {
    this.isPaused = true
    for (const stream of this.streams) stream.pause()
  }

  resume(): void {
    this.isPaused = false
    for (const stream of this.streams) stream.resume()
  }

  look(): void {
    // Whatever ends here ends with an event.
  }

  protected get isEnded(): boolean {
    return this.end !== undefined
  }

  /** Room for a message beside so many others that are on their way. */
  protected unread(text: string, others: number): Result<Lease, Fault> {
    if (others >= MAX_OPEN) return fail(notReading(`${MAX_OPEN} messages`))
    const { budget } = this.target
    const lease = budget.lease('inputs')
    return lease.keep(text.length + MESSAGE_BYTES)
      ? ok(lease)
      : fail(noMemory('what the server does not read', budget.bytes))
  }

  /** Reads an event stream, which goes with the link at the latest. */
  protected events(
    response: IncomingMessage,
    onEvent: (event: ServerEvent) => void,
    onEnd: (events: Events, why: string | undefined) => void,
  ): Events {
    const events = new Events(response, {
      budget: this.target.budget,
      // Of what has come in one piece the rest is behind the end.
      onEvent: (event) => {
        if (!this.isEnded) onEvent(event)
      },
      onEnd: (why) => {
        this.streams.delete(events)
        onEnd(events, why)
      },
    })
    this.streams.add(events)
    if (this.isPaused) events.pause()
    return events
  }

  /** Reads a whole answer: what it says, and why that is none to the request. */
  protected whole(
    response: IncomingMessage,
    onEnd: (line: ServerLine, none: NoAnswer) => void,
  ): void {
    const { budget, forwards } = this.target
    readWhole(response, budget, (bytes, cut) => {
      const line = lineIn(bytes)
      const { why, refusal } = noAnswer(response, line, forwards)
      onEnd(line, { why: cut ?? why, refusal })
    })
  }

  protected hear(line: ServerLine, relatedTo: number | undefined): void {
    if (this.isEnded) return
    if (line.kind === 'odd') this.owner?.odd(line, relatedTo)
    else this.owner?.message(line, relatedTo)
  }

  /** A request that will get no answer: its caller hears why. */
  protected failed(id: number | undefined, why: string, refusal?: Refusal): void {
    if (id !== undefined && !this.isEnded) this.owner?.failed(id, why, refusal)
  }

  /** Where nobody listens the server is gone, and with it whatever it knew of this session. */
  protected broken(id: number | undefined, error: Error): void {
    const why = this.target.loopback.sentence(error)
    if (isNobody(error)) this.gone(why)
    else this.failed(id, why)
  }

  /** The end that the server has brought about. */
  protected abstract gone(message: string): void

  protected finish(end: LinkEnd): void {
    if (this.isEnded) return
    this.end = end
    this.stop()
    for (const stream of this.streams) stream.close()
    this.target.onClose()
    this.owner?.ended(end)
  }
}
