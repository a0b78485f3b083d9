// Whether a pod as it will be stored has what rendering gives it: of the sidecar everything but what others
// may set, of other containers what is ours in them. Values are told nowhere: the sidecar's environment holds its document. Pure.

import { INJECTED_LABEL, SERVER_LABEL, SIDECAR_CONTAINER } from '../../shared/names.ts'
import { at, isSame, objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import { identityVolumes } from '../inject/cloud-identity.ts'
import { isGated } from '../inject/gate.ts'
import { isGuestMount, isGuestVariable } from '../inject/guest.ts'
import { members, nameOf, ownSidecar } from '../inject/pod.ts'
import { isReservedVolume } from '../inject/volumes.ts'
import type { Inject } from '../inject/outcome.ts'
import type { Breach } from '../rules/judge.ts'
import type { Floor } from '../settings/floor.ts'
import { RESOURCES } from '../settings/quantity.ts'
import { isResolved } from '../images/reference.ts'
import { limitFault } from './sidecar-limits.ts'

/** Of the sidecar's container what others may set: how it is pulled and how its end is told. Resources have bounds of their own. */
const FREE_FIELDS: ReadonlySet<string> = new Set([
  'imagePullPolicy',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'resources',
  'resizePolicy',
])
/** To these guests may add. */
const GUEST_LISTS = ['env', 'volumeMounts'] as const
const isHeldWhole = (field: string): boolean =>
  !FREE_FIELDS.has(field) && !GUEST_LISTS.some((list) => list === field)

const SERVER_FIELDS = ['command', 'args'] as const

/** The token by which the pod is known to its cloud is the server's. */
const isWelcome = (pod: JsonObject): ((mount: JsonObject) => boolean) => {
  const isIdentity = identityVolumes(pod)
  return (mount) => isGuestMount(mount) && !isIdentity(nameOf(mount))
}

/** What of a list is not what guests have added to it. */
const isOwnItem = (
  wanted: JsonObject,
  list: 'env' | 'volumeMounts',
  pod: JsonObject,
): ((item: JsonObject) => boolean) => {
  const isGuest = list === 'env' ? isGuestVariable : isWelcome(pod)
  const ours = objectsAt(wanted, list)
  return (item) => !isGuest(item) || ours.some((own) => isSame(own, item))
}

// Every field of a container that is, and those that Kubernetes will add to it: what is not known is not let pass.
const sidecarFields = (
  stored: JsonObject,
  rendered: JsonObject,
  pod: JsonObject,
): readonly string[] => [
  ...[...new Set([...Object.keys(rendered), ...Object.keys(stored)])]
    .filter(isHeldWhole)
    .filter((field) => !isSame(at(stored, field), at(rendered, field))),
  ...GUEST_LISTS.filter(
    (list) =>
      !isSame(
        objectsAt(stored, list).filter(isOwnItem(rendered, list, pod)),
        objectsAt(rendered, list),
      ),
  ),
]

/**
 * The sidecar with the tag again that another webhook has resolved: in a pod that is created, which has passed ours, nobody
 * else can have written it. A running one's image is nobody's to change.
 */
const unresolved = (stored: JsonObject, rendered: JsonObject): JsonObject => {
  const [is, was] = [stringAt(stored, 'image') ?? '', stringAt(rendered, 'image') ?? '']
  return isResolved(is, was) ? withAt(stored, ['image'], was) : stored
}

/** Resources that others may have set: limits that are there and within the floor, and nothing else but requests. */
const resourceFaults = (sidecar: JsonObject, floor: Floor): readonly string[] => [
  ...RESOURCES.flatMap((name) => limitFault(sidecar, name, floor) ?? []),
  ...(at(sidecar, 'resources', 'claims') === undefined ? [] : ['resources.claims is not ours']),
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

/** Containers that reach what rendering does not give them: by our volumes one would ask the server in the sidecar's place. A cloud's token is a rule's. */
const mountBreaches = (stored: JsonObject, rendered: JsonObject): readonly Breach[] => {
  const wanted = mountsOfOurs(rendered)
  return [...mountsOfOurs(stored)].flatMap(([name, mounts]) => {
    const given = new Map((wanted.get(name) ?? []).map((mount) => [at(mount, 'mountPath'), mount]))
    const isGiven = mounts.every((mount) => isSame(given.get(at(mount, 'mountPath')), mount))
    return differing(`container ${name}`, isGiven ? [] : ['volumeMounts'])
  })
}

const accountOf = (pod: JsonObject): string | undefined =>
  stringAt(pod, 'spec', 'serviceAccountName')

const LABELS = [INJECTED_LABEL, SERVER_LABEL]

const breach = (where: string, found: string): Breach => ({ rule: 'sidecar', where, found })

const differing = (where: string, fields: readonly string[]): readonly Breach[] =>
  fields.length === 0 ? [] : [breach(where, `${fields.join(', ')} not as Outrigger renders it`)]

/** What of ours is missing or differs, by rendering. */
export const differences = (
  stored: JsonObject,
  { pod: rendered, server }: Pick<Inject, 'pod' | 'server'>,
  floor: Floor,
): readonly Breach[] => {
  const [is, wanted] = [ownSidecar(stored), ownSidecar(rendered)]
  if (!is || !wanted) return [breach('pod', `there is no container ${SIDECAR_CONTAINER} in it`)]
  const labels = LABELS.filter(
    (name) => at(stored, 'metadata', 'labels', name) !== at(rendered, 'metadata', 'labels', name),
  )
  return [
    ...differing(
      `container ${SIDECAR_CONTAINER}`,
      sidecarFields(unresolved(is, wanted), wanted, stored),
    ),
    ...resourceFaults(is, floor).map((found) => breach(`container ${SIDECAR_CONTAINER}`, found)),
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
    ...differing(
      'pod',
      isSame(accountOf(stored), accountOf(rendered)) ? [] : ['serviceAccountName'],
    ),
    ...differing('pod', isGated(rendered) && !isGated(stored) ? ['schedulingGates'] : []),
  ]
}

/** What an update changes of the sidecar's container; its resources are judged by themselves. */
export const sidecarChanges = (before: JsonObject, after: JsonObject): readonly Breach[] => {
  const [was, is] = [ownSidecar(before), ownSidecar(after)]
  const fields = was && is ? sidecarFields(is, was, after) : []
  return differing(`container ${SIDECAR_CONTAINER}`, fields)
}
