// Resolves the settings of one workload over the scopes, cluster first and pod last. Security
// settings only get tighter on the way down; what breaks that, or the floor, is a violation that
// names key, value, scope and what would be right. All of them at once. Pure.

import { annotation, KEYS, PREFIX, SCOPES, type Key, type Scope } from '../../shared/annotations.ts'
import { INJECTION_LABEL } from '../../shared/names.ts'
import { parseSettings, parseValue, type Settings } from '../../shared/settings.ts'
import { violation, type Violation } from './violation.ts'
import { flooredDefault, floorViolations, leastOf, type Floor } from './floor.ts'
import type { Placed } from './placed.ts'
import type { ScopeTexts } from './scopes.ts'
import { lessFix, moreFix, slowToolsFix } from './less.ts'
import { mostOf } from './most.ts'
import { loosening } from './tighten.ts'
import { choiceViolations } from './trust-faults.ts'

export interface Resolution {
  readonly settings: Settings
  /** The text in force per key, and where it stands. */
  readonly placed: ReadonlyMap<Key, Placed>
  readonly violations: readonly Violation[]
  readonly warnings: readonly string[]
}

interface Step {
  readonly scope: Scope
  readonly where: string
  readonly key: Key
  readonly text: string
}

const whereInstead = (key: Key): string => {
  const scopes = annotation(key).scopes.join(', ')
  return key === 'inject'
    ? `${scopes}; a namespace opts in by its label ${INJECTION_LABEL}=enabled`
    : scopes
}

type Above = ReadonlyMap<Key, Placed>

/** What the higher scopes fix and this would loosen: their word, and what would be right. */
interface Loosened {
  readonly fixed: Placed
  /** The setting that they fix it by, where it is another. */
  readonly by: string
  readonly fix: string
}

/** A tool's own time-out against the one that a higher scope sets for all. */
const slowTools = ({ key, text }: Step, above: Above): Loosened | undefined => {
  const fixed = key === 'tool-limits' ? above.get('request-timeout') : undefined
  const fix = fixed && slowToolsFix(fixed.text, above.get(key)?.text, text)
  return fixed && fix !== undefined ? { fixed, by: ' of request-timeout', fix } : undefined
}

const BOUNDS = { limit: lessFix, least: moreFix } as const

/** What would be right where a text loosens another, or nothing stands in its place; undefined where it keeps within it. */
export const looseningOf = (
  key: Key,
  above: string,
  below: string | undefined,
): string | undefined => {
  const { tighten } = annotation(key)
  if (!tighten) return undefined
  if (below === undefined) return 'leave it'
  return tighten.by === 'limit' || tighten.by === 'least'
    ? BOUNDS[tighten.by](key, above, below)
    : loosening(tighten, above, below)
}

const loosened = (step: Step, above: Above): readonly Loosened[] => {
  const fixed = above.get(step.key)
  const fix = fixed && looseningOf(step.key, fixed.text, step.text)
  const slow = slowTools(step, above)
  return [...(fixed && fix !== undefined ? [{ fixed, by: '', fix }] : []), ...(slow ? [slow] : [])]
}

const faultsOf = (step: Step, above: Above): readonly Violation[] => {
  const { key, text, where } = step
  if (!annotation(key).scopes.includes(step.scope)) {
    return [
      violation(
        'wrong-scope',
        `${where}: ${PREFIX}${key} may not stand here; it may at: ${whereInstead(key)}`,
        key,
      ),
    ]
  }
  const value = parseValue(key, text)
  if (!value.ok) return [violation('bad-value', `${where}: ${PREFIX}${value.error}`, key)]
  return loosened(step, above).map(({ fixed, by, fix }) =>
    violation(
      'loosened',
      `${where}: ${PREFIX}${key}: \`${text}\` loosens \`${fixed.text}\`${by}, which ${fixed.where} fixes; ${fix}`,
      key,
    ),
  )
}

/** The floor's own bound of a key, within which every scope keeps. */
const bound = (key: Key, floor: Floor): Placed | undefined => {
  const text = mostOf(key, floor.most)
  if (text !== undefined) return { text, where: 'floor.most', isDefault: true }
  const least = leastOf(key, floor)
  return least && { text: least.text, where: `floor.${least.by}`, isDefault: true }
}

/** Walks the scopes in order; a text that is wrong is reported and does not count. */
const walk = (
  scopes: readonly ScopeTexts[],
  floor: Floor,
): { readonly chosen: Map<Key, Placed>; readonly violations: Violation[] } => {
  const chosen = new Map<Key, Placed>()
  const violations: Violation[] = []
  const ordered = [...scopes].sort((a, b) => SCOPES.indexOf(a.scope) - SCOPES.indexOf(b.scope))
  for (const { scope, where, texts } of ordered) {
    // What stands beside it in the same scope binds nothing.
    const above = new Map(chosen)
    for (const [key, text] of texts) {
      const faults = faultsOf({ scope, where, key, text }, above)
      violations.push(...faults)
      if (faults.length === 0)
        chosen.set(key, {
          text,
          where,
          scope,
          isDefault: false,
          within: above.get(key) ?? bound(key, floor),
        })
    }
  }
  return { chosen, violations }
}

/** Resolves every key of the table. */
export const resolveSettings = (scopes: readonly ScopeTexts[], floor: Floor): Resolution => {
  const { chosen, violations } = walk(scopes, floor)
  const placed = new Map<Key, Placed>()
  for (const key of KEYS) {
    const text = flooredDefault(key, floor)
    const found =
      chosen.get(key) ??
      (text === undefined ? undefined : { text, where: 'default', isDefault: true })
    if (found) placed.set(key, found)
  }
  const texts = Object.fromEntries([...placed].map(([key, { text }]) => [key, text]))
  const settings = parseSettings(texts)
  if (!settings.ok) {
    // Unreachable: each text has been parsed above. The table's defaults alone always parse.
    throw new Error(`settings that were judged right do not parse: ${settings.error.join('; ')}`)
  }
  return {
    settings: settings.value,
    placed,
    violations: [
      ...violations,
      ...floorViolations(placed, floor),
      ...choiceViolations(settings.value, placed, floor),
    ],
    warnings: scopes.flatMap(({ warnings }) => warnings),
  }
}
