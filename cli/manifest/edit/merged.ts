// What merge keys bring to a map, against what is wanted of it. Pure.

import { isSame, type Json } from '../../../shared/json.ts'
import { isHollow, isSameButEmpty, isSameButNull } from './empty.ts'
import type { Work } from './work.ts'

export interface Merged {
  readonly value: Json
  /** The last entry of the map that brings it. */
  readonly index: number
}

/** Whether what a merge brings is what is wanted; what is empty was not recorded when it was filled. */
export const isMerged = (merged: Json, want: Json, { mode }: Work): boolean =>
  mode === 'restore'
    ? isSameButEmpty(merged, want) || (isHollow(merged) && isHollow(want))
    : isSameButNull(merged, want)

/** Whether the entry only overrules what a merge brings, which is right again. */
export const isOverride = (
  value: Json,
  merged: Json,
  want: Json | undefined,
  work: Work,
): boolean =>
  want !== undefined && work.mode !== 'keep' && isMerged(merged, want, work) && !isSame(value, want)
