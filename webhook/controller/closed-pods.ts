// Which pods that wait for their policy it closes: not one that somebody else's policy opens further, where the rule
// `network-policies` denies such a policy that is written after its pods. What cannot be told is taken to open. Pure.

import type { JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { Namespace } from '../cluster/namespace.ts'
import type { Member, Place } from '../companions/member.ts'
import {
  openings,
  selectedBy,
  Steps,
  type Labels,
  type OtherPolicy,
} from '../companions/other-policy.ts'
import { enforcedIn } from '../settings/enforced.ts'

/** So many words of selectors are read for the pods of one workload at a time; those of which none is left wait for the next. */
const MAX_STEPS = 200_000

/** Whether pods of a namespace wait for this. */
export const isHeldOpen = (
  namespace: Namespace,
  { companions, floor }: Pick<ClusterConfig, 'companions' | 'floor'>,
): boolean => companions?.gate === true && enforcedIn(namespace, floor)('network-policies')

export interface Around {
  readonly namespace: string
  /** The `spec` of their own policy. */
  readonly ours: JsonObject
  readonly others: readonly OtherPolicy[]
  /** Those of the workload that are known; of any other its labels are not, so that it may be selected by each. */
  readonly members: readonly Member[]
}

/** Those of the pods that no policy of somebody else's opens. */
export const closedPods = (
  waiting: readonly Place[],
  { namespace, ours, others, members }: Around,
): readonly Place[] => {
  const openedBy = openings(ours, namespace)
  const opening = others.filter(({ spec }) => !spec || openedBy(spec).length > 0)
  if (opening.length === 0) return waiting
  const steps = new Steps(MAX_STEPS)
  // Pods of one template are alike.
  const known = new Map<string, boolean>()
  const isClosed = (labels: Labels): boolean => {
    const key = JSON.stringify(labels)
    const closed =
      known.get(key) ??
      opening.every(({ selector }) => selectedBy(selector, [labels], steps).length === 0)
    known.set(key, closed)
    return closed
  }
  const labelsOf = new Map(members.map(({ uid, labels }) => [uid, labels]))
  return waiting.filter(({ uid }) => {
    const labels = labelsOf.get(uid)
    return labels !== undefined && isClosed(labels)
  })
}
