// What is under way now, oldest first: a list that keeps nothing of what has left it. A Map or Set would: a table that
// V8 has outgrown still points to what was in it and to its successor, so that with several calls at a time each minor
// collection copied thousands that had long been answered (one child for 8 callers: 2.5 ms a pause against 0.3;
// `npm run bench -- bridge`). It knows no bound; few are under way at a time.

export class InFlight<T> implements Iterable<T> {
  private items: T[] = []

  get size(): number {
    return this.items.length
  }

  add(item: T): void {
    this.items.push(item)
  }

  /** Takes an item out; false where it is not there (any more). */
  delete(item: T): boolean {
    const { items } = this
    const place = items.indexOf(item)
    if (place === -1) return false
    for (let index = place + 1; index < items.length; index++) {
      const next = items[index]
      if (next !== undefined) items[index - 1] = next
    }
    items.pop()
    return true
  }

  find(isWanted: (item: T) => boolean): T | undefined {
    return this.items.find(isWanted)
  }

  /** The newest that is wanted. */
  findLast(isWanted: (item: T) => boolean): T | undefined {
    return this.items.findLast(isWanted)
  }

  /** Hands out everything and is empty from then on. */
  take(): readonly T[] {
    const { items } = this
    this.items = []
    return items
  }

  /** What is there now, whatever leaves meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    return this.items.slice().values()
  }
}
