// What a server has asked one client, until that has answered, the server has taken it back, or it is too late. Meanwhile
// the clocks of the calls that may wait for it stand, as long as the client is there. Bounded: of those that nobody has
// heard the oldest makes room.

import type { Principal } from '../access/principal.ts'
import type { Call } from '../conversation/call.ts'
import type { Request, Response } from '../mcp/message.ts'
import { idKey } from '../mcp/own-id.ts'
import type { TraceContext } from '../telemetry/trace.ts'

/** Requests of the server's that wait for one client. */
const MAX_OPEN = 64

/** Hears how it ended: by an error of this type where there was one (`denied`, `no_client`, `timeout`, `cancelled` without an answer), and the client's answer, where that came. */
export interface QuestionEnd {
  end(errorType: string | undefined, response?: Response): void
}

/** Of whom a server asks something, and in which trace. */
export interface QuestionPlace {
  /** Undefined where it is nobody in particular. */
  readonly caller: Principal | undefined
  readonly session: string | undefined
  readonly process: number | undefined
  readonly context: TraceContext | undefined
}

/** Hears of each request of a server's. */
export interface QuestionWatch {
  /** Undefined where it cannot be put on record: then nobody is asked. */
  asks(message: Request, place: QuestionPlace): QuestionEnd | undefined
}

export interface Question {
  /** The exact text of its id. */
  readonly idText: string
  /** Whether the client was there when it was put. */
  readonly isHeard: boolean
  /** Calls that may wait for the answer. */
  readonly calls: readonly Call[]
}

interface Open extends Question {
  readonly untilMs: number
  areClocksStopped: boolean
  /** Who hears of its end. */
  watch?: QuestionEnd
}

const NONE: readonly string[] = []

export class Questions {
  private readonly timeoutMs: number
  private readonly now: () => number
  /** Oldest first. */
  private readonly open = new Map<string, Open>()

  constructor(timeoutMs: number, now: () => number) {
    this.timeoutMs = timeoutMs
    this.now = now
  }

  /** Whether one more finds no place, also not that of one that nobody has heard. */
  get isFull(): boolean {
    return this.open.size >= MAX_OPEN && this.oldestUnheard() === undefined
  }

  /** Takes one on; the exact id of one that had to make room. */
  add(question: Question): string | undefined {
    this.take(question.idText, 'cancelled')
    const forgotten = this.open.size >= MAX_OPEN ? this.oldestUnheard() : undefined
    if (forgotten !== undefined) this.take(forgotten, 'no_client')
    const nowMs = this.now()
    for (const { clock } of question.calls) clock.stop(nowMs)
    const untilMs = nowMs + this.timeoutMs
    this.open.set(idKey(question.idText), { ...question, untilMs, areClocksStopped: true })
    return forgotten
  }

  /** Somebody hears of its end. */
  watched(idText: string, watch: QuestionEnd): void {
    const found = this.open.get(idKey(idText))
    if (found) found.watch = watch
  }

  /** It waits no more, and how it ended; its exact id, whatever the spelling, undefined where it did not wait. */
  take(idText: string, errorType?: string, response?: Response): string | undefined {
    const key = idKey(idText)
    const found = this.open.get(key)
    if (!found) return undefined
    this.open.delete(key)
    this.startClocks(found)
    found.watch?.end(errorType, response)
    return found.idText
  }

  /** Those whose time is up, by their exact ids; from then on an answer is too late. */
  late(nowMs: number): readonly string[] {
    if (this.open.size === 0) return NONE
    const late = [...this.open.values()].filter(({ untilMs }) => untilMs <= nowMs)
    return late.flatMap(({ idText }) => this.take(idText, 'timeout') ?? [])
  }

  /** Nobody is there who could answer: the calls have what is left of their own time. */
  clientLeft(): void {
    for (const question of this.open.values()) this.startClocks(question)
  }

  /** Hands out the exact ids of all, and is empty from then on. */
  takeAll(): readonly string[] {
    return [...this.open.values()].flatMap(({ idText }) => this.take(idText, 'cancelled') ?? [])
  }

  private oldestUnheard(): string | undefined {
    for (const { idText, isHeard } of this.open.values()) if (!isHeard) return idText
    return undefined
  }

  private startClocks(question: Open): void {
    if (!question.areClocksStopped) return
    question.areClocksStopped = false
    for (const { clock } of question.calls) clock.start(this.now())
  }
}

/** A process shared by principals was promised no client features; a ping is answered for the client. */
export const sharedAnswer = (method: string, idText: string): string =>
  method === 'ping'
    ? `{"jsonrpc":"2.0","id":${idText},"result":{}}`
    : `{"jsonrpc":"2.0","id":${idText},"error":{"code":-32601,"message":"not available: this server process is shared"}}`

export const mayNotAsk = (idText: string): string =>
  `{"jsonrpc":"2.0","id":${idText},"error":{"code":-32601,"message":"denied: the tool policy does not allow the server to ask for this"}}`

export const noRecord = (idText: string): string =>
  `{"jsonrpc":"2.0","id":${idText},"error":{"code":-32000,"message":"nobody is asked what cannot be put on record, and audit records cannot be written now, or this server has asked too much"}}`

export const noClient = (idText: string): string =>
  `{"jsonrpc":"2.0","id":${idText},"error":{"code":-32000,"message":"no client can answer now"}}`
