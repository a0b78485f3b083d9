// How many of a session's calls its server works on at once; the others wait their turn, in the order in which they
// came. Bounded by their number in a session, by their bytes in all sessions together (the budget), and by time.

import type { Budget, Lease } from '../bytes/budget.ts'

/** One call, from its arrival until it has been answered. */
export interface Turn {
  /** What it takes while it waits, in bytes; asked for only where it has to. */
  cost(): number
  /** It waits no longer than this. */
  readonly deadlineMs: number
  /** It is its turn: it goes to the server. */
  begin(): void
  /** It has waited too long. */
  expire(): void
}

export const MAX_WAITING = 1024

interface Waiting {
  readonly turn: Turn
  readonly bytes: number
}

export class Turns {
  private readonly most: number
  private readonly lease: Lease
  private running = 0
  private waiting: readonly Waiting[] = []
  private isBeginning = false

  /** `most`: how many are with the server at once. */
  constructor(most: number, budget: Budget) {
    this.most = most
    this.lease = budget.lease('calls')
  }

  /** Begins it, or lets it wait; false where too many wait already. */
  take(turn: Turn): boolean {
    if (this.running < this.most) {
      this.running++
      turn.begin()
      return true
    }
    const bytes = turn.cost()
    if (this.waiting.length >= MAX_WAITING || !this.hold(bytes)) return false
    this.waiting = [...this.waiting, { turn, bytes }]
    return true
  }

  /** It has been answered, or nobody wants it any more. */
  done(turn: Turn): void {
    if (this.leave(turn)) return
    this.running--
    this.next()
  }

  sweep(nowMs: number): void {
    if (this.waiting.length === 0) return
    for (const { turn } of this.waiting) if (turn.deadlineMs <= nowMs) turn.expire()
  }

  /** Nothing begins any more. */
  close(): void {
    for (const { turn } of this.waiting) this.leave(turn)
  }

  /** One call can end as soon as it begins, as where the server has gone; hence no recursion. */
  private next(): void {
    if (this.isBeginning) return
    this.isBeginning = true
    for (;;) {
      const turn = this.waiting[0]?.turn
      if (turn === undefined || this.running >= this.most) break
      this.leave(turn)
      this.running++
      turn.begin()
    }
    this.isBeginning = false
  }

  private leave(turn: Turn): boolean {
    const found = this.waiting.find((one) => one.turn === turn)
    if (found === undefined) return false
    this.waiting = this.waiting.filter((one) => one !== found)
    this.hold(-found.bytes)
    return true
  }

  private hold(bytes: number): boolean {
    return this.lease.keep(this.lease.bytes + bytes)
  }
}
