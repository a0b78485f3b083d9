// What verification finds, and how it is told from what it is not. Pure.

import type { Link, Linked } from './chain.ts'

export interface Place {
  readonly file: string
  readonly line: number
}

/** What was done to the record (or the records, from it on) at a place. */
export interface Finding {
  readonly what: 'edited' | 'removed' | 'inserted' | 'cut'
  readonly instance: string
  readonly seq: number
  /** Where it stands, or would. */
  readonly place: Place
  readonly why: string
}

export interface Known {
  readonly record: Linked & { readonly time: string }
  readonly place: Place
}

/** Whether both follow the same record. */
export const isRivalOf = (one: Linked, other: Linked): boolean =>
  one.seq === other.seq && one.prev === other.prev && one.hash !== other.hash

/** Whether a text is how the next record would begin. */
export const isBeginning = (text: string, { instance, seq, hash }: Link): boolean => {
  const start = `{"v":1,"instance":${JSON.stringify(instance)},"seq":${seq + 1},"prev":"${hash}",`
  return text.length < start.length ? start.startsWith(text) : text.startsWith(start)
}

export const positionOf = ({ instance, seq }: Link) => ({ instance, seq })

/** What stands among the records of a file that was edited, and in any container's log. */
export const STRANGE_LINE = 'a line that is no record stands before it'

/** Where no record is missing. */
export const strangeLine = (next: Link) => ({
  what: 'inserted' as const,
  ...positionOf(next),
  why: STRANGE_LINE,
})

export const edited = ({ record, place }: Known, why: string): Finding => ({
  what: 'edited',
  ...positionOf(record),
  place,
  why,
})

export const inserted = (
  { record, place }: Known,
  why = 'it does not follow the record before it, and the next one does',
): Finding => ({ what: 'inserted', ...positionOf(record), place, why })
