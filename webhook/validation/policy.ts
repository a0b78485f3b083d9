// Somebody writes a NetworkPolicy that selects injected pods and opens what the policy of their workload closes: denied in
// `strict`, else on record. Policies only add up, so that no other could close it again. Pure.

import { isSame } from '../../shared/json.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { isSystem, type Namespace } from '../cluster/namespace.ts'
import { defaultPolicySpec } from '../companions/policy.ts'
import {
  mayOpen,
  openedByWrite,
  type Around,
  type PolicyWrite,
} from '../companions/policy-write.ts'
import type { Deny } from '../inject/outcome.ts'
import { asViolation, asWarning } from '../rules/admit.ts'
import { quoted } from '../rules/finding.ts'
import { askedIn, sortBreaches, type Breach } from '../rules/judge.ts'
import type { Ruling } from '../rules/ruling.ts'
import type { Guarded } from './guarded.ts'
import { allowed, type Allow } from './verdict.ts'

const RULE = 'network-policies'
const NOTHING: Guarded = []

/** Undefined: nothing is closed here, or nobody asks for it. */
const aroundIn = (namespace: Namespace, config: ClusterConfig): Around | undefined =>
  config.companions && !isSystem(namespace, config) && askedIn(namespace, config)(RULE)
    ? { namespace: namespace.name, least: defaultPolicySpec(config.companions) }
    : undefined

const isChanged = ({ before, after }: PolicyWrite): boolean => !before || !isSame(before, after)

/** Whether it depends on the pods that there are. */
export const needsGuarded = (
  write: PolicyWrite,
  namespace: Namespace,
  config: ClusterConfig,
): boolean => {
  const around = aroundIn(namespace, config)
  return around !== undefined && isChanged(write) && mayOpen(write, around)
}

const foundIn = (write: PolicyWrite, guarded: Guarded, around: Around): string | undefined => {
  if (typeof guarded === 'string') return `nobody can tell what it opens: ${guarded}`
  const sides = openedByWrite(write, guarded, around)
  return sides.length === 0
    ? undefined
    : `it selects injected pods, or would, and opens ${sides.join(' and ')} that their own policy closes`
}

/** Decides on a policy that is written by anybody but our controller; `guarded` of one that does not need it is not looked at. */
export const judgePolicy = (
  write: PolicyWrite,
  guarded: Guarded | undefined,
  { namespace, config }: { readonly namespace: Namespace; readonly config: ClusterConfig },
): Ruling<Allow | Deny> => {
  const around = aroundIn(namespace, config)
  if (!around) {
    const reason = isSystem(namespace, config) ? 'system-namespace' : 'complies'
    return { decided: allowed(reason), recorded: [] }
  }
  if (!isChanged(write)) return { decided: allowed('unchanged'), recorded: [] }
  const found = foundIn(write, guarded ?? NOTHING, around)
  if (found === undefined) return { decided: allowed('complies'), recorded: [] }
  const breach: Breach = { rule: RULE, where: `NetworkPolicy ${quoted(write.name)}`, found }
  const { enforce, warn, audit } = sortBreaches([breach], namespace, config)
  const warnings = warn.map(asWarning)
  return enforce.length > 0
    ? {
        decided: { kind: 'deny', violations: enforce.map(asViolation), warnings },
        recorded: [],
        warned: warn,
      }
    : { decided: allowed('complies', warnings), recorded: audit, warned: warn }
}
