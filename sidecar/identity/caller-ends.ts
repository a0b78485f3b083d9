// Until when callers have shown that they may call, where their processes have something of them: such a process ends when the
// last token of its caller that came has expired, once nothing is in flight with it. Bounded: of more callers the one that
// came first is taken for gone.

import type { Principal } from '../access/principal.ts'
import type { Holder } from '../access/room.ts'

const MAX_CALLERS = 8192

/** A process, and whose it is. */
export interface Owned extends Pick<Holder, 'idle'> {
  readonly caller?: Principal | undefined
  readonly giveUp: (why: 'expired') => void
}

export class CallerEnds {
  private readonly untilMs = new Map<string, number>()
  private readonly areAll: boolean

  /** `areAll`: the processes of every caller have something of it; else of those alone whom their environment tells. */
  constructor(areAll = false) {
    this.areAll = areAll
  }

  /** It has shown a token that is good until then (monotonic). */
  note({ key }: Principal, untilMs: number): void {
    const before = this.untilMs.get(key) ?? -Infinity
    this.untilMs.delete(key)
    this.untilMs.set(key, Math.max(before, untilMs))
    const [first] = this.untilMs.keys()
    if (first !== undefined && this.untilMs.size > MAX_CALLERS) this.untilMs.delete(first)
  }

  private isTheirs(caller: Principal | undefined): caller is Principal {
    return caller?.environment !== undefined || (this.areAll && caller?.identity !== undefined)
  }

  sweep(nowMs: number, processes: Iterable<Owned>): void {
    for (const { caller, idle, giveUp } of processes) {
      if (!this.isTheirs(caller) || idle === undefined) continue
      if ((this.untilMs.get(caller.key) ?? -Infinity) <= nowMs) giveUp('expired')
    }
    for (const [key, untilMs] of this.untilMs) if (untilMs <= nowMs) this.untilMs.delete(key)
  }
}
