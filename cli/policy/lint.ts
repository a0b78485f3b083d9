// `outrigger policy lint`: what in a policy that can be read is not what its author will have meant. Pure.

import { nearest } from '../../shared/nearest.ts'
import type { Caller } from '../../shared/policy/caller.ts'
import { principalOf } from '../../shared/policy/caller.ts'
import { claimsOf, Given, type Condition } from '../../shared/policy/condition.ts'
import { covers, globOf, type Glob } from '../../shared/policy/glob.ts'
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
export interface Pattern {
  readonly kind: Kind
  readonly text: string
  readonly path: readonly string[]
}

export const patternsOf = (owner: Owner, path: readonly string[]): readonly Pattern[] =>
  KINDS.flatMap((kind) =>
    (owner[kind] ?? []).map((text, index) => ({
      kind,
      text,
      path: [...path, kind, String(index)],
    })),
  )

/** A rule with its patterns, read once: each is compared with all others. */
export interface Reach {
  readonly rule: RuleDocument
  readonly patterns: readonly Pattern[]
  readonly words: ReadonlySet<string>
  readonly globs: readonly (readonly [Kind, Glob])[]
  readonly who: string
}

const wordOf = ({ kind, text }: Pick<Pattern, 'kind' | 'text'>): string => `${kind} ${text}`

export const reachOf = (rule: RuleDocument): Reach => {
  const patterns = patternsOf(rule, [])
  const globs = patterns.map(({ kind, text }) => [kind, globOf(text)] as const)
  return {
    rule,
    patterns,
    words: new Set(patterns.map(wordOf)),
    globs: globs.filter(([, { isExact }]) => !isExact),
    who: JSON.stringify(rule.who),
  }
}

/** Whether all that `narrow` is about is what `wide` is about, too; of no pattern: everything. */
const includes = (wide: Reach, narrow: Reach): boolean =>
  wide.patterns.length === 0 ||
  (narrow.patterns.length > 0 &&
    narrow.patterns.every(
      (pattern) =>
        wide.words.has(wordOf(pattern)) ||
        wide.globs.some(([kind, glob]) => kind === pattern.kind && covers(glob, pattern.text)),
    ))

const isForAll = (wide: Reach, narrow: Reach): boolean =>
  wide.rule.who === undefined || wide.who === narrow.who

/** Whether a rule decides wherever another would, and before it. */
export const isBefore = (other: Reach, one: Reach, isEarlier: boolean): boolean => {
  const { effect, when } = other.rule
  const goesFirst = effect === one.rule.effect ? isEarlier : effect === 'deny'
  return goesFirst && when === undefined && isForAll(other, one) && includes(other, one)
}

const unreachable = (rules: readonly RuleDocument[]): readonly SchemaFault[] => {
  const all = rules.map(reachOf)
  return all.flatMap((one, index) => {
    const other = all.find(
      (before, at) => before !== one && isBefore(before, one, at < index),
    )?.rule
    if (!other) return []
    const why = other.effect === one.rule.effect ? 'decides the same before it' : 'denies all of it'
    return [{ path: ['rules', String(index)], message: `never decides: ${other.name} ${why}` }]
  })
}

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
        const claims = claimsOf(principalOf(caller, roles))
        const call = { method: 'tools/call', target: { kind: 'tools', name: tool } }
        return condition.holds(new Given(claims, call), undefined).kind
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
    ? [{ path, message: 'allows nothing: patterns allow only URIs that have one spelling' }]
    : []

/** How many misspelt names are compared with all tools. */
const MAX_HINTS = 20

const missingTools = (
  patterns: readonly Pattern[],
  tools: readonly string[],
): readonly SchemaFault[] => {
  const known = new Set(tools)
  const missing = patterns.flatMap(({ kind, text, path }) => {
    const { isExact, matches } = globOf(text)
    const isThere = isExact ? known.has(text) : tools.some(matches)
    return kind !== 'tools' || isThere ? [] : [{ text, path, isExact }]
  })
  return missing.map(({ text, path, isExact }, index) => {
    const near = isExact && index < MAX_HINTS ? nearest(text, tools) : undefined
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    return { path, message: `the server has no such tool${hint}` }
  })
}

/** `tools`: the server's, where they are known. */
export const lintPolicy = (
  read: ReadPolicy,
  tools: readonly string[] | undefined,
): readonly PlacedFault[] => {
  const { document } = read
  const ofRules = (effect: RuleDocument['effect']): readonly Pattern[] =>
    document.rules.flatMap((rule, index) =>
      rule.effect === effect ? patternsOf(rule, ['rules', String(index)]) : [],
    )
  const allowing = [
    ...Object.entries(document.roles).flatMap(([name, role]) => patternsOf(role, ['roles', name])),
    ...ofRules('allow'),
  ]
  const patterns = [...allowing, ...ofRules('deny')]
  const findings = [
    ...unreachable(document.rules),
    ...conditionFaults(read),
    ...patterns.flatMap(oddCharacters),
    ...allowing.flatMap(impossibleUri),
    ...(tools === undefined ? [] : missingTools(patterns, tools)),
  ]
  return placed(findings, read)
}
