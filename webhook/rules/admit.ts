// The whole decision on a pod that is created: rendered, and what comes of it held against the rules.
// Whoever admits, previews or checks pods calls this, so that all of them say the same. Pure.

import type { JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { Namespace } from '../cluster/namespace.ts'
import type { Deny, Outcome } from '../inject/outcome.ts'
import { render } from '../inject/render.ts'
import type { Workload } from '../inject/subject.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { authorsBreaches, breachesOf, breachWords, sortBreaches, type Breach } from './judge.ts'
import { judgedPod } from './judged.ts'

export interface Admission {
  readonly outcome: Outcome
  /** What is only on record. */
  readonly recorded: readonly Breach[]
}

export const asViolation = (breach: Breach): Violation => ({
  ...violation('rule', breachWords(breach)),
  rule: breach.rule,
})

const asWarning = (breach: Breach): string => `${breachWords(breach)}, which only warns here`

/** Of such a pod nothing more can be said. */
const UNREADABLE: ReadonlySet<string> = new Set(['malformed', 'too-large'])

/** The breaches of what rendering has made of the pod. */
const foundIn = (outcome: Outcome, pod: JsonObject, config: ClusterConfig): readonly Breach[] => {
  if (outcome.kind === 'skip') return []
  if (outcome.kind === 'inject') return breachesOf(judgedPod(outcome.pod, config, outcome))
  const isReadable = !outcome.violations.some(({ code }) => UNREADABLE.has(code))
  return isReadable ? authorsBreaches(judgedPod(pod, config, {})) : []
}

/** Decides on one pod. */
export const admit = (
  pod: JsonObject,
  namespace: Namespace,
  config: ClusterConfig,
  workload?: Workload,
): Admission => {
  const outcome = render(pod, namespace, config, workload)
  const { enforce, warn, audit } = sortBreaches(foundIn(outcome, pod, config), namespace, config)
  const warnings = [...outcome.warnings, ...warn.map(asWarning)]
  const before = outcome.kind === 'deny' ? outcome.violations : []
  const violations = [...before, ...enforce.map(asViolation)]
  const denied: Deny = { kind: 'deny', violations, warnings }
  return {
    outcome: violations.length > 0 ? denied : { ...outcome, warnings },
    recorded: audit,
  }
}
