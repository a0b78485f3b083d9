// What was resolved for one setting, before it becomes a value.

import type { Scope } from '../../shared/annotations.ts'

/** A resolved text and where it came from; `default` bends to the floor, anything else is judged. */
export interface Placed {
  readonly text: string
  readonly where: string
  readonly isDefault: boolean
  /** Absent of a default. */
  readonly scope?: Scope
  /** What a higher scope says on the same, and this keeps within. */
  readonly within?: Placed | undefined
}

const OWN: ReadonlySet<Scope | undefined> = new Set<Scope>(['workload', 'pod'])

/** Whether nobody above a workload has said anything: its own author may say something else. */
export const isOwnWord = (placed: Placed | undefined): boolean =>
  placed === undefined || placed.isDefault || (OWN.has(placed.scope) && isOwnWord(placed.within))
