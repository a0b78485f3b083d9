// The status annotation: what injection changed, so that `outrigger uninject` can give it back.
// Information only. It is never trusted: admission renders everything again from the pod itself,
// and carries an earlier status on only where the pod still bears our sidecar. Pure.

import { z } from 'zod'
import { SIDECAR_CONTAINER, STATUS_ANNOTATION } from '../../shared/names.ts'
import {
  atPath,
  isObject,
  isSame,
  objectsAt,
  stringAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'
import { SKIP_ANNOTATIONS } from './cloud-identity.ts'
import { wordsWithoutShim } from './command.ts'
import { extentFault } from './limits.ts'
import { PLACE_VARIABLES } from './installers.ts'
import { members, nameOf, ownSidecar, type Member } from './pod.ts'
import { DEFAULT_CONTAINER } from './server-container.ts'
import { TAKEN } from './taken.ts'

type Path = readonly [string, ...string[]]

const schema = z.strictObject({
  version: z.literal(1),
  container: z.string(),
  transport: z.enum(['stdio', 'http']),
  /** Ports by which the server is reached around the sidecar. */
  direct: z.array(z.number()).optional(),
  /** Earlier values by place; null where there was none. A place is a path whose list items go by name. */
  was: z.custom<Readonly<Record<string, Json>>>(isObject),
})
export type Status = z.output<typeof schema>

const readText = (text: string): Status | undefined => {
  const document: unknown = JSON.parse(text)
  return isObject(document) && extentFault(document) === undefined
    ? schema.safeParse(document).data
    : undefined
}

/** The status that a pod bears, or undefined where it has none of our form. */
export const readStatus = (pod: JsonObject): Status | undefined => {
  const text = stringAt(pod, 'metadata', 'annotations', STATUS_ANNOTATION)
  try {
    return text === undefined ? undefined : readText(text)
  } catch {
    return undefined
  }
}

/** A path and its name in `was`. */
type Place = readonly [path: Path, name: string]

const placed = (...paths: readonly Path[]): readonly Place[] =>
  paths.map((path) => [path, path.join(' ')])

const POD_PLACES = placed(
  ['metadata', 'annotations', DEFAULT_CONTAINER],
  ...SKIP_ANNOTATIONS.map((name): Path => ['metadata', 'annotations', name]),
  ['spec', 'automountServiceAccountToken'],
  ['spec', 'imagePullSecrets'],
  ['spec', 'resources'],
  ['spec', 'schedulingGates'],
  ['spec', 'serviceAccount'],
  ['spec', 'serviceAccountName'],
  ['spec', 'securityContext', 'runAsNonRoot'],
  ['spec', 'securityContext', 'seccompProfile'],
)
const CONTAINER_PLACES = placed(
  ['command'],
  ['args'],
  ['image'],
  ['ports'],
  ['resources'],
  ['securityContext', 'allowPrivilegeEscalation'],
  ['securityContext', 'capabilities'],
  ['securityContext', 'readOnlyRootFilesystem'],
  ['securityContext', 'runAsGroup'],
  ['securityContext', 'runAsUser'],
  ...TAKEN.map(([path]) => path),
  ['lifecycle', 'preStop'],
)

/** A place that injection may change: what its name begins with, its name, and what stood there and stands there now. */
interface Change {
  readonly prefix: string
  readonly name: string
  readonly before: Json | undefined
  readonly after: Json | undefined
}

const placeOf = ({ prefix, name }: Change): string => `${prefix}${name}`

const PLACES: ReadonlySet<string> = new Set(PLACE_VARIABLES)
const variablesOf = (container: JsonObject): readonly string[] =>
  objectsAt(container, 'env')
    .map(nameOf)
    .filter((name) => PLACES.has(name))

const changedAt = (
  prefix: string,
  places: readonly Place[],
  was: JsonObject,
  is: JsonObject,
): readonly Change[] =>
  places.map(([path, name]) => ({
    prefix,
    name,
    before: atPath(was, path),
    after: atPath(is, path),
  }))

/** Variables that injection may have added, each a place of its own: nobody's values come into the status. */
const changedVariables = (
  prefix: string,
  before: JsonObject,
  after: JsonObject,
): readonly Change[] => {
  const old = new Set(variablesOf(before))
  return variablesOf(after).map((name) => ({
    prefix,
    name: `env ${name}`,
    before: old.has(name) ? true : undefined,
    after: true,
  }))
}

const keyOf = ({ list, name }: Member): string => `${list} ${name}`

/** The places of one container. */
const changedIn = (prefix: string, was: JsonObject, is: JsonObject): readonly Change[] => [
  ...changedAt(prefix, CONTAINER_PLACES, was, is),
  ...changedVariables(prefix, was, is),
]

const changedMembers = (before: JsonObject, after: JsonObject): readonly Change[] => {
  const old = new Map(members(before).map((member) => [keyOf(member), member.container]))
  return members(after)
    .filter(({ name }) => name !== SIDECAR_CONTAINER)
    .flatMap((member) => {
      const key = keyOf(member)
      return changedIn(`${key} `, old.get(key) ?? {}, member.container)
    })
}

const changed = (before: JsonObject, after: JsonObject): readonly Change[] => [
  ...changedAt('', POD_PLACES, before, after),
  ...changedMembers(before, after),
]

/** A command that was there and still is, is given back by taking the shim out of the line. */
const isKept = ({ name, before, after }: Change): boolean =>
  isSame(before, after) ||
  (before !== undefined &&
    isLine(name) &&
    isSame(wordsWithoutShim(before), wordsWithoutShim(after)))

/** The earlier values, those of an earlier pass before those of this one. */
const changes = (
  before: JsonObject,
  after: JsonObject,
  earlier: Readonly<Record<string, Json>>,
): Record<string, Json> => {
  const carried = new Map(Object.entries(earlier))
  const found = changed(before, after)
    .filter((change) => (carried.size > 0 && carried.has(placeOf(change))) || !isKept(change))
    .map((change) => {
      const place = placeOf(change)
      return [
        place,
        carried.get(place) ?? (carried.has(place) ? null : (change.before ?? null)),
      ] as const
    })
  return Object.fromEntries(found.toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

const STATUS_PLACE = `metadata annotations ${STATUS_ANNOTATION}`

const isLine = (name: string): boolean => name === 'command' || name === 'args'

export interface StatusParts {
  readonly container: string
  readonly transport: 'stdio' | 'http'
  readonly direct: readonly number[]
}

/** The status annotation's text for a pod that injection turned from one form into another. */
export const statusText = (before: JsonObject, after: JsonObject, parts: StatusParts): string => {
  const { container, transport, direct } = parts
  const reached = direct.length > 0 ? { direct: [...direct] } : {}
  const isFirst = ownSidecar(before) === undefined
  const earlier = isFirst ? {} : (readStatus(before)?.was ?? {})
  // What the pod's author had written in the status's place before the first pass.
  const own = isFirst
    ? stringAt(before, 'metadata', 'annotations', STATUS_ANNOTATION)
    : earlier[STATUS_PLACE]
  const was = {
    ...changes(before, after, earlier),
    ...(own === undefined ? {} : { [STATUS_PLACE]: own }),
  }
  const status: Status = { version: 1, container, transport, ...reached, was }
  return JSON.stringify(status)
}
