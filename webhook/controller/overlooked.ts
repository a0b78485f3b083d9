// What admission cannot put right, or nobody hears of, in an object of a cluster: a pod that runs without the sidecar that it
// is owed, and a Deployment whose pods are denied, of which Kubernetes tells its ReplicaSet alone. Pure.

import { objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { oneLine } from '../../shared/one-line.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { isSystem, type Namespace } from '../cluster/namespace.ts'
import { ownerOf, type Owner } from '../companions/member.ts'
import { isBare, isOwed, overdueWords } from '../inject/overdue.ts'
import { isOver } from '../inject/pod.ts'
import type { Told } from './events.ts'

export interface Overlooked {
  readonly namespace: string
  /** Whom a pod is controlled by; a ReplicaSet may be another's. */
  readonly owner: Owner
  /** What is told of it, once it is known whose it is. */
  readonly told: (root: Owner) => Told
}

/** What a look goes by. */
export interface Around {
  readonly config: ClusterConfig
  readonly namespace: (name: string) => Namespace | undefined
}

/** Where nobody knows the namespace, or it is the system's, nothing is looked for. */
const judgedIn = (object: JsonObject, { config, namespace }: Around): Namespace | undefined => {
  const found = namespace(stringAt(object, 'metadata', 'namespace') ?? '')
  return found && !isSystem(found, config) ? found : undefined
}

const selfOf = (object: JsonObject, apiVersion: string, kind: string): Owner => ({
  apiVersion,
  kind,
  name: stringAt(object, 'metadata', 'name') ?? '',
  uid: stringAt(object, 'metadata', 'uid') ?? '',
})

const isGoing = (object: JsonObject): boolean =>
  stringAt(object, 'metadata', 'deletionTimestamp') !== undefined

/** A pod that runs without the sidecar, and would not if it came now. */
export const barePod = (object: JsonObject, around: Around): Overlooked | undefined => {
  if (isOver(object) || isGoing(object) || !isBare(object)) return undefined
  const namespace = judgedIn(object, around)
  if (!namespace || !isOwed(object, namespace, around.config)) return undefined
  return {
    namespace: namespace.name,
    owner: ownerOf(object) ?? selfOf(object, 'v1', 'Pod'),
    told: ({ kind, name }) => ({
      reason: 'SidecarMissing',
      message: overdueWords('bare', { namespace: namespace.name, kind, name }),
    }),
  }
}

/** As the API server tells of a denial of ours. */
export const DENIED = /admission webhook "[a-z.]{1,40}\.outrigger\.dev" denied the request: /
const MAX_CAUSE = 900

/** A Deployment whose pods are denied by us, in the words of that denial, which name what puts it right. */
export const deniedDeployment = (object: JsonObject, around: Around): Overlooked | undefined => {
  if (isGoing(object)) return undefined
  const namespace = judgedIn(object, around)
  const failure = objectsAt(object, 'status', 'conditions').find(
    (one) => stringAt(one, 'type') === 'ReplicaFailure' && stringAt(one, 'status') === 'True',
  )
  const words = stringAt(failure, 'message') ?? ''
  const match = DENIED.exec(words)
  if (!namespace || !match) return undefined
  const cause = oneLine(words.slice(match.index + match[0].length).slice(0, MAX_CAUSE))
  return {
    namespace: namespace.name,
    owner: selfOf(object, 'apps/v1', 'Deployment'),
    told: () => ({ reason: 'PodsDenied', message: `its pods are denied: ${cause}` }),
  }
}
