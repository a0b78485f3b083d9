// What admission would say of a manifest's NetworkPolicies (rule `network-policies`): denied where each injected pod would be
// opened, whatever its own policy opens; else what depends on the policies that the controller keeps nobody can tell here. Pure.

import { objectAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { ENFORCE_LABEL, SERVER_LABEL } from '../../shared/names.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { bareNamespace, optsIn, type Namespace } from '../../webhook/cluster/namespace.ts'
import type { PolicyWrite } from '../../webhook/companions/policy-write.ts'
import type { Violation } from '../../webhook/settings/violation.ts'
import { judgePolicy, needsGuarded } from '../../webhook/validation/policy.ts'
import { nameOf } from '../../webhook/workload/kinds.ts'

export interface PolicyVerdict {
  readonly violations: readonly Violation[]
  readonly warnings: readonly string[]
}

const UNKNOWN =
  'what it opens to injected pods beyond what the policy of their workload does is judged where it is written (rule network-policies): nobody can tell it here, since the controller keeps those policies'

/** Whether the API server asks us about its policies at all. */
const isAskedAbout = (namespace: Namespace): boolean =>
  optsIn(namespace) || namespace.labels[ENFORCE_LABEL] !== undefined

/** One that names workloads is held against their own policies alone. */
const namesWorkloads = ({ after }: PolicyWrite): boolean =>
  JSON.stringify(after['podSelector'] ?? {}).includes(SERVER_LABEL)

const told = (warnings: readonly string[]): PolicyVerdict => ({ violations: [], warnings })

/** Of a policy that is created; with nobody known there is but the pod that bears our labels alone, which each one is like. */
export const verdictOnPolicy = (
  object: JsonObject,
  known: ReadonlyMap<string, Namespace>,
  { config, namespace: usual }: { readonly config: ClusterConfig; readonly namespace: string },
): PolicyVerdict => {
  const name = stringAt(object, 'metadata', 'namespace') ?? usual
  const namespace = known.get(name) ?? bareNamespace(name)
  const write = { name: nameOf(object), before: undefined, after: objectAt(object, 'spec') }
  if (!isAskedAbout(namespace) || !needsGuarded(write, namespace, config)) return told([])
  if (namesWorkloads(write)) return told([UNKNOWN])
  const { decided } = judgePolicy(write, [], { namespace, config })
  if (decided.kind === 'deny') return decided
  return told(decided.warnings.length > 0 ? decided.warnings : [UNKNOWN])
}
