// Bytes that were read and cannot be written yet: each connection holds few, all of them together must have a bound as well.

export interface Holding {
  /** It holds others' memory without getting on: it ends. */
  endForMemory(): void
}

export class Held {
  private readonly most: number
  /** Who has got on last stands last. */
  private readonly byHolder = new Map<Holding, number>()
  private sum = 0

  constructor(most: number) {
    this.most = most
  }

  get bytes(): number {
    return this.sum
  }

  /** A holder has so many altogether. */
  set(holder: Holding, bytes: number): void {
    const before = this.byHolder.get(holder) ?? 0
    if (bytes === before) return
    // Who holds more than before has not got on, and keeps its place.
    if (bytes < before) this.byHolder.delete(holder)
    if (bytes > 0) this.byHolder.set(holder, bytes)
    this.sum += bytes - before
    while (this.sum > this.most) {
      const [longest] = this.byHolder.keys()
      if (!longest) return
      this.sum -= this.byHolder.get(longest) ?? 0
      this.byHolder.delete(longest)
      longest.endForMemory()
    }
  }
}
