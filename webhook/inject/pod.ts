// Reading and rewriting the containers of a raw pod. Nothing is decided here.

import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { at, objectsAt, stringAt, stringsAt, withAt, type JsonObject } from '../../shared/json.ts'
import type { Floor } from '../settings/floor.ts'

export type List = 'initContainers' | 'containers'
const LISTS: readonly List[] = ['initContainers', 'containers']

export interface Member {
  readonly list: List
  readonly name: string
  readonly container: JsonObject
}

export const nameOf = (item: JsonObject): string => stringAt(item, 'name') ?? ''

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

/** What Istio and Linkerd start in the hooks of their proxies. */
const MESH_HOOKS: readonly string[] = [
  'pilot-agent',
  '/usr/lib/linkerd/linkerd-await',
  '/bin/sleep',
]

const isMeshHook = (container: JsonObject, hook: 'postStart' | 'preStop'): boolean => {
  if (at(container, 'lifecycle', hook) === undefined) return true
  const [program = ''] = stringsAt(container, 'lifecycle', hook, 'exec', 'command') ?? []
  return MESH_HOOKS.includes(program)
}

/** What an image of a mesh does by itself, whoever has put it into the pod: no other program, no rights of the node's. */
const isItself = (container: JsonObject): boolean =>
  at(container, 'command') === undefined &&
  isMeshHook(container, 'postStart') &&
  isMeshHook(container, 'preStop') &&
  at(container, 'securityContext', 'privileged') !== true

const isNamedBy = (
  { name, image, digests }: Floor['exemptContainers'][number],
  container: JsonObject,
): boolean => {
  const reference = stringAt(container, 'image') ?? ''
  const [, digest = ''] = reference.split('@', 2)
  return (
    name === nameOf(container) &&
    image === repository(reference) &&
    (digests === undefined || digests.includes(digest))
  )
}

/**
 * Whether a container is one of a mesh that the floor exempts, by name and image, and its digest where the floor has one.
 * Anybody can take a name, so one that is made to run something else is judged as every other.
 */
export const isExempt = (container: JsonObject, floor: Floor): boolean =>
  isItself(container) && floor.exemptContainers.some((exempt) => isNamedBy(exempt, container))

/** An image reference without digest and tag: `registry:5000/team/app:1@sha256:…` → `registry:5000/team/app`. */
const repository = (image: string): string => {
  const [tagged = ''] = image.split('@', 1)
  const colon = tagged.lastIndexOf(':')
  return colon > tagged.lastIndexOf('/') ? tagged.slice(0, colon) : tagged
}

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
