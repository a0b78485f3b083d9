// All rules over one pod, all findings at once, by what comes of them in its namespace. Pure.

import type { ClusterConfig } from '../cluster/config.ts'
import type { Namespace } from '../cluster/namespace.ts'
import { exceptedIn } from '../settings/enforced.ts'
import { isAsked, modesOf, type Level, type Modes } from '../settings/modes.ts'
import { RULE_IDS, RULES, type RuleId } from '../settings/rule.ts'
import { CHECKS } from './checks.ts'
import type { Finding } from './finding.ts'
import type { Judged } from './judged.ts'

/** A finding, and the rule that it breaks. */
export interface Breach extends Finding {
  readonly rule: RuleId
  /** Why a container that looks exempt is not. */
  readonly hint?: string | undefined
}

/** A breach in a sentence: where, what, and what to do. */
export const breachWords = ({ rule, where, found, hint }: Breach): string =>
  `${where}${hint === undefined ? '' : ` (${hint})`}: ${found}; ${RULES[rule].fix} (rule ${rule})`

type Wanted = (rule: RuleId) => boolean

const EVERY: Wanted = () => true

/** Everything that breaks a rule, whatever comes of it; of those alone of which anything comes, where that is said. */
export const breachesOf = (judged: Judged, isWanted: Wanted = EVERY): readonly Breach[] => {
  const hints = new Map(judged.containers.map(({ where, hint }) => [where, hint]))
  return RULE_IDS.filter(isWanted).flatMap((rule) =>
    (CHECKS[rule]?.(judged) ?? []).map((finding) =>
      Object.assign({ rule, hint: hints.get(finding.where) }, finding),
    ),
  )
}

const levelOf = (rule: RuleId, isEgressEnforced: boolean): Level =>
  isEgressEnforced && RULES[rule].byEgress ? 'baseline' : RULES[rule].level

const MODES = ['enforce', 'warn', 'audit'] as const satisfies readonly (keyof Modes)[]

/** The rules of which anything comes in a namespace: to look for what breaks another would be in vain. */
export const askedIn = (
  namespace: Namespace,
  { floor }: Pick<ClusterConfig, 'floor'>,
  isEgressEnforced = false,
): Wanted => {
  const modes = modesOf(namespace, floor)
  return (rule) => MODES.some((mode) => isAsked(levelOf(rule, isEgressEnforced), modes[mode]))
}

export type Sorted = Readonly<Record<keyof Modes, readonly Breach[]>>

/** What is denied, warned about and put on record; what is denied is nothing else besides. */
export const sortBreaches = (
  breaches: readonly Breach[],
  namespace: Namespace,
  config: Pick<ClusterConfig, 'floor'>,
  isEgressEnforced = false,
): Sorted => {
  const modes = modesOf(namespace, config.floor)
  const excepted = exceptedIn(namespace, config.floor)
  const counted = breaches.filter(({ rule }) => !excepted.has(rule))
  const asked = (mode: keyof Modes) =>
    counted.filter(({ rule }) => isAsked(levelOf(rule, isEgressEnforced), modes[mode]))
  const denied = new Set(asked('enforce'))
  const others = (mode: keyof Modes) => asked(mode).filter((breach) => !denied.has(breach))
  return { enforce: [...denied], warn: others('warn'), audit: others('audit') }
}
