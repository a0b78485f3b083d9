// Groups that would give a pod's containers what is the sidecar's: its own group is judged like its
// uid, wherever a pod names it. Pure.

import { arrayAt, numberAt, type JsonObject } from '../../shared/json.ts'
import { violation, type Violation } from '../settings/violation.ts'

/** Groups that the pod's own context gives to every container. */
export const groupViolations = (pod: JsonObject, gid: number | undefined): readonly Violation[] => {
  if (gid === undefined) return []
  const context = ['spec', 'securityContext']
  const named = [
    ...(numberAt(pod, ...context, 'fsGroup') === gid ? ['fsGroup'] : []),
    ...(arrayAt(pod, ...context, 'supplementalGroups')?.includes(gid)
      ? ['supplementalGroups']
      : []),
  ]
  return named.map((field) =>
    violation(
      'same-uid',
      `pod: securityContext.${field}: ${gid} is the sidecar's group; use another`,
    ),
  )
}
