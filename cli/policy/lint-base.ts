// `outrigger policy lint --base`: what in a policy the base policy keeps from ever counting. Pure.

import { globOf, overlaps } from '../../shared/policy/glob.ts'
import { BASE_PREFIX } from '../../shared/policy/narrowed.ts'
import type { ReadPolicy } from '../../shared/policy/policy.ts'
import type { PolicyDocument, RuleDocument } from '../../shared/policy/schema.ts'
import type { SchemaFault } from '../../shared/schema-words.ts'
import type { PlacedFault } from '../../shared/placed-fault.ts'
import { placed } from '../../shared/yaml-places.ts'
import { isBefore, patternsOf, reachOf, type Pattern } from './lint.ts'

const rulesWith = (
  effect: RuleDocument['effect'],
  { rules }: PolicyDocument,
): readonly (readonly [RuleDocument, path: readonly string[]])[] =>
  rules.flatMap((rule, index) =>
    rule.effect === effect ? [[rule, ['rules', String(index)]] as const] : [],
  )

/** What a policy allows, by roles and rules. */
const grantsIn = (document: PolicyDocument): readonly Pattern[] => [
  ...Object.entries(document.roles).flatMap(([name, role]) => patternsOf(role, ['roles', name])),
  ...rulesWith('allow', document).flatMap(([rule, path]) => patternsOf(rule, path)),
]

/** Rules that allow what the base policy denies to everybody whom they are about. */
const denied = (own: PolicyDocument, base: PolicyDocument): readonly SchemaFault[] => {
  // A role is each document's own.
  const denying = rulesWith('deny', base)
    .filter(([{ who }]) => who?.roles === undefined)
    .map(([rule]) => reachOf(rule))
  return rulesWith('allow', own).flatMap(([rule, path]) => {
    const reach = reachOf(rule)
    const other = denying.find((one) => isBefore(one, reach, true))
    const name = `${BASE_PREFIX}${other?.rule.name}`
    return other ? [{ path, message: `never decides: ${name} denies all of it` }] : []
  })
}

const wordOf = ({ kind, text }: Pattern): string => `${kind} ${text}`

/** Patterns that allow what nothing in the base policy allows anybody. */
const notAllowed = (own: PolicyDocument, base: PolicyDocument): readonly SchemaFault[] => {
  const allowed = new Map(grantsIn(base).map((pattern) => [wordOf(pattern), pattern]))
  const globs = [...allowed.values()].filter(({ text }) => !globOf(text).isExact)
  const isAllowed = (pattern: Pattern): boolean => {
    if (allowed.has(wordOf(pattern))) return true
    const others = globOf(pattern.text).isExact ? globs : [...allowed.values()]
    return others.some(({ kind, text }) => kind === pattern.kind && overlaps(text, pattern.text))
  }
  return grantsIn(own).flatMap((pattern) =>
    isAllowed(pattern)
      ? []
      : [{ path: pattern.path, message: 'the base policy allows none of it' }],
  )
}

export const lintWithin = (own: ReadPolicy, base: PolicyDocument): readonly PlacedFault[] =>
  placed([...denied(own.document, base), ...notAllowed(own.document, base)], own)
