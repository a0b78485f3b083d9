// The whole decision on a pod that is created: rendered, and what comes of it held against the rules.
// Whoever admits, previews or checks pods calls this, so that all of them say the same. Pure.

import type { JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { Namespace } from '../cluster/namespace.ts'
import type { Deny, Outcome } from '../inject/outcome.ts'
import { render } from '../inject/render.ts'
import type { Workload } from '../inject/subject.ts'
import { modeWarnings } from '../settings/modes.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { askedIn, breachesOf, breachWords, sortBreaches, type Breach } from './judge.ts'
import { judgedPod, judgedStored } from './judged.ts'
import type { Ruling } from './ruling.ts'

export const asViolation = (breach: Breach): Violation => ({
  ...violation('rule', breachWords(breach)),
  rule: breach.rule,
})

export const asWarning = (breach: Breach): string => `${breachWords(breach)}, which only warns here`

interface Around {
  readonly namespace: Namespace
  readonly config: ClusterConfig
}

/** Whether its server is kept to what it may reach. */
const isEnforced = (outcome: Outcome): boolean =>
  outcome.kind === 'inject' && outcome.isEgressEnforced

/** What breaks a rule in a pod: in what is stored of it, or where it is refused, in what it would be then. */
const foundIn = (
  outcome: Outcome,
  stored: JsonObject,
  { namespace, config }: Around,
): readonly Breach[] => {
  const isAsked = askedIn(namespace, config, isEnforced(outcome))
  if (outcome.kind === 'inject') return breachesOf(judgedStored(stored, config, outcome), isAsked)
  const filled = outcome.kind === 'deny' ? outcome.filled : undefined
  return filled ? breachesOf(judgedPod(filled, config, {}), isAsked) : []
}

/** What is decided on a pod: on what rendering has said of it, and what breaks a rule in what is stored. */
export const hold = (
  outcome: Outcome,
  stored: JsonObject,
  around: Around,
  more: readonly Breach[] = [],
): Ruling<Outcome> => {
  const { namespace, config } = around
  const found = [...more, ...foundIn(outcome, stored, around)]
  const { enforce, warn, audit } = sortBreaches(found, namespace, config, isEnforced(outcome))
  const mistyped = outcome.kind === 'skip' ? [] : modeWarnings(namespace)
  const warnings = [...outcome.warnings, ...mistyped, ...warn.map(asWarning)]
  const before = outcome.kind === 'deny' ? outcome.violations : []
  const violations = [...before, ...enforce.map(asViolation)]
  const denied: Deny = { kind: 'deny', violations, warnings }
  const decided = violations.length > 0 ? denied : { ...outcome, warnings }
  return { decided, recorded: audit, warned: warn }
}

/** Decides on one pod. */
export const admit = (
  pod: JsonObject,
  namespace: Namespace,
  config: ClusterConfig,
  workload?: Workload,
): Ruling<Outcome> => {
  const outcome = render(pod, namespace, config, workload)
  const stored = outcome.kind === 'inject' ? outcome.pod : pod
  return hold(outcome, stored, { namespace, config })
}
