// What is kept of each caller, bounded: where the table is full the longest unused makes room, unless it is in use. Where
// those that are looked at are all in use, newcomers have one entry together.

/** So many of the longest unused are looked at for a newcomer. */
const LOOK = 32
/**
 * What has been put behind all others within so many questions, as a share of the places, stays where it is: moving it each
 * time takes as long as finding it. In a full table the foremost is never one of these, since all others were moved later.
 */
const FRESH = 1 / 8

export interface TableOptions<T> {
  readonly most: number
  readonly create: () => T
  /** Whether it must be kept. */
  readonly isUsed: (entry: T) => boolean
}

interface Kept<T> {
  readonly entry: T
  /** How often somebody had asked when it was last put behind all others. */
  movedAt: number
}

export class Table<T> {
  private readonly options: TableOptions<T>
  /** Longest unused first, but for those that are `FRESH`. */
  private readonly entries = new Map<string, Kept<T>>()
  private readonly rest: T
  private asked = 0

  constructor(options: TableOptions<T>) {
    this.options = options
    this.rest = options.create()
  }

  of(key: string): T {
    this.asked++
    const known = this.entries.get(key)
    if (known === undefined) return this.added(key)
    if (this.asked - known.movedAt > this.options.most * FRESH) {
      known.movedAt = this.asked
      this.entries.delete(key)
      this.entries.set(key, known)
    }
    return known.entry
  }

  *all(): Iterable<T> {
    for (const { entry } of this.entries.values()) yield entry
  }

  private added(key: string): T {
    if (!this.hasRoom()) return this.rest
    const entry = this.options.create()
    this.entries.set(key, { entry, movedAt: this.asked })
    return entry
  }

  private hasRoom(): boolean {
    const { most, isUsed } = this.options
    if (this.entries.size < most) return true
    let looked = 0
    for (const [key, kept] of this.entries) {
      if (looked++ === LOOK) return false
      this.entries.delete(key)
      if (!isUsed(kept.entry)) return true
      // It is looked at again behind the others.
      this.entries.set(key, kept)
    }
    return false
  }
}
