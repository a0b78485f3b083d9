// The status annotation: what injection changed, so that `outrigger uninject` can give it back.
// Information only. It is never trusted: admission renders everything again from the pod itself,
// and carries an earlier status on only where the pod still bears our sidecar. Pure.

import { z } from 'zod'
import { SIDECAR_CONTAINER, STATUS_ANNOTATION } from '../../shared/names.ts'
import {
  at,
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
  was: z.record(z.string(), z.custom<Json>()),
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

const POD_PLACES: readonly Path[] = [
  ['metadata', 'annotations', DEFAULT_CONTAINER],
  ...SKIP_ANNOTATIONS.map((name): Path => ['metadata', 'annotations', name]),
  ['spec', 'automountServiceAccountToken'],
  ['spec', 'imagePullSecrets'],
  ['spec', 'resources'],
  ['spec', 'securityContext', 'runAsNonRoot'],
  ['spec', 'securityContext', 'seccompProfile'],
]
const CONTAINER_PLACES: readonly Path[] = [
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
]

/** Variables that injection may have added, each a place of its own: nobody's values come into the status. */
const variables = (prefix: string, container: JsonObject) =>
  objectsAt(container, 'env')
    .map(nameOf)
    .filter((name) => PLACE_VARIABLES.includes(name))
    .map((name) => [`${prefix} env ${name}`, true] as const)

/** The places of one container. */
const placesIn = ({ list, name, container }: Member) => [
  ...CONTAINER_PLACES.map(
    (path) => [`${list} ${name} ${path.join(' ')}`, at(container, ...path)] as const,
  ),
  ...variables(`${list} ${name}`, container),
]

/** Every place that injection may change: its name in `was`, and the value there. */
const places = (pod: JsonObject): ReadonlyMap<string, Json | undefined> =>
  new Map([
    ...POD_PLACES.map((path) => [path.join(' '), at(pod, ...path)] as const),
    ...members(pod)
      .filter(({ name }) => name !== SIDECAR_CONTAINER)
      .flatMap(placesIn),
  ])

/** The earlier values, those of an earlier pass before those of this one. */
const changes = (before: JsonObject, after: JsonObject): Record<string, Json> => {
  const carried = ownSidecar(before) === undefined ? {} : (readStatus(before)?.was ?? {})
  const [old, now] = [places(before), places(after)]
  return Object.fromEntries(
    [...now.keys()].sort().flatMap((place): readonly (readonly [string, Json])[] => {
      if (Object.hasOwn(carried, place)) return [[place, carried[place] ?? null]]
      const value = old.get(place)
      // A command that was there and still is, is given back by taking the shim out of the line.
      const isKept =
        isSame(value, now.get(place)) ||
        (value &&
          isLine(place) &&
          isSame(wordsWithoutShim(value), wordsWithoutShim(now.get(place))))
      return isKept ? [] : [[place, value ?? null]]
    }),
  )
}

const STATUS_PLACE = `metadata annotations ${STATUS_ANNOTATION}`

/** What the pod's author had written in the status's place before the first pass. */
const ownText = (before: JsonObject): Json | undefined =>
  ownSidecar(before) === undefined
    ? stringAt(before, 'metadata', 'annotations', STATUS_ANNOTATION)
    : readStatus(before)?.was[STATUS_PLACE]

const isLine = (place: string): boolean => place.endsWith(' command') || place.endsWith(' args')

export interface StatusParts {
  readonly container: string
  readonly transport: 'stdio' | 'http'
  readonly direct: readonly number[]
}

/** The status annotation's text for a pod that injection turned from one form into another. */
export const statusText = (before: JsonObject, after: JsonObject, parts: StatusParts): string => {
  const { container, transport, direct } = parts
  const reached = direct.length > 0 ? { direct: [...direct] } : {}
  const own = ownText(before)
  const was = { ...changes(before, after), ...(own === undefined ? {} : { [STATUS_PLACE]: own }) }
  const status: Status = { version: 1, container, transport, ...reached, was }
  return JSON.stringify(status)
}
