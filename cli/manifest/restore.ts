// Takes injection off a pod again: our parts go by their reserved names, what was filled in or taken
// off comes back from the status. For people's own files only; admission never reads a status. Pure.

import {
  INJECTED_LABEL,
  SERVER_LABEL,
  SIDECAR_CONTAINER,
  STATUS_ANNOTATION,
} from '../../shared/names.ts'
import { readLine } from '../../webhook/inject/command.ts'
import { mapContainers, nameOf, ownSidecar } from '../../webhook/inject/pod.ts'
import { readStatus, type Status } from '../../webhook/inject/status.ts'
import { isReservedVolume } from '../../webhook/inject/volumes.ts'
import { at, isObject, objectsAt, withAt, type Json, type JsonObject } from '../../shared/json.ts'
import { hasRecord, withoutCopies } from '../../webhook/settings/workload-record.ts'

type Path = readonly [string, ...string[]]

const isEmpty = (value: Json | undefined): boolean =>
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0)

/** Takes away members that injection had to make and that are empty now; what was so in the injected object is its author's. */
const prune = (object: JsonObject, paths: readonly Path[], injected: JsonObject): JsonObject =>
  paths.reduce(
    (current, path) =>
      isEmpty(at(current, ...path)) && !isEmpty(at(injected, ...path))
        ? withAt(current, path, undefined)
        : current,
    object,
  )

const without = (
  object: JsonObject,
  path: Path,
  isGone: (item: JsonObject) => boolean,
): JsonObject =>
  at(object, ...path) === undefined
    ? object
    : withAt(
        object,
        path,
        objectsAt(object, ...path).filter((item) => !isGone(item)),
      )

const restoreLine = (container: JsonObject): JsonObject => {
  const line = readLine(container)
  if (!line.ok || line.value.hadShim === undefined) return container
  const { command, args } = line.value
  const commanded = withAt(container, ['command'], command?.length === 0 ? undefined : command)
  return withAt(commanded, ['args'], args)
}

const CONTAINER_LEFTOVERS: readonly Path[] = [
  ['env'],
  ['volumeMounts'],
  ['securityContext', 'capabilities'],
  ['securityContext'],
  ['lifecycle'],
]

type Earlier = readonly (readonly [Path, Json])[]

/** The status's earlier values whose place begins with the prefix, by the path that is left. */
const earlier = (status: Status | undefined, prefix: string): Earlier =>
  Object.entries(status?.was ?? {}).flatMap(([place, value]) => {
    const [first = '', ...rest] = place.slice(prefix.length).split(' ')
    return place.startsWith(prefix) ? [[[first, ...rest], value]] : []
  })

/** Those of the pod itself, whose places are whole paths. */
const earlierOfPod = (status: Status | undefined): Earlier =>
  earlier(status, '').filter(([[first]]) => first === 'metadata' || first === 'spec')

const restoreValues = (object: JsonObject, values: Earlier): JsonObject =>
  values.reduce(
    (current, [path, value]) => withAt(current, path, value === null ? undefined : value),
    object,
  )

/** Without the entries of `env` that injection has added. */
const withoutVariables = (container: JsonObject, before: Earlier): JsonObject => {
  const added = new Set(before.flatMap(([[first, name]]) => (first === 'env' && name) || []))
  return without(container, ['env'], (entry) => added.has(nameOf(entry)))
}

const POD_LEFTOVERS: readonly Path[] = [
  ['spec', 'volumes'],
  ['spec', 'initContainers'],
  ['spec', 'securityContext'],
  ['metadata', 'labels'],
  ['metadata', 'annotations'],
  // A template may have none.
  ['metadata'],
]

const LABELS: readonly Path[] = [
  ['metadata', 'labels', INJECTED_LABEL],
  ['metadata', 'labels', SERVER_LABEL],
]
const STATUS: Path = ['metadata', 'annotations', STATUS_ANNOTATION]

/** The pod as it was, or undefined where it bears nothing of ours. */
export const restorePod = (pod: JsonObject): JsonObject | undefined => {
  // A text in the record's place that is none is somebody's own.
  const uncopied = hasRecord(pod) ? withoutCopies(pod) : pod
  const restored = ownSidecar(pod) ? restoreInjected(uncopied) : uncopied
  return restored === pod ? undefined : prune(restored, POD_LEFTOVERS, pod)
}

const restoreInjected = (pod: JsonObject): JsonObject => {
  const status = readStatus(pod)
  const isOwn = (item: JsonObject): boolean => isReservedVolume(nameOf(item))
  const containers = mapContainers(pod, ({ list, name, container }) => {
    const before = earlier(status, `${list} ${name} `)
    const unmounted = without(restoreLine(container), ['volumeMounts'], isOwn)
    const restored = restoreValues(withoutVariables(unmounted, before), before)
    return prune(restored, CONTAINER_LEFTOVERS, container)
  })
  const volumes = without(containers, ['spec', 'volumes'], isOwn)
  const bare = without(
    volumes,
    ['spec', 'initContainers'],
    (item) => nameOf(item) === SIDECAR_CONTAINER,
  )
  // A text there that is no status of ours is somebody's own.
  const marks = status ? [...LABELS, STATUS] : LABELS
  const unmarked = marks.reduce((current, path) => withAt(current, path, undefined), bare)
  return restoreValues(unmarked, earlierOfPod(status))
}
