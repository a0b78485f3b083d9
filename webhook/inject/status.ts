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
import { members, nameOf, ownSidecar } from './pod.ts'
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

/** What stood and what stands at a place, by its name. */
type See = (name: string, before: Json | undefined, after: Json | undefined) => void

const PLACES: ReadonlySet<string> = new Set(PLACE_VARIABLES)
const variablesOf = (container: JsonObject): readonly string[] =>
  objectsAt(container, 'env')
    .map(nameOf)
    .filter((name) => PLACES.has(name))

/** Variables that injection may have added, each a place of its own: nobody's values come into the status. */
const seeVariables = (was: JsonObject, is: JsonObject, see: See): void => {
  const old = new Set(variablesOf(was))
  for (const name of variablesOf(is)) see(`env ${name}`, old.has(name) ? true : undefined, true)
}

/** The containers of a pod but our own, by list and name. */
const byKey = (pod: JsonObject): ReadonlyMap<string, JsonObject> =>
  new Map(
    members(pod)
      .filter(({ name }) => name !== SIDECAR_CONTAINER)
      .map(({ list, name, container }) => [`${list} ${name}`, container]),
  )

/** A command that was there and still is, is given back by taking the shim out of the line. */
const isKept: (...seen: Parameters<See>) => boolean = (name, before, after) =>
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
  const found: (readonly [place: string, value: Json])[] = []
  const seeIn =
    (prefix: string): See =>
    (name, was, is) => {
      const place = `${prefix}${name}`
      if (carried.has(place)) found.push([place, carried.get(place) ?? null])
      else if (!isKept(name, was, is)) found.push([place, was ?? null])
    }
  // What a first pass has not touched is the same object; of a later one any place may be carried on.
  const isUntouched = (was: JsonObject, is: JsonObject, member: string): boolean =>
    carried.size === 0 && was[member] === is[member]
  const look = (was: JsonObject, is: JsonObject, places: readonly Place[], see: See): void => {
    for (const [path, name] of places)
      if (!isUntouched(was, is, path[0])) see(name, atPath(was, path), atPath(is, path))
  }
  look(before, after, POD_PLACES, seeIn(''))
  const old = byKey(before)
  for (const [key, is] of byKey(after)) {
    const [was, see] = [old.get(key) ?? {}, seeIn(`${key} `)]
    look(was, is, CONTAINER_PLACES, see)
    if (!isUntouched(was, is, 'env')) seeVariables(was, is, see)
  }
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
