// The member names of all objects that are open in a scan, each object's behind those of the one around it: a list of its
// own for each would be a sixteenth of what a small call takes in memory.

/** Up to here names are compared one by one; above, through a set. */
const FEW_NAMES = 12

export class Names {
  private readonly names: string[] = []
  private count = 0
  /** Of objects with many names, by the place of their first. */
  private many: Map<number, Set<string>> | undefined

  /** An object begins; it gives the place of its first name. */
  begin(): number {
    return this.count
  }

  /** False where the object whose first name stands there has the name already. */
  add(name: string, first: number): boolean {
    if (this.count - first >= FEW_NAMES) return this.addToMany(name, first)
    for (let place = first; place < this.count; place++) {
      if (this.names[place] === name) return false
    }
    this.names[this.count++] = name
    return true
  }

  /** The object ends; those within it have ended. */
  end(first: number): void {
    this.count = first
    this.many?.delete(first)
  }

  private addToMany(name: string, first: number): boolean {
    this.many ??= new Map()
    const known = this.many.get(first) ?? new Set(this.names.slice(first, this.count))
    this.many.set(first, known)
    const before = known.size
    return known.add(name).size !== before
  }
}
