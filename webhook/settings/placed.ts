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

/** Who above a workload has said the same first, so that its own author may say nothing else; undefined where nobody has. */
export const fixedBy = (placed: Placed | undefined): Placed | undefined => {
  if (placed === undefined || placed.isDefault) return undefined
  const { within, scope, text } = placed
  const above = within?.text === text ? fixedBy(within) : undefined
  return above ?? (OWN.has(scope) ? undefined : placed)
}
