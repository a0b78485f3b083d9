// What is decided, and what of it is only on record.

import type { Breach } from './judge.ts'

/** A decision on a pod, on a change of one, or on who gets into one. */
export interface Ruling<Decision> {
  readonly decided: Decision
  /** Broken rules that nobody is denied for. */
  readonly recorded: readonly Breach[]
  /** Those that only warn; absent: none. Their words are among the decision's warnings. */
  readonly warned?: readonly Breach[]
}
