// How much of everything a pod may hold to be judged at all. Nobody writes as much by hand; whoever
// generates more would hold up every other pod of the cluster meanwhile. Looked at before anything
// else is, once it is known that the pod is to be injected. Pure.

import {
  arrayAt,
  isList,
  isObject,
  objectAt,
  objectsAt,
  stringAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'
import { violation, type Violation } from '../settings/violation.ts'

/** Members and items, all together. */
export const MAX_VALUES = 20_000
/** Lists and mappings in one another. */
export const MAX_DEPTH = 64
/** The API server's own limit on all annotations of an object, names and values. */
export const MAX_ANNOTATION_BYTES = 262_144

const MAX_ITEMS: readonly (readonly [path: readonly [string, string], most: number])[] = [
  [['metadata', 'labels'], 1024],
  [['metadata', 'annotations'], 4096],
  [['metadata', 'ownerReferences'], 256],
  [['spec', 'containers'], 256],
  [['spec', 'initContainers'], 256],
  [['spec', 'ephemeralContainers'], 256],
  [['spec', 'volumes'], 1024],
  [['spec', 'imagePullSecrets'], 256],
]
const MAX_MEMBER_ITEMS = [
  ['ports', 256],
  ['volumeMounts', 1024],
  ['volumeDevices', 1024],
] as const
// A label's length, which is the API server's limit for these names, a name's, and the kernel's for a path.
const MAX_LABEL = 63
const MAX_NAME = 253
const MAX_PATH = 4096

const tooLarge = (what: string): Violation =>
  violation('too-large', `pod: ${what}; Outrigger judges no such pod, make it smaller`)

const size = (value: Json): number => {
  if (Array.isArray(value)) return value.length
  return isObject(value) ? Object.keys(value).length : 0
}

type Holding = JsonObject | readonly Json[]

const isHolding = (value: Json | undefined): value is Holding => isObject(value) || isList(value)

/** Adds what holds values itself to the next level; how many values there are. */
const addLevel = (value: Holding, next: Holding[]): number => {
  const items = isList(value) ? value : Object.values(value)
  for (const item of items) if (isHolding(item)) next.push(item)
  return items.length
}

/** Counts level by level, since a walk that recurses is at the mercy of the depth. */
export const extentFault = (pod: JsonObject): Violation | undefined => {
  let level: readonly Holding[] = [pod]
  let values = 0
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: Holding[] = []
    const below = level.reduce((sum, value) => sum + addLevel(value, next), 0)
    values += below
    if (values > MAX_VALUES) return tooLarge(`it holds more than ${MAX_VALUES} values`)
    if (below > 0 && depth === MAX_DEPTH)
      return tooLarge(`it is more than ${MAX_DEPTH} levels deep`)
    level = next
  }
  return undefined
}

export const annotationBytes = (pod: JsonObject): number =>
  Object.entries(objectAt(pod, 'metadata', 'annotations')).reduce(
    (sum, [name, text]) =>
      sum + Buffer.byteLength(name) + (typeof text === 'string' ? Buffer.byteLength(text) : 0),
    0,
  )

const annotationFaults = (pod: JsonObject): readonly Violation[] =>
  annotationBytes(pod) > MAX_ANNOTATION_BYTES
    ? [tooLarge(`its annotations exceed ${MAX_ANNOTATION_BYTES} bytes`)]
    : []

/** Lists and mappings of which there are too many items. */
export const countFaults = (pod: JsonObject): readonly Violation[] =>
  MAX_ITEMS.flatMap(([path, most]) => {
    const [outer, inner] = path
    const count = size(objectAt(pod, outer)[inner] ?? null)
    return count > most ? [tooLarge(`${path.join('.')} holds ${count} items, at most ${most}`)] : []
  })

/** A text that is longer than what it is may be, named by its place: never by itself. */
const lengthFaults = (
  where: string,
  object: Json | undefined,
  names: readonly string[],
  most: number,
): readonly Violation[] =>
  names
    .filter((name) => (stringAt(object, name) ?? '').length > most)
    .map((name) => tooLarge(`${where}.${name} is longer than ${most} characters`))

const memberFaults = (where: string, member: JsonObject): readonly Violation[] => [
  ...lengthFaults(where, member, ['name'], MAX_LABEL),
  ...lengthFaults(where, member, ['image'], MAX_PATH),
  ...MAX_MEMBER_ITEMS.filter(([name, most]) => (arrayAt(member, name) ?? []).length > most).map(
    ([name, most]) => tooLarge(`${where}.${name} holds more than ${most} items`),
  ),
  ...objectsAt(member, 'ports').flatMap((port, index) =>
    lengthFaults(`${where}.ports[${index}]`, port, ['name', 'protocol'], MAX_LABEL),
  ),
  ...objectsAt(member, 'volumeMounts').flatMap((mount, index) =>
    lengthFaults(`${where}.volumeMounts[${index}]`, mount, ['name', 'mountPath'], MAX_PATH),
  ),
  ...objectsAt(member, 'volumeDevices').flatMap((device, index) =>
    lengthFaults(`${where}.volumeDevices[${index}]`, device, ['devicePath'], MAX_PATH),
  ),
]

const nameFaults = (pod: JsonObject): readonly Violation[] => [
  ...lengthFaults('metadata', pod['metadata'], ['name', 'generateName'], MAX_NAME),
  ...objectsAt(pod, 'metadata', 'ownerReferences').flatMap((owner, index) =>
    lengthFaults(`metadata.ownerReferences[${index}]`, owner, ['kind', 'name'], MAX_NAME),
  ),
  ...objectsAt(pod, 'spec', 'volumes').flatMap((volume, index) =>
    lengthFaults(`spec.volumes[${index}]`, volume, ['name'], MAX_LABEL),
  ),
  ...['initContainers', 'containers'].flatMap((list) =>
    objectsAt(pod, 'spec', list).flatMap((member, index) =>
      memberFaults(`spec.${list}[${index}]`, member),
    ),
  ),
]

/** What is too large; each group only where the one before it has found nothing, since it counts on that. */
export const limitFaults = (pod: JsonObject): readonly Violation[] => {
  const extent = extentFault(pod)
  if (extent) return [extent]
  const counts = [...annotationFaults(pod), ...countFaults(pod)]
  return counts.length > 0 ? counts : nameFaults(pod)
}
