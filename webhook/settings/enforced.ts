// Which rules pods of a namespace are denied by: those of its level, but for the floor's exceptions. Pure.

import type { Floor } from './floor.ts'
import { isAsked, modesOf } from './modes.ts'
import { RULES, type RuleId } from './rule.ts'

interface Place {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** The rules that do not hold in a namespace. */
export const exceptedIn = (
  { name }: Pick<Place, 'name'>,
  { allowExceptions }: Pick<Floor, 'allowExceptions'>,
): ReadonlySet<RuleId> =>
  new Set(
    allowExceptions
      .filter(({ namespaces }) => namespaces.includes(name))
      .flatMap(({ rules }) => rules),
  )

/** Whether what breaks a rule is denied. */
export type IsEnforced = (rule: RuleId) => boolean

export const enforcedIn = (namespace: Place, floor: Floor): IsEnforced => {
  const { enforce } = modesOf(namespace, floor)
  const excepted = exceptedIn(namespace, floor)
  return (rule) => isAsked(RULES[rule].level, enforce) && !excepted.has(rule)
}
