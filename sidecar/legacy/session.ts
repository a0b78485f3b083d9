// One legacy session: who owns it, its calls in flight, the server's requests it has been asked. It routes
// the server's messages to its streams; which process serves it is the backend's business.

import type { Principal } from '../access/principal.ts'
import type { Rights } from '../access/rights.ts'
import type { Idle } from '../access/room.ts'
import type { Call } from '../conversation/call.ts'
import { sessionName } from '../http/exchange.ts'
import type { Reply } from '../http/reply.ts'
import { InFlight } from '../conversation/in-flight.ts'
import { fault, noRoom, type Fault } from '../mcp/faults.ts'
import type { Response } from '../mcp/message.ts'
import { idKey } from '../mcp/own-id.ts'
import { revisionOf, type Revision } from '../mcp/revision.ts'
import type { Logs } from './event-log.ts'
import { Questions, type QuestionEnd } from './questions.ts'
import { SessionCall, type Asking, type CallOwner } from './session-call.ts'
import type { Stream } from './stream.ts'
import { Streams } from './streams.ts'
import { MAX_WAITING, Turns } from './turns.ts'

/** What became of a request of the server's: put to the client, in the place of one that nobody has heard; or not. */
export interface Put {
  readonly isPut: boolean
  readonly forgotten?: string
}

export interface SessionOptions {
  readonly id: string
  readonly caller: Principal
  readonly revision: Revision
  readonly now: () => number
  /** Shared with the other sessions. */
  readonly logs: Logs
  /** Its calls that the server works on at once; the others wait their turn. */
  readonly maxConcurrentCalls: number
  /** How long the server waits for an answer of the client's. */
  readonly clientTimeoutMs: number
  /** Its caller's, where a tool policy holds. */
  readonly rights?: Rights | undefined
}

/** What a session that ends leaves with its server: calls in flight, and exact ids of the server's own requests. */
export interface LeftBehind {
  readonly calls: readonly Call[]
  readonly asked: readonly string[]
}

export class Session implements CallOwner {
  readonly id: string
  /** What people read of it. */
  readonly name: string
  /** Its key is `principal`. */
  readonly caller: Principal
  readonly principal: string
  /** Those of the caller as its last request has shown it: another token may say less. */
  rights: Rights | undefined
  /** Of what was negotiated; until the server has answered, of what the client asked for. */
  revision: Revision
  /** What its server said in so many words, be it a revision that we know or not. */
  version = ''
  lastUsedMs: number
  /** Holds the server (true) while this client reads too slowly; absent where others need it. */
  onSlow: ((isSlow: boolean) => void) | undefined
  private readonly options: SessionOptions
  private readonly streams: Streams
  private readonly calls = new InFlight<SessionCall>()
  private readonly turns: Turns
  private readonly questions: Questions
  /** Its server has not answered yet. */
  private isOpening = true
  /** When a client that listened went away. */
  private leftMs = -Infinity

  constructor(options: SessionOptions) {
    this.options = options
    this.streams = new Streams({
      logs: options.logs,
      now: options.now,
      hasPriming: () => this.revision.hasPriming,
      onSlow: (isSlow) => this.hold(isSlow),
    })
    this.questions = new Questions(options.clientTimeoutMs, options.now)
    this.turns = new Turns(options.maxConcurrentCalls, options.logs.budget)
    this.id = options.id
    this.name = sessionName(options.id)
    this.caller = options.caller
    this.principal = options.caller.key
    this.rights = options.rights
    this.revision = options.revision
    this.lastUsedMs = options.now()
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
    return {
      sinceMs: Math.max(this.lastUsedMs, this.leftMs),
      isListening: this.streams.isListenedTo,
    }
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
    return this.streams.open(reply, requests)
  }

  /** Sends a call once it is its turn, and puts its answer on the stream; a fault at once where too many wait. */
  begin(stream: Stream, asking: Asking): void {
    const call = new SessionCall(this, stream, asking, this.options.now())
    this.calls.add(call)
    if (this.turns.take(call)) return
    this.calls.delete(call)
    asking.ticket?.end('too-many-requests')
    stream.fault(
      fault(
        'too-many-requests',
        `${this.maxConcurrentCalls} calls of this session are with the server (outrigger.dev/max-concurrent-calls), and too many wait: at most ${MAX_WAITING}, and those of all sessions in an eighth of the memory budget of ${this.options.logs.budget.bytes} bytes`,
        { headers: { 'retry-after': '1' } },
      ),
      asking.idText,
    )
  }

  done(call: SessionCall): void {
    // Whoever ends a session takes its calls first.
    if (!this.calls.delete(call)) return
    this.turns.done(call)
    this.streams.answered(call.stream)
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
    const closed = (): void => {
      this.leftMs = this.options.now()
    }
    reply.watch({ faulted: () => undefined, closed })
    return this.streams.listen(reply, lastEventId)
  }

  /** A message that belongs to what the client does now: the newest call's stream, else the listening one. */
  tell(text: string, preferred?: SessionCall): void {
    this.streamFor(preferred).event(text)
  }

  /** A message about the server as a whole: the listening stream, or a call's where nobody listens. */
  announce(text: string): void {
    const { listening } = this.streams
    if (listening.isOpen) listening.event(text)
    else this.tell(text)
  }

  /**
   * Puts a request of the server's to the client; not where too many wait that it has heard, and where the client's calls
   * take no events and it does not listen: nobody would hear it. Where the client `mayTakeTime`, the calls that may wait
   * for it have it.
   */
  ask(idText: string, text: string, preferred?: SessionCall, mayTakeTime = true): Put {
    const stream = this.streamFor(preferred)
    const isDeaf = stream === this.streams.listening && !stream.isOpen && this.hasDeafCall()
    if (isDeaf || this.questions.isFull) return { isPut: false }
    const isHeard = stream.event(text)
    const calls = isHeard && mayTakeTime ? this.sent(preferred) : []
    const forgotten = this.questions.add({ idText, isHeard, calls })
    return forgotten === undefined ? { isPut: true } : { isPut: true, forgotten }
  }

  /** A request of the server's that has been put ends this way when it is answered, or will not be. */
  watched(idText: string, watch: QuestionEnd): void {
    this.questions.watched(idText, watch)
  }

  /** The exact id of the server's request that the client answers, with an error where there is one; undefined where it was not asked. */
  answered(idText: string, errorType?: string, response?: Response): string | undefined {
    return this.questions.take(idText, errorType, response)
  }

  /** The server takes a request of its own back; false where this client was not asked. */
  takenBack(idText: string): boolean {
    return this.questions.take(idText, 'cancelled') !== undefined
  }

  /** What the client has not answered in its time: the exact ids. From then on it is too late. */
  unanswered(nowMs: number): readonly string[] {
    if (!this.streams.isListenedTo) this.questions.clientLeft()
    return this.questions.late(nowMs)
  }

  /** The call that is with the server, where it is the only one. */
  get onlyCall(): Call | undefined {
    const [one, other] = this.sent(undefined)
    return other ? undefined : one
  }

  /** The session's own record of a call; undefined where the call is another's. */
  callOf(call: Call | undefined): SessionCall | undefined {
    return call && this.calls.find((candidate) => candidate.call === call)
  }

  sweep(nowMs: number, keepAliveMs: number): void {
    this.turns.sweep(nowMs)
    this.streams.sweep(nowMs, keepAliveMs)
  }

  /** Ends every connection; a call still waiting gets the fault first. What the server must be told stays behind. */
  end(fault: Fault): LeftBehind {
    this.turns.close()
    const calls = [...this.calls].flatMap(({ call }) => call ?? [])
    for (const call of this.calls.take()) call.fault(fault)
    this.streams.end()
    return { calls, asked: this.questions.takeAll() }
  }

  /** The call that is named, else all that are with the server. */
  private sent(preferred: SessionCall | undefined): readonly Call[] {
    return (preferred ? [preferred] : [...this.calls]).flatMap(({ call }) => call ?? [])
  }

  private streamFor(preferred: SessionCall | undefined): Stream {
    if (preferred?.stream.takesEvents) return preferred.stream
    const newest = this.calls.findLast(({ stream }) => stream.isOpen && stream.takesEvents)
    return newest?.stream ?? this.streams.listening
  }

  private hasDeafCall(): boolean {
    return this.calls.find(({ stream }) => !stream.takesEvents) !== undefined
  }

  /** Whether the server is held while the client reads too slowly. */
  private hold(isSlow: boolean): boolean {
    this.onSlow?.(isSlow)
    return this.onSlow !== undefined
  }
}
