// Whether the API server has what makes it ask us, and what holds where it does not: webhook configurations and the policies
// of the final state. Pure.

import { arrayAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { namedBy, type Finding, type Read } from './finding.ts'

/** The entries of each configuration, as manifests/base has them. */
export const ENTRIES = {
  MutatingWebhookConfiguration: [
    'namespace.inject.outrigger.dev',
    'pod.inject.outrigger.dev',
    'workload.inject.outrigger.dev',
    'warn.inject.outrigger.dev',
  ],
  ValidatingWebhookConfiguration: [
    'namespace.validate.outrigger.dev',
    'pod.validate.outrigger.dev',
    'change.validate.outrigger.dev',
    'connection.validate.outrigger.dev',
    'other-connection.validate.outrigger.dev',
    'policy.validate.outrigger.dev',
    'other-policy.validate.outrigger.dev',
    'guard.validate.outrigger.dev',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>
export type ConfigurationKind = keyof typeof ENTRIES

/** The one that warns alone: nobody is refused for want of it. */
const MAY_IGNORE: ReadonlySet<string> = new Set(['warn.inject.outrigger.dev'])

/** The policies of manifests/base/final-state.yaml, each with a binding of its name. */
export const POLICIES = ['outrigger-asked', 'outrigger-opted-in', 'outrigger-secrets'] as const
export type Policy = (typeof POLICIES)[number]

const APPLY = "apply Outrigger's manifests again (kubectl apply -k manifests/base, or the chart)"

const CONFIGURATIONS = namedBy('webhook configurations')

const nameOf = (entry: JsonObject): string => stringAt(entry, 'name') ?? '?'

const configurationFaults = (kind: ConfigurationKind, object: JsonObject): readonly string[] => {
  const entries = objectsAt(object, 'webhooks')
  const names = new Set(entries.map(nameOf))
  const lenient = entries.filter(
    (entry) => stringAt(entry, 'failurePolicy') === 'Ignore' && !MAY_IGNORE.has(nameOf(entry)),
  )
  return [
    ...ENTRIES[kind]
      .filter((name) => !names.has(name))
      .map((name) => `${kind} outrigger lacks ${name}: what it is for is never asked`),
    ...lenient.map(
      (entry) =>
        `${kind} outrigger, ${nameOf(entry)}, has failurePolicy: Ignore: without the webhook everything passes`,
    ),
  ]
}

/** Of one configuration. */
export const judgeConfiguration = (
  kind: ConfigurationKind,
  read: Read<JsonObject>,
): readonly Finding[] => {
  if (!read.ok) {
    return read.error.isMissing
      ? [
          CONFIGURATIONS.fault(
            `there is no ${kind} outrigger: nothing is injected or judged`,
            APPLY,
          ),
        ]
      : [CONFIGURATIONS.unread(`${kind} outrigger`, read.error.why)]
  }
  const faults = configurationFaults(kind, read.value)
  return faults.length === 0
    ? [CONFIGURATIONS.ok(`${kind} outrigger is whole`)]
    : faults.map((fault) => CONFIGURATIONS.fault(fault, APPLY))
}

export interface ReadPolicy {
  readonly policy: Read<JsonObject>
  readonly binding: Read<JsonObject>
}

const FINAL = namedBy('final state')

/** What stands in the way of its being enforced; undefined: nothing. */
const policyFault = (name: Policy, policy: JsonObject, binding: JsonObject): string | undefined => {
  if (stringAt(policy, 'spec', 'failurePolicy') === 'Ignore') {
    return `ValidatingAdmissionPolicy ${name} has failurePolicy: Ignore`
  }
  if (stringAt(binding, 'spec', 'policyName') !== name) {
    return `ValidatingAdmissionPolicyBinding ${name} binds another policy`
  }
  const actions = arrayAt(binding, 'spec', 'validationActions') ?? []
  return actions.includes('Deny')
    ? undefined
    : `ValidatingAdmissionPolicyBinding ${name} does not deny: what the policy is about passes`
}

/** With `floor.unresolvable: skip` that one is left out: a pod that was skipped cannot be told from one that was robbed. */
const isLeftOut = (name: Policy, config: ClusterConfig | undefined): boolean =>
  name === 'outrigger-opted-in' && config?.floor.unresolvable === 'skip'

const missingFault = (name: Policy, part: keyof ReadPolicy): Finding =>
  FINAL.fault(
    `there is no ValidatingAdmissionPolicy${part === 'binding' ? 'Binding' : ''} ${name}: where another webhook takes the sidecar out, or ours is not asked, pods run without it`,
    APPLY,
  )

/** Of one policy and its binding. */
export const judgePolicy = (
  name: Policy,
  { policy, binding }: ReadPolicy,
  config: ClusterConfig | undefined,
): readonly Finding[] => {
  if (!policy.ok) {
    return policy.error.isMissing
      ? [missingFault(name, 'policy')]
      : [FINAL.unread(`ValidatingAdmissionPolicy ${name}`, policy.error.why)]
  }
  if (!binding.ok) {
    if (!binding.error.isMissing) {
      return [FINAL.unread(`ValidatingAdmissionPolicyBinding ${name}`, binding.error.why)]
    }
    return isLeftOut(name, config)
      ? [FINAL.ok(`policy ${name} is left unbound, as floor.unresolvable: skip asks for`)]
      : [missingFault(name, 'binding')]
  }
  const fault = policyFault(name, policy.value, binding.value)
  return [
    fault === undefined
      ? FINAL.ok(`policy ${name} is bound and denies`)
      : FINAL.fault(fault, APPLY),
  ]
}
