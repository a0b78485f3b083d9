// All rules over one pod, all findings at once, by what comes of them in its namespace. Pure.

import type { ClusterConfig } from '../cluster/config.ts'
import type { Namespace } from '../cluster/namespace.ts'
import { exceptedIn } from '../settings/enforced.ts'
import { isAsked, modesOf, type Modes } from '../settings/modes.ts'
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

/** Everything that breaks a rule, whatever comes of it. */
export const breachesOf = (judged: Judged): readonly Breach[] => {
  const hints = new Map(judged.containers.map(({ where, hint }) => [where, hint]))
  return RULE_IDS.flatMap((rule) =>
    (CHECKS[rule]?.(judged) ?? []).map((finding) =>
      Object.assign({ rule, hint: hints.get(finding.where) }, finding),
    ),
  )
}

export type Sorted = Readonly<Record<keyof Modes, readonly Breach[]>>

/** What is denied, warned about and put on record; what is denied is nothing else besides. */
export const sortBreaches = (
  breaches: readonly Breach[],
  namespace: Namespace,
  config: Pick<ClusterConfig, 'floor'>,
): Sorted => {
  const modes = modesOf(namespace, config.floor)
  const excepted = exceptedIn(namespace, config.floor)
  const counted = breaches.filter(({ rule }) => !excepted.has(rule))
  const asked = (mode: keyof Modes) =>
    counted.filter(({ rule }) => isAsked(RULES[rule].level, modes[mode]))
  const denied = new Set(asked('enforce'))
  const others = (mode: keyof Modes) => asked(mode).filter((breach) => !denied.has(breach))
  return { enforce: [...denied], warn: others('warn'), audit: others('audit') }
}
