// Whether a pod as it will be stored has what rendering gives it: a listed set of fields, since others
// may add what is theirs. Values are told nowhere: the sidecar's environment holds its document. Pure.

import { INJECTED_LABEL, SERVER_LABEL, SIDECAR_CONTAINER } from '../../shared/names.ts'
import { at, isSame, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { members, nameOf, ownSidecar } from '../inject/pod.ts'
import { cleanPath, isWithin } from '../inject/paths.ts'
import { isReservedVolume } from '../inject/volumes.ts'
import type { Breach } from '../rules/judge.ts'

const SIDECAR_FIELDS = [
  'image',
  'command',
  'args',
  'workingDir',
  'envFrom',
  'ports',
  'restartPolicy',
  'securityContext',
  'startupProbe',
  'readinessProbe',
  'livenessProbe',
  'lifecycle',
  'volumeDevices',
  'stdin',
  'tty',
] as const

const SERVER_FIELDS = ['command', 'args'] as const

/** What the webhooks of clouds and meshes add to every container: variables that nothing of ours reads. */
const GUEST_VARIABLE = /^(?:AWS|AZURE|GOOGLE|CLOUDSDK|ISTIO|LINKERD)_[A-Z0-9_]+$/
const GUEST_DIRECTORIES = ['/var/run/secrets', '/run/secrets']

const isGuestVariable = (entry: JsonObject): boolean => GUEST_VARIABLE.test(nameOf(entry))

const isGuestMount = (mount: JsonObject): boolean =>
  at(mount, 'readOnly') === true &&
  GUEST_DIRECTORIES.some((directory) =>
    isWithin(cleanPath(stringAt(mount, 'mountPath') ?? ''), directory),
  )

/** A list without what guests have added to it. */
const ownItems = (
  container: JsonObject,
  wanted: JsonObject,
  list: 'env' | 'volumeMounts',
): readonly JsonObject[] => {
  const isGuest = list === 'env' ? isGuestVariable : isGuestMount
  const ours = objectsAt(wanted, list)
  return objectsAt(container, list).filter(
    (item) => !isGuest(item) || ours.some((own) => isSame(own, item)),
  )
}

const sidecarFields = (stored: JsonObject, rendered: JsonObject): readonly string[] => [
  ...SIDECAR_FIELDS.filter((field) => !isSame(at(stored, field), at(rendered, field))),
  ...(['env', 'volumeMounts'] as const).filter(
    (list) => !isSame(ownItems(stored, rendered, list), objectsAt(rendered, list)),
  ),
]

const ownVolumes = (pod: JsonObject): readonly JsonObject[] =>
  objectsAt(pod, 'spec', 'volumes').filter((volume) => isReservedVolume(nameOf(volume)))

const ownMounts = (container: JsonObject): readonly JsonObject[] =>
  objectsAt(container, 'volumeMounts').filter((mount) => isReservedVolume(nameOf(mount)))

const containerOf = (pod: JsonObject, name: string): JsonObject | undefined =>
  objectsAt(pod, 'spec', 'containers').find((container) => nameOf(container) === name)

const serverFields = (stored: JsonObject, rendered: JsonObject): readonly string[] => [
  ...SERVER_FIELDS.filter((field) => !isSame(at(stored, field), at(rendered, field))),
  ...(isSame(ownMounts(stored), ownMounts(rendered)) ? [] : ['volumeMounts']),
]

/** Mounts of our volumes by container but our own. */
const mountsOfOurs = (pod: JsonObject): ReadonlyMap<string, readonly JsonObject[]> =>
  new Map(
    members(pod)
      .filter(({ name }) => name !== SIDECAR_CONTAINER)
      .map(({ name, container }) => [name, ownMounts(container)]),
  )

/** Containers that reach what rendering does not give them: by our volumes one would ask the server in the sidecar's place. */
const mountBreaches = (stored: JsonObject, rendered: JsonObject): readonly Breach[] => {
  const wanted = mountsOfOurs(rendered)
  return [...mountsOfOurs(stored)].flatMap(([name, mounts]) => {
    const given = wanted.get(name) ?? []
    const isGiven = mounts.every((mount) => given.some((own) => isSame(own, mount)))
    return differing(`container ${name}`, isGiven ? [] : ['volumeMounts'])
  })
}

const LABELS = [INJECTED_LABEL, SERVER_LABEL]

const breach = (where: string, found: string): Breach => ({ rule: 'sidecar', where, found })

const differing = (where: string, fields: readonly string[]): readonly Breach[] =>
  fields.length === 0 ? [] : [breach(where, `${fields.join(', ')} not as Outrigger renders it`)]

/** What of ours is missing or differs, by rendering. */
export const differences = (
  stored: JsonObject,
  rendered: JsonObject,
  server: string,
): readonly Breach[] => {
  const [is, wanted] = [ownSidecar(stored), ownSidecar(rendered)]
  if (!is || !wanted) return [breach('pod', `there is no container ${SIDECAR_CONTAINER} in it`)]
  const labels = LABELS.filter(
    (name) => at(stored, 'metadata', 'labels', name) !== at(rendered, 'metadata', 'labels', name),
  )
  return [
    ...differing(`container ${SIDECAR_CONTAINER}`, sidecarFields(is, wanted)),
    ...differing(
      `container ${server}`,
      serverFields(containerOf(stored, server) ?? {}, containerOf(rendered, server) ?? {}),
    ),
    ...mountBreaches(stored, rendered).filter(({ where }) => where !== `container ${server}`),
    ...differing(
      'pod',
      isSame(ownVolumes(stored), ownVolumes(rendered)) ? [] : ['its volumes named outrigger-…'],
    ),
    ...differing('pod', labels),
  ]
}

/** What an update changes of the sidecar's container; its resources are judged by themselves. */
export const sidecarChanges = (before: JsonObject, after: JsonObject): readonly Breach[] => {
  const [was, is] = [ownSidecar(before), ownSidecar(after)]
  const fields = was && is ? sidecarFields(is, was) : []
  return differing(`container ${SIDECAR_CONTAINER}`, fields)
}
