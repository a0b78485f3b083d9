// `outrigger policy lint`: what in a policy that can be read is not what its author will have meant. Pure.

import { nearest } from '../../shared/nearest.ts'
import type { Caller } from '../../shared/policy/caller.ts'
import { principalOf } from '../../shared/policy/caller.ts'
import { givenOf, type Condition } from '../../shared/policy/condition.ts'
import { covers, globOf } from '../../shared/policy/glob.ts'
import type { ReadPolicy } from '../../shared/policy/policy.ts'
import {
  KINDS,
  type Kind,
  type RoleDocument,
  type RuleDocument,
} from '../../shared/policy/schema.ts'
import { isPlainUri } from '../../shared/policy/uri.ts'
import type { SchemaFault } from '../../shared/schema-words.ts'
import type { PlacedFault } from '../../shared/placed-fault.ts'
import { placed } from '../../shared/yaml-places.ts'

type Owner = RuleDocument | RoleDocument

/** A pattern, and where it stands. */
interface Pattern {
  readonly kind: Kind
  readonly text: string
  readonly path: readonly string[]
}

const patternsOf = (owner: Owner, path: readonly string[]): readonly Pattern[] =>
  KINDS.flatMap((kind) =>
    (owner[kind] ?? []).map((text, index) => ({
      kind,
      text,
      path: [...path, kind, String(index)],
    })),
  )

const isEverything = (rule: RuleDocument): boolean =>
  KINDS.every((kind) => rule[kind] === undefined)

/** Whether all that `narrow` is about is what `wide` is about, too. */
const includes = (wide: RuleDocument, narrow: RuleDocument): boolean =>
  isEverything(wide) ||
  (!isEverything(narrow) &&
    patternsOf(narrow, []).every(({ kind, text }) =>
      (wide[kind] ?? []).some((pattern) => covers(globOf(pattern), text)),
    ))

const isForAll = (wide: RuleDocument, narrow: RuleDocument): boolean =>
  wide.who === undefined || JSON.stringify(wide.who) === JSON.stringify(narrow.who)

/** Whether a rule decides wherever another would, and before it. */
const isBefore = (other: RuleDocument, rule: RuleDocument, isEarlier: boolean): boolean => {
  const goesFirst = other.effect === rule.effect ? isEarlier : other.effect === 'deny'
  return goesFirst && other.when === undefined && isForAll(other, rule) && includes(other, rule)
}

const unreachable = (rules: readonly RuleDocument[]): readonly SchemaFault[] =>
  rules.flatMap((rule, index) => {
    const other = rules.find((one, at) => one !== rule && isBefore(one, rule, at < index))
    if (!other) return []
    const why = other.effect === rule.effect ? 'decides the same before it' : 'denies all of it'
    return [{ path: ['rules', String(index)], message: `never decides: ${other.name} ${why}` }]
  })

const CALLERS: readonly (Caller | undefined)[] = [
  undefined,
  { issuer: 'https://idp.example', subject: 'a', client: 'b', groups: ['c'], scopes: ['d'] },
]

/** What a condition says that no arguments decide, over callers and the names that its rule is about. */
const outcomes = (condition: Condition, rule: RuleDocument): ReadonlySet<string> => {
  const names = [...(rule.tools ?? []), ''].filter((name) => !name.includes('*'))
  return new Set(
    CALLERS.flatMap((caller) =>
      names.map((tool) => {
        const roles = rule.who?.roles ?? ['e']
        const principal = principalOf(caller, roles)
        const variables = { principal, method: 'tools/call', tool, prompt: '', resource: '' }
        return condition.holds(givenOf(variables, { spent: 0 }), undefined).kind
      }),
    ),
  )
}

const conditionFaults = ({ document, conditions }: ReadPolicy): readonly SchemaFault[] =>
  document.rules.flatMap((rule, index) => {
    const condition = conditions.get(rule.name)
    if (!condition) return []
    const found = [...outcomes(condition, rule)]
    const path = ['rules', String(index), 'when']
    if (found.length === 1 && found[0] === 'failed') return [{ path, message: 'always fails' }]
    if (condition.variables.size > 0 || found.length !== 1) return []
    return [{ path, message: found[0] === 'holds' ? 'always holds' : 'never holds' }]
  })

const oddCharacters = ({ text, path }: Pattern): readonly SchemaFault[] => {
  const odd = /[^ -~]/u.exec(text)?.[0]
  if (odd === undefined) return []
  const code = (odd.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return [{ path, message: `holds U+${code}, which may look like another character` }]
}

const impossibleUri = ({ kind, text, path }: Pattern): readonly SchemaFault[] =>
  kind === 'resources' &&
  text.includes('*') &&
  text !== '*' &&
  !isPlainUri(text.replaceAll('*', 'a'))
    ? [{ path, message: 'matches nothing: patterns match only URIs that have one spelling' }]
    : []

const missingTool = (
  { kind, text, path }: Pattern,
  tools: readonly string[] | undefined,
): readonly SchemaFault[] => {
  if (kind !== 'tools' || tools === undefined) return []
  const { isExact, matches } = globOf(text)
  if (tools.some((tool) => matches(tool))) return []
  const near = isExact ? nearest(text, tools) : undefined
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return [{ path, message: `the server has no such tool${hint}` }]
}

/** `tools`: the server's, where they are known. */
export const lintPolicy = (
  read: ReadPolicy,
  tools: readonly string[] | undefined,
): readonly PlacedFault[] => {
  const { document } = read
  const patterns = [
    ...Object.entries(document.roles).flatMap(([name, role]) => patternsOf(role, ['roles', name])),
    ...document.rules.flatMap((rule, index) => patternsOf(rule, ['rules', String(index)])),
  ]
  const findings = [
    ...unreachable(document.rules),
    ...conditionFaults(read),
    ...patterns.flatMap(oddCharacters),
    ...patterns.flatMap(impossibleUri),
    ...patterns.flatMap((pattern) => missingTool(pattern, tools)),
  ]
  return placed(findings, read)
}
