// What is wrong with the answer to a review, whatever the review: told from the two of them, by none of the code that
// decides. What a pod lacks that was let through, says sidecar-needs.ts. Pure.

import {
  at,
  isObject,
  isSame,
  objectAt,
  objectsAt,
  stringAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'
import { INJECTED_LABEL, INJECTION_LABEL, SIDECAR_CONTAINER } from '../../shared/names.ts'
import { applyPatch, type Operation } from '../../webhook/inject/patch.ts'

/** The namespaces that reviews name, by what holds in them. */
export const OPTED_IN = 'opted-in'
export const STRICT = 'strict'

export type Way = '/mutate' | '/validate'

const MOST_LETTERS = 400_000

const SUBRESOURCES: Readonly<Record<string, readonly string[]>> = {
  CREATE: [''],
  UPDATE: ['', 'status', 'ephemeralcontainers', 'resize'],
  CONNECT: ['attach', 'exec', 'portforward', 'proxy'],
}

/** Whether a request is an operation on these, by whatever subresource it is judged. */
const isOn = (resource: string, request: JsonObject, operation: string): boolean =>
  isSame(request['resource'], { group: '', version: 'v1', resource }) &&
  request['operation'] === operation &&
  SUBRESOURCES[operation]?.some((one) => one === (request['subResource'] ?? '')) === true

const isMirror = (pod: JsonObject): boolean =>
  at(pod, 'metadata', 'annotations', 'kubernetes.io/config.mirror') !== undefined

/** A pod that is created and asks for a server, or whose namespace does. */
export const askingPod = (review: Json): JsonObject | undefined => {
  const request = objectAt(review, 'request')
  const { object, namespace } = request
  if (!isOn('pods', request, 'CREATE') || !isObject(object) || isMirror(object)) return undefined
  const word = at(object, 'metadata', 'annotations', 'outrigger.dev/inject')
  return word === 'true' || namespace === OPTED_IN ? object : undefined
}

/** The pod as a response leaves it. */
export const patchedBy = (response: JsonObject, pod: JsonObject): JsonObject => {
  const patch = stringAt(response, 'patch')
  if (patch === undefined) return pod
  const operations: readonly Operation[] = JSON.parse(Buffer.from(patch, 'base64').toString())
  const applied = applyPatch(pod, operations)
  if (!applied.ok) throw new Error(applied.error)
  return applied.value
}

const hasSidecar = (pod: JsonObject): boolean =>
  objectsAt(pod, 'spec', 'initContainers').some(
    (container) =>
      container['name'] === SIDECAR_CONTAINER &&
      container['image'] === 'example.com/sidecar:1' &&
      container['restartPolicy'] === 'Always',
  )

/** What no level allows, wherever it stands. */
const isWeak = (pod: JsonObject): boolean =>
  ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace'].some(
    (field) => at(pod, 'spec', field) === true,
  ) ||
  objectsAt(pod, 'spec', 'volumes').some((volume) => isObject(volume['hostPath'])) ||
  ['initContainers', 'containers'].some((list) =>
    objectsAt(pod, 'spec', list).some(
      (container) => at(container, 'securityContext', 'privileged') === true,
    ),
  )

const faultOf = (pod: JsonObject): string | undefined => {
  if (!hasSidecar(pod)) return 'no sidecar'
  return isWeak(pod) ? 'weaker than any level allows' : undefined
}

const markOf = (pod: Json | undefined): Json | undefined =>
  at(pod, 'metadata', 'labels', INJECTED_LABEL)

/** A label of ours that comes or goes on a running pod. */
const isForging = ({ object, oldObject, ...request }: JsonObject): boolean =>
  isOn('pods', request, 'UPDATE') && isObject(object) && !isSame(markOf(object), markOf(oldObject))

/** Somebody gets into a pod where that is denied. */
const isEntering = (request: JsonObject): boolean =>
  isOn('pods', request, 'CONNECT') && request['namespace'] === STRICT

/** A namespace that no longer asks for what it asked for, by the word of somebody of no group. */
const isLoosening = ({ object, oldObject, ...request }: JsonObject): boolean => {
  if (!isOn('namespaces', request, 'UPDATE') || !isObject(object)) return false
  const [before, after] = [oldObject, object].map((one) =>
    at(one, 'metadata', 'labels', INJECTION_LABEL),
  )
  return before === 'enabled' && after !== 'enabled'
}

/** What is wrong with what validation has let pass. */
const faultValidated = (review: Json): string | undefined => {
  const request = objectAt(review, 'request')
  if (isForging(request)) return 'a mark of ours is forged'
  if (isEntering(request)) return 'somebody gets into a pod'
  if (isLoosening(request)) return 'a namespace is loosened'
  const pod = askingPod(review)
  return pod && faultOf(pod)
}

/** What is wrong with an answer; undefined where nothing is. */
export const faultIn = (review: Json, document: JsonObject, way: Way): string | undefined => {
  const response = objectAt(document, 'response')
  if (typeof response['allowed'] !== 'boolean') return 'neither allowed nor denied'
  if (response['uid'] !== stringAt(review, 'request', 'uid')) return 'another uid'
  if (JSON.stringify(document).length > MOST_LETTERS) return 'too long'
  if (way === '/validate' && (response['patch'] ?? response['patchType']) !== undefined)
    return 'changes what is only judged'
  if (!response['allowed']) return undefined
  if (way === '/validate') return faultValidated(review)
  const pod = askingPod(review)
  return pod && faultOf(patchedBy(response, pod))
}

/** The review of what has become of a review's pod. */
export const reviewAfter = (review: Json, object: JsonObject): JsonObject => ({
  ...(isObject(review) ? review : {}),
  request: { ...objectAt(review, 'request'), object },
})
