// Where the platform team asks for it, pods of strict namespaces wait for their NetworkPolicy: a scheduling gate holds each
// from the moment that it is created, and the controller takes it off once the policy stands. Pure.

import { at, objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { Namespace } from '../cluster/namespace.ts'
import { modesOf } from '../settings/modes.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { nameOf } from './pod.ts'
import type { Subject } from './subject.ts'

export const POLICY_GATE = 'outrigger.dev/policy'

const PLACE = ['spec', 'schedulingGates'] as const

export const isGated = (pod: JsonObject): boolean =>
  objectsAt(pod, ...PLACE).some((gate) => nameOf(gate) === POLICY_GATE)

/** Whether a pod is to wait: no policy is about one on the node's own network, so none would ever let it go. */
export const isToWait = (
  pod: JsonObject,
  namespace: Namespace,
  { companions, floor }: Pick<ClusterConfig, 'companions' | 'floor'>,
): boolean =>
  companions?.gate === true &&
  modesOf(namespace, floor).enforce === 'strict' &&
  at(pod, 'spec', 'hostNetwork') !== true

export const gated = (pod: JsonObject): JsonObject =>
  isGated(pod) ? pod : withAt(pod, PLACE, [...objectsAt(pod, ...PLACE), { name: POLICY_GATE }])

/** No gate holds what is put onto a node without the scheduler. */
export const gateViolations = ({ pod, namespace, config }: Subject): readonly Violation[] => {
  const node = stringAt(pod, 'spec', 'nodeName') ?? ''
  const message = `pod: spec.nodeName puts it onto a node without the scheduler, so that it would run before its NetworkPolicy stands (companions.gate of the cluster configuration); leave it out, and choose the node by nodeSelector or affinity`
  return node !== '' && isToWait(pod, namespace, config) ? [violation('floor', message)] : []
}
