// A pod that is created, as every webhook has left it: what should be of it is rendered again, and what
// is stored is held against that and against the rules. Pure.

import { at, type JsonObject } from '../../shared/json.ts'
import { INJECTED_LABEL, SIDECAR_CONTAINER } from '../../shared/names.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { Namespace } from '../cluster/namespace.ts'
import type { Deny, Inject, Outcome, Skip } from '../inject/outcome.ts'
import { ownSidecar } from '../inject/pod.ts'
import { renderUnwritten } from '../inject/render.ts'
import { hold } from '../rules/admit.ts'
import type { Breach } from '../rules/judge.ts'
import type { Ruling } from '../rules/ruling.ts'
import { differences } from './own-parts.ts'

/** Configurations that pods may have been rendered by, as of now: the one in force first. */
type Generations = readonly [ClusterConfig, ...ClusterConfig[]]

/** By the configuration in force, unless one that was in force a moment ago explains everything. */
const partsMissing = (
  pod: JsonObject,
  outcome: Inject,
  namespace: Namespace,
  [config, ...earlier]: Generations,
): readonly Breach[] => {
  const missing = differences(pod, outcome, config.floor)
  if (missing.length === 0) return []
  const isExplained = earlier.some((other) => {
    const then = renderUnwritten(pod, namespace, other)
    return then.kind === 'inject' && differences(pod, then, other.floor).length === 0
  })
  return isExplained ? [] : missing
}

const inPod = (found: string): readonly Breach[] => [{ rule: 'sidecar', where: 'pod', found }]

/**
 * A pod that keeps our label without our sidecar, or has a container of the sidecar's name that rendering does not give, is
 * denied: the latter could mount the sidecar's Secrets. In a system namespace nothing was injected, whatever the labels say.
 */
const stripped = (pod: JsonObject, outcome: Skip | Deny): readonly Breach[] => {
  if (outcome.kind === 'skip' && outcome.reason === 'system-namespace') return []
  if (ownSidecar(pod))
    return outcome.kind === 'skip'
      ? inPod(`container ${SIDECAR_CONTAINER} is nothing of Outrigger's`)
      : []
  return at(pod, 'metadata', 'labels', INJECTED_LABEL) === undefined
    ? []
    : inPod(`there is no container ${SIDECAR_CONTAINER} in it`)
}

/** Decides on a pod as it will be stored. */
export const judgeCreated = (
  pod: JsonObject,
  namespace: Namespace,
  generations: Generations,
): Ruling<Outcome> => {
  const [config] = generations
  const outcome = renderUnwritten(pod, namespace, config)
  const missing =
    outcome.kind === 'inject'
      ? partsMissing(pod, outcome, namespace, generations)
      : stripped(pod, outcome)
  const { decided, recorded } = hold(outcome, pod, { namespace, config }, missing)
  // Whoever wrote the pod has heard the warnings of its rendering.
  return { decided: { ...decided, warnings: [] }, recorded }
}
