// Resolves the settings of one workload over the scopes, cluster first and pod last. Security
// settings only get tighter on the way down; what breaks that, or the floor, is a violation that
// names key, value, scope and what would be right. All of them at once. Pure.

import { annotation, KEYS, PREFIX, SCOPES, type Key, type Scope } from '../../shared/annotations.ts'
import { parseSettings, parseValue, type Settings } from '../../shared/settings.ts'
import { violation, type Violation } from './violation.ts'
import { flooredDefault, floorViolations, type Floor } from './floor.ts'
import type { Placed } from './placed.ts'
import type { ScopeTexts } from './scopes.ts'
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

const WHERE_INSTEAD = (key: Key): string => annotation(key).scopes.join(', ')

const whyWrong = (step: Step, above: Placed | undefined): Violation | undefined => {
  const { key, text, where } = step
  const row = annotation(key)
  if (!row.scopes.includes(step.scope)) {
    return violation(
      'wrong-scope',
      `${where}: ${PREFIX}${key} may not stand here; it may at: ${WHERE_INSTEAD(key)}`,
      key,
    )
  }
  const value = parseValue(key, text)
  if (!value.ok) return violation('bad-value', `${where}: ${PREFIX}${value.error}`, key)
  const fix = row.tighten && above && loosening(row.tighten, above.text, text)
  return fix === undefined
    ? undefined
    : violation(
        'loosened',
        `${where}: ${PREFIX}${key}: \`${text}\` loosens \`${above?.text ?? ''}\`, which ${above?.where ?? ''} fixes; ${fix}`,
        key,
      )
}

/** Walks the scopes in order; a text that is wrong is reported and does not count. */
const walk = (
  scopes: readonly ScopeTexts[],
): { readonly chosen: Map<Key, Placed>; readonly violations: Violation[] } => {
  const chosen = new Map<Key, Placed>()
  const violations: Violation[] = []
  const ordered = [...scopes].sort((a, b) => SCOPES.indexOf(a.scope) - SCOPES.indexOf(b.scope))
  for (const { scope, where, texts } of ordered) {
    for (const [key, text] of texts) {
      const wrong = whyWrong({ scope, where, key, text }, chosen.get(key))
      if (wrong) violations.push(wrong)
      else chosen.set(key, { text, where, isDefault: false })
    }
  }
  return { chosen, violations }
}

/** What a user believes to hold, and does not yet. What the platform team fixes is no news to users. */
const plannedWarnings = (scopes: readonly ScopeTexts[]): string[] =>
  scopes
    .filter(({ scope }) => scope !== 'cluster')
    .flatMap(({ where, texts }) =>
      KEYS.filter((key) => texts.has(key) && annotation(key).isPlanned).map(
        (key) => `${where}: ${PREFIX}${key}: nothing acts on it yet`,
      ),
    )

/** Resolves every key of the table. */
export const resolveSettings = (scopes: readonly ScopeTexts[], floor: Floor): Resolution => {
  const { chosen, violations } = walk(scopes)
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
    warnings: [...scopes.flatMap(({ warnings }) => warnings), ...plannedWarnings(scopes)],
  }
}
