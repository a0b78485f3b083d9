// The order in which the files of one folder were written, told by what stands in them: names and times can be changed.
// Where a file's end and another's beginning do not fit, by their numbers, then by their times. Pure.

import type { ReadRecord } from './read-linked.ts'

/** A file, and its first and last line that is a record. */
export interface FileEnds {
  readonly file: string
  readonly first: ReadRecord | undefined
  readonly last: ReadRecord | undefined
}

const compare = (one: FileEnds, other: FileEnds): number => {
  const [a, b] = [one.first, other.first]
  if (!a || !b) return Number(!a) - Number(!b)
  if (a.instance === b.instance) return a.seq - b.seq
  return a.time === b.time ? 0 : a.time < b.time ? -1 : 1
}

export const inOrder = (files: readonly FileEnds[]): readonly string[] => {
  const byLast = new Map(files.flatMap((one) => (one.last ? [[one.last.hash, one]] : [])))
  const placed = new Set<FileEnds>()
  for (const start of files.toSorted(compare)) {
    const way: FileEnds[] = []
    let next: FileEnds | undefined = start
    while (next && !placed.has(next) && !way.includes(next)) {
      way.push(next)
      next = next.first && byLast.get(next.first.prev)
    }
    for (const one of way.toReversed()) placed.add(one)
  }
  return [...placed].map(({ file }) => file)
}
