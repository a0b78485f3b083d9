// Reading a raw pod, and rewriting its containers. Nothing is decided here.

import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { at, objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'

export type List = 'initContainers' | 'containers'
const LISTS: readonly List[] = ['initContainers', 'containers']

export interface Member {
  readonly list: List
  readonly name: string
  readonly container: JsonObject
}

export type Place = readonly [string, ...string[]]
/** Where a container says what the kubelet asks of it, and what it starts in it. */
export const PROBES: readonly Place[] = [['livenessProbe'], ['readinessProbe'], ['startupProbe']]
export const HOOKS: readonly Place[] = [
  ['lifecycle', 'postStart'],
  ['lifecycle', 'preStop'],
]

export const nameOf = (item: JsonObject): string => stringAt(item, 'name') ?? ''

/** Whether a container's `envFrom` may hold a variable: its names are known on the node alone. */
export const mayHide = (container: JsonObject, variable: string): boolean =>
  objectsAt(container, 'envFrom').some((source) =>
    variable.startsWith(stringAt(source, 'prefix') ?? ''),
  )

/** Every container of the pod, init containers first. */
export const members = (pod: JsonObject): readonly Member[] =>
  LISTS.flatMap((list) =>
    objectsAt(pod, 'spec', list).map((container) => ({ list, name: nameOf(container), container })),
  )

/** A copy of the pod with every container (our own left out) run through a function. */
export const mapContainers = (
  pod: JsonObject,
  change: (member: Member) => JsonObject,
): JsonObject =>
  LISTS.reduce((current, list) => {
    const containers = objectsAt(current, 'spec', list)
    if (containers.length === 0) return current
    const changed = containers.map((container) =>
      nameOf(container) === SIDECAR_CONTAINER
        ? container
        : change({ list, name: nameOf(container), container }),
    )
    return withAt(current, ['spec', list], changed)
  }, pod)

/** Our own container as an earlier pass left it. */
export const ownSidecar = (pod: JsonObject): JsonObject | undefined =>
  objectsAt(pod, 'spec', 'initContainers').find((item) => nameOf(item) === SIDECAR_CONTAINER)

/** Whether it will not come to life any more. */
export const isOver = (pod: JsonObject): boolean =>
  ['Succeeded', 'Failed'].includes(stringAt(pod, 'status', 'phase') ?? '')

/** What controls an object, a pod or another, and writes it: the reference to it. */
export const controllerOf = (object: JsonObject): JsonObject | undefined =>
  objectsAt(object, 'metadata', 'ownerReferences').find((owner) => at(owner, 'controller') === true)

/** The list with each item in the place of the first one with the same key, else at its end. */
export const putBy = (
  key: string,
  list: readonly JsonObject[],
  items: readonly JsonObject[],
): readonly JsonObject[] => {
  const result = [...list]
  const places = new Map(list.map((item, index) => [item[key], index] as const).toReversed())
  for (const item of items) {
    const place = places.get(item[key]) ?? result.length
    places.set(item[key], place)
    result[place] = item
  }
  return result
}
