// One legacy session: who owns it, its streams, its calls in flight, the server's requests it has
// been asked. It routes the server's messages to its streams; which process serves it is the backend's business.

import type { Idle } from '../access/room.ts'
import type { Call, Caller } from '../conversation/call.ts'
import type { Reply } from '../http/reply.ts'
import { InFlight } from '../conversation/in-flight.ts'
import { fault, noRoom, type Fault } from '../mcp/faults.ts'
import type { Response } from '../mcp/message.ts'
import { idKey } from '../mcp/own-id.ts'
import { revisionOf, type Revision } from '../mcp/revision.ts'
import { EventLog, type Logs } from './event-log.ts'
import { Questions } from './questions.ts'
import { Stream } from './stream.ts'
import { MAX_WAITING, Turns, type Turn } from './turns.ts'

/** Streams that can still be resumed. */
const MAX_STREAMS = 64
/** The stream that a client opens by GET. */
const LISTENING = 0

/** What became of a request of the server's: put to the client, in the place of one that nobody has heard; or not. */
export interface Put {
  readonly isPut: boolean
  readonly forgotten?: string
}

export interface SessionOptions {
  readonly id: string
  readonly principal: string
  readonly revision: Revision
  readonly now: () => number
  /** Shared with the other sessions. */
  readonly logs: Logs
  /** Its calls that the server works on at once; the others wait their turn. */
  readonly maxConcurrentCalls: number
  /** How long the server waits for an answer of the client's. */
  readonly clientTimeoutMs: number
}

/** What a session that ends leaves with its server: calls in flight, and exact ids of the server's own requests. */
export interface LeftBehind {
  readonly calls: readonly Call[]
  readonly asked: readonly string[]
}

/** A client's request until it is answered. */
export interface SessionCall {
  readonly stream: Stream
  readonly idText: string
  /** As the server has it; undefined while it waits for its turn. */
  call: Call | undefined
  /** Answers it with a fault. */
  fault(fault: Fault): void
}

/** What a call is, once it is its turn. */
export interface Asking {
  readonly idText: string
  /** What it takes while it waits, in bytes. */
  readonly cost: () => number
  /** Longest wait, be it for the turn or for the answer. */
  readonly timeoutMs: number
  readonly send: (caller: Caller) => Call | undefined
}

/** So much of an id tells it from others, and is too little to take the session over. */
const NAME_LENGTH = 8

export class Session {
  readonly id: string
  /** What people read of it. */
  readonly name: string
  readonly principal: string
  /** Of what was negotiated; until the server has answered, of what the client asked for. */
  revision: Revision
  /** What its server said in so many words, be it a revision that we know or not. */
  version = ''
  lastUsedMs: number
  /** Holds the server (true) while this client reads too slowly; absent where others need it. */
  onSlow: ((isSlow: boolean) => void) | undefined
  private readonly options: SessionOptions
  private readonly log: EventLog
  private readonly hasPriming = (): boolean => this.revision.hasPriming
  private readonly hold = (isSlow: boolean): boolean => {
    this.onSlow?.(isSlow)
    return this.onSlow !== undefined
  }
  /** What a client opens by GET. */
  private readonly listening: Stream
  /** Those of POSTs, while they can still be answered or resumed. */
  private readonly streams = new InFlight<Stream>()
  private readonly calls = new InFlight<SessionCaller>()
  private readonly turns: Turns
  private readonly questions: Questions
  private nextStream = LISTENING + 1
  /** Its server has not answered yet. */
  private isOpening = true
  /** When a client that listened went away. */
  private leftMs = -Infinity

  constructor(options: SessionOptions) {
    this.options = options
    this.log = new EventLog(options.logs)
    this.questions = new Questions(options.clientTimeoutMs, options.now)
    this.turns = new Turns(options.maxConcurrentCalls, options.logs.budget)
    this.id = options.id
    this.name = options.id.slice(0, NAME_LENGTH)
    this.principal = options.principal
    this.revision = options.revision
    this.lastUsedMs = options.now()
    this.listening = this.stream(LISTENING, undefined)
  }

  get inFlight(): number {
    return this.calls.size
  }

  get maxConcurrentCalls(): number {
    return this.options.maxConcurrentCalls
  }

  /** How long the server waits for its client, milliseconds. */
  get clientTimeoutMs(): number {
    return this.options.clientTimeoutMs
  }

  /** Since when nothing has been in flight and nobody has come or gone; undefined while something is. */
  get idle(): Idle | undefined {
    if (this.isOpening || this.calls.size > 0) return undefined
    return { sinceMs: Math.max(this.lastUsedMs, this.leftMs), isListening: this.isListenedTo }
  }

  /** Whether somebody reads one of its streams now. */
  private get isListenedTo(): boolean {
    return this.listening.isOpen || this.streams.find(({ isOpen }) => isOpen) !== undefined
  }

  /** Its server has answered: the session lives. */
  opened(version: string): void {
    this.version = version
    this.revision = revisionOf(version) ?? this.revision
    this.isOpening = false
    this.lastUsedMs = this.options.now()
  }

  /** A stream for the answer to a POST; `requests` for a batch. */
  open(reply: Reply, requests?: number): Stream {
    const stream = this.stream(this.nextStream++, reply, requests)
    this.streams.add(stream)
    if (this.streams.size > MAX_STREAMS) this.forgetCompleted()
    return stream
  }

  /** Sends a call once it is its turn, and puts its answer on the stream; a fault at once where too many wait. */
  begin(stream: Stream, asking: Asking): void {
    const call = new SessionCaller(this, stream, asking, this.options.now())
    this.calls.add(call)
    if (this.turns.take(call)) return
    this.calls.delete(call)
    stream.fault(
      fault(
        'too-many-requests',
        `${this.maxConcurrentCalls} calls of this session are with the server (outrigger.dev/max-concurrent-calls), and too many wait: at most ${MAX_WAITING}, and those of all sessions in an eighth of the memory budget of ${this.options.logs.budget.bytes} bytes`,
        { headers: { 'retry-after': '1' } },
      ),
      asking.idText,
    )
  }

  done(call: SessionCaller): void {
    // Whoever ends a session takes its calls first.
    if (!this.calls.delete(call)) return
    this.turns.done(call)
    if (call.stream.isComplete && !call.stream.isResumable) this.streams.delete(call.stream)
    this.lastUsedMs = this.options.now()
  }

  /** There is no room for an answer of so many bytes. */
  noRoom(bytes: number): Fault {
    return noRoom(bytes, this.options.logs.budget.bytes)
  }

  /** The newest call in flight with this id: what a cancellation can mean. */
  find(idText: string): SessionCall | undefined {
    const key = idKey(idText)
    return this.calls.findLast((call) => call.key === key)
  }

  /** Opens the listening stream, or resumes the stream of an event. False where that id is not ours. */
  listen(reply: Reply, lastEventId: string | undefined): boolean {
    reply.onGone(() => {
      this.leftMs = this.options.now()
    })
    if (lastEventId === undefined) {
      this.listening.attach(reply)
      return true
    }
    const seen = this.log.after(lastEventId)
    if (seen === undefined || seen.stream >= this.nextStream) return false
    const stream =
      seen.stream === LISTENING
        ? this.listening
        : this.streams.find(({ number }) => number === seen.stream)
    if (stream) stream.attach(reply, seen.sequence)
    else this.replay(reply, seen)
    return true
  }

  /** A stream that was complete and forgotten: what is left of it is all there is. */
  private replay(reply: Reply, seen: { readonly stream: number; readonly sequence: number }): void {
    reply.stream()
    for (const event of this.log.since(seen.stream, seen.sequence)) {
      reply.event(event.text, this.options.now(), event.id)
    }
    reply.end()
  }

  /** A message that belongs to what the client does now: the newest call's stream, else the listening one. */
  tell(text: string, preferred?: SessionCall): void {
    this.streamFor(preferred).event(text)
  }

  /** A message about the server as a whole: the listening stream, or a call's where nobody listens. */
  announce(text: string): void {
    if (this.listening.isOpen) this.listening.event(text)
    else this.tell(text)
  }

  /**
   * Puts a request of the server's to the client; not where too many wait that it has heard, and where the client's calls
   * take no events and it does not listen: nobody would hear it. Where the client `mayTakeTime`, the calls that may wait
   * for it have it.
   */
  ask(idText: string, text: string, preferred?: SessionCall, mayTakeTime = true): Put {
    const stream = this.streamFor(preferred)
    const isDeaf = stream === this.listening && !stream.isOpen && this.hasDeafCall()
    if (isDeaf || this.questions.isFull) return { isPut: false }
    const isHeard = stream.event(text)
    const calls = isHeard && mayTakeTime ? this.sent(preferred) : []
    const forgotten = this.questions.add({ idText, isHeard, calls })
    return forgotten === undefined ? { isPut: true } : { isPut: true, forgotten }
  }

  /** The exact id of the server's request that the client answers; undefined where it was not asked. */
  answered(idText: string): string | undefined {
    return this.questions.take(idText)
  }

  /** The server takes a request of its own back; false where this client was not asked. */
  takenBack(idText: string): boolean {
    return this.questions.take(idText) !== undefined
  }

  /** What the client has not answered in its time: the exact ids. From then on it is too late. */
  unanswered(nowMs: number): readonly string[] {
    if (!this.isListenedTo) this.questions.clientLeft()
    return this.questions.late(nowMs)
  }

  /** The session's own record of a call; undefined where the call is another's. */
  callOf(call: Call | undefined): SessionCall | undefined {
    return call && this.calls.find((candidate) => candidate.call === call)
  }

  sweep(nowMs: number, keepAliveMs: number): void {
    this.turns.sweep(nowMs)
    this.listening.sweep(nowMs, keepAliveMs)
    for (const stream of this.streams) stream.sweep(nowMs, keepAliveMs)
  }

  /** Ends every connection; a call still waiting gets the fault first. What the server must be told stays behind. */
  end(fault: Fault): LeftBehind {
    this.turns.close()
    const calls = [...this.calls].flatMap(({ call }) => call ?? [])
    for (const call of this.calls.take()) call.fault(fault)
    this.listening.end()
    for (const stream of this.streams.take()) stream.end()
    this.log.close()
    return { calls, asked: this.questions.takeAll() }
  }

  /** The call that is named, else all that are with the server. */
  private sent(preferred: SessionCall | undefined): readonly Call[] {
    return (preferred ? [preferred] : [...this.calls]).flatMap(({ call }) => call ?? [])
  }

  private streamFor(preferred: SessionCall | undefined): Stream {
    if (preferred?.stream.takesEvents) return preferred.stream
    const newest = this.calls.findLast(({ stream }) => stream.isOpen && stream.takesEvents)
    return newest?.stream ?? this.listening
  }

  private hasDeafCall(): boolean {
    return this.calls.find(({ stream }) => !stream.takesEvents) !== undefined
  }

  private stream(number: number, reply: Reply | undefined, requests?: number): Stream {
    const { log, hold, hasPriming } = this
    return new Stream(
      {
        number,
        log,
        hasPriming,
        now: this.options.now,
        onSlow: hold,
        budget: this.options.logs.budget,
      },
      reply,
      requests,
    )
  }

  private forgetCompleted(): void {
    for (const stream of this.streams) {
      if (this.streams.size <= MAX_STREAMS) return
      if (stream.isComplete) this.streams.delete(stream)
    }
  }
}

/** A client's request as the channel's caller: what comes back goes to its stream. */
class SessionCaller implements SessionCall, Caller, Turn {
  readonly stream: Stream
  readonly idText: string
  readonly deadlineMs: number
  call: Call | undefined
  private readonly session: Session
  private readonly timeoutMs: number
  /** Holds the request's text: gone once that is with the server. */
  private asking: Asking | undefined
  private knownKey: string | undefined
  private isAnswered = false

  constructor(session: Session, stream: Stream, asking: Asking, nowMs: number) {
    this.session = session
    this.stream = stream
    this.timeoutMs = asking.timeoutMs
    this.asking = asking
    this.idText = asking.idText
    this.deadlineMs = nowMs + asking.timeoutMs
  }

  begin(): void {
    const { asking } = this
    this.asking = undefined
    this.call = asking?.send(this)
  }

  /** Equal for every spelling of the same id; worked out only where a client cancels. */
  get key(): string {
    this.knownKey ??= idKey(this.idText)
    return this.knownKey
  }

  cost(): number {
    return this.asking?.cost() ?? 0
  }

  expire(): void {
    this.fault(
      fault(
        'request-timeout',
        `it was not its turn within ${this.timeoutMs} ms (outrigger.dev/request-timeout): ${this.session.maxConcurrentCalls} calls (outrigger.dev/max-concurrent-calls) are with the server`,
      ),
    )
  }

  answer(text: string, _response: Response): void {
    if (this.isOver()) return
    if (this.stream.hasRoomFor(text.length)) this.stream.result(text, this.idText)
    else this.stream.fault(this.session.noRoom(text.length), this.idText)
    this.session.done(this)
  }

  notice(text: string): boolean {
    return this.stream.event(text)
  }

  fault(fault: Fault): void {
    if (this.isOver()) return
    this.stream.fault(fault, this.idText)
    this.session.done(this)
  }

  /** Whether it was answered before: a session that ends answers for a server that may still do so. */
  private isOver(): boolean {
    const wasAnswered = this.isAnswered
    this.isAnswered = true
    return wasAnswered
  }
}
