// Where instances begin, and how far each has come: whether one has been put in between two others.

import { inserted, type Finding, type Place } from './finding.ts'
import type { ReadRecord } from './read-linked.ts'

interface Beginning {
  readonly record: ReadRecord
  readonly place: Place
  readonly at: number
}

export class Beginnings {
  private readonly begun: Beginning[] = []
  private readonly lastAt = new Map<string, number>()
  private count = 0

  /** A record that has its place in a chain, in the order of the files. */
  saw(record: ReadRecord, place: Place): void {
    const at = ++this.count
    if (!this.lastAt.has(record.instance)) this.begun.push({ record, place, at })
    this.lastAt.set(record.instance, at)
  }

  /**
   * Another instance that begins between the last record of the one before and the next one, which would have named that.
   * One that began earlier may write here: the file was taken over from it, and it goes on. Other replicas' files are no
   * part of this, whatever their times. `places`: of that last record, and of the next one.
   */
  between(instance: string, places: readonly Place[]): Finding | undefined {
    const lastAt = this.lastAt.get(instance) ?? 0
    const files = places.map(({ file }) => file)
    let first: Beginning | undefined
    for (let index = this.begun.length - 1; index >= 0; index--) {
      const one = this.begun[index]
      if (!one || one.at <= lastAt) break
      const isNext = one.record.before?.instance === instance
      if (isNext || files.includes(one.place.file)) first = one
    }
    return first && inserted(first, 'the instance behind it names the one before it')
  }
}
