// What is kept of each caller, bounded: where the table is full the longest unused makes room, unless it is in use. Where
// those that are looked at are all in use, newcomers have one entry together.

/** So many of the longest unused are looked at for a newcomer. */
const LOOK = 32

export interface TableOptions<T> {
  readonly most: number
  readonly create: () => T
  /** Whether it must be kept. */
  readonly isUsed: (entry: T) => boolean
}

export class Table<T> {
  private readonly options: TableOptions<T>
  /** Longest unused first. */
  private readonly entries = new Map<string, T>()
  private readonly rest: T

  constructor(options: TableOptions<T>) {
    this.options = options
    this.rest = options.create()
  }

  of(key: string): T {
    const known = this.entries.get(key)
    if (known === undefined && !this.hasRoom()) return this.rest
    const entry = known ?? this.options.create()
    if (known !== undefined) this.entries.delete(key)
    this.entries.set(key, entry)
    return entry
  }

  all(): Iterable<T> {
    return this.entries.values()
  }

  private hasRoom(): boolean {
    const { most, isUsed } = this.options
    if (this.entries.size < most) return true
    let looked = 0
    for (const [key, entry] of this.entries) {
      if (looked++ === LOOK) return false
      this.entries.delete(key)
      if (!isUsed(entry)) return true
      // It is looked at again behind the others.
      this.entries.set(key, entry)
    }
    return false
  }
}
