// Whether one of our own Deployments is there, and as often as it is to be. Pure.

import { numberAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import type { Finding, namedBy, Read } from './finding.ts'

export interface OwnProgram {
  readonly check: ReturnType<typeof namedBy>
  readonly namespace: string
  /** Of its Deployment, and the value of its pods' label. */
  readonly name: string
  /** What to do where it is not there. */
  readonly apply: string
  /** What is lost while the only replica is away. */
  readonly alone: string
}

/** Why containers of its pods do not run, as the kubelet has it. */
const waitingIn = (pods: readonly JsonObject[]): readonly string[] => [
  ...new Set(
    pods
      .flatMap((pod) => objectsAt(pod, 'status', 'containerStatuses'))
      .flatMap((one) => stringAt(one, 'state', 'waiting', 'reason') ?? []),
  ),
]

const notReady = (
  object: JsonObject,
  pods: readonly JsonObject[],
  { namespace, name }: OwnProgram,
): string => {
  const waiting = waitingIn(pods)
  const conditions = objectsAt(object, 'status', 'conditions')
  const failing = conditions.find(
    (one) => stringAt(one, 'type') === 'ReplicaFailure' && stringAt(one, 'status') === 'True',
  )
  const message = stringAt(failing, 'message')
  const theirs = `pods -l app.kubernetes.io/name=${name}`
  if (message !== undefined) return `its pods are refused (${message}): put that right`
  return waiting.length > 0
    ? `its pods wait (${waiting.slice(0, 3).join(', ')}): kubectl -n ${namespace} describe ${theirs}`
    : `see why: kubectl -n ${namespace} get ${theirs}, and their logs`
}

/** Of a Deployment, with all pods of its namespace. */
export const judgeReplicas = (
  read: Read<JsonObject>,
  ownPods: readonly JsonObject[],
  program: OwnProgram,
): Finding => {
  const { check, namespace, name, apply, alone } = program
  const called = `Deployment ${namespace}/${name}`
  if (!read.ok) {
    return read.error.isMissing
      ? check.fault(`there is no ${called}`, apply)
      : check.unread(called, read.error.why)
  }
  const pods = ownPods.filter(
    (pod) => stringAt(pod, 'metadata', 'labels', 'app.kubernetes.io/name') === name,
  )
  const desired = numberAt(read.value, 'spec', 'replicas') ?? 1
  const ready = numberAt(read.value, 'status', 'readyReplicas') ?? 0
  const counted = `${ready} of ${desired} replicas are ready`
  if (ready === 0) return check.fault(counted, notReady(read.value, pods, program))
  if (ready < desired) return check.warning(counted, notReady(read.value, pods, program))
  return desired < 2
    ? check.warning(
        counted,
        `while that one is away ${alone}: kubectl -n ${namespace} scale deployment/${name} --replicas=2`,
      )
    : check.ok(counted)
}
