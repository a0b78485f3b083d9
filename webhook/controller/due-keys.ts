// Keys that wait for a time, each for its own: which comes first, and which are due, without a look at all the others. A heap:
// nothing comes before what stands above it. A key that is added again has two places, of which whoever asks knows the right one. Pure.

export interface Due {
  readonly key: string
  readonly untilMs: number
}

export class DueKeys {
  private items: Due[] = []

  get size(): number {
    return this.items.length
  }

  get first(): Due | undefined {
    return this.items[0]
  }

  add(due: Due): void {
    const { items } = this
    let place = items.length
    while (place > 0) {
      const above = (place - 1) >> 1
      const other = items[above]
      if (other === undefined || other.untilMs <= due.untilMs) break
      items[place] = other
      place = above
    }
    items[place] = due
  }

  /** Takes the first out, where it is due. */
  take(nowMs: number): Due | undefined {
    const { first } = this
    if (first === undefined || first.untilMs > nowMs) return undefined
    const last = this.items.pop()
    if (last !== undefined && this.items.length > 0) this.sink(last)
    return first
  }

  /** Keeps no others. */
  keep(isWanted: (due: Due) => boolean): void {
    const kept = this.items.filter(isWanted)
    this.items = []
    for (const due of kept) this.add(due)
  }

  clear(): void {
    this.items = []
  }

  /** Puts one in the first's place, and those that come before it above it. */
  private sink(due: Due): void {
    const { items } = this
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      const [one, other] = [items[left], items[left + 1]]
      const isRight = one !== undefined && other !== undefined && other.untilMs < one.untilMs
      const next = isRight ? other : one
      if (next === undefined || next.untilMs >= due.untilMs) break
      items[place] = next
      place = isRight ? left + 1 : left
    }
    items[place] = due
  }
}
