// What a server has asked one client, until that has answered, the server has taken it back, or it is too late. Meanwhile
// the clocks of the calls that may wait for it stand, as long as the client is there. Bounded: of those that nobody has
// heard the oldest makes room.

import type { Call } from '../conversation/call.ts'
import { idKey } from '../mcp/own-id.ts'
import type { Hop } from '../telemetry/trace.ts'

/** Requests of the server's that wait for one client. */
const MAX_OPEN = 64

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
  /** Its way to the client, where that is traced. */
  hop?: Hop
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

  /** Where its way is traced. */
  traced(idText: string, hop: Hop): void {
    const found = this.open.get(idKey(idText))
    if (found) found.hop = hop
  }

  /** It waits no more, and how it failed; its exact id, whatever the spelling, undefined where it did not wait. */
  take(idText: string, errorType?: string): string | undefined {
    const key = idKey(idText)
    const found = this.open.get(key)
    if (!found) return undefined
    this.open.delete(key)
    this.startClocks(found)
    found.hop?.end(errorType)
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
