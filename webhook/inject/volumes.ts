// The volumes and mounts that injection adds: the shim's, the control socket's, writable places
// over a read-only root. Names are made from what they are for, so that a second pass finds them. Pure.

import { hash } from 'node:crypto'
import {
  BIN_DIR,
  BIN_VOLUME,
  HOMES_DIR,
  HOMES_VOLUME,
  RUN_DIR,
  RUN_VOLUME,
} from '../../shared/names.ts'
import { at, objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import { TMP } from './mounts.ts'
import { cleanPath } from './paths.ts'
import { mapContainers, nameOf, putBy, type Member } from './pod.ts'
import { sidecarVolumeForms } from './sidecar-volumes.ts'

const TMP_VOLUME = 'outrigger-tmp-'
const DIRECTORY_VOLUME = 'outrigger-dir-'

const digest = (text: string): string => hash('sha256', text).slice(0, 8)

const tmpVolume = (container: string): string => `${TMP_VOLUME}${digest(container)}`
const directoryVolume = (path: string): string => `${DIRECTORY_VOLUME}${digest(path)}`

/** Whether a volume's name is one that only we give. */
export const isReservedVolume = (name: string): boolean =>
  name === BIN_VOLUME ||
  name === RUN_VOLUME ||
  name === HOMES_VOLUME ||
  sidecarVolumeForms(name).length > 0 ||
  name.startsWith(TMP_VOLUME) ||
  name.startsWith(DIRECTORY_VOLUME)

/** Whether a mount of a reserved volume is one that we write, in this container at this path. */
export const isOwnMount = (container: string, mount: JsonObject): boolean => {
  const [name, path] = [nameOf(mount), stringAt(mount, 'mountPath') ?? '']
  if (name === BIN_VOLUME) return path === BIN_DIR && at(mount, 'readOnly') === true
  if (name === RUN_VOLUME) return path === RUN_DIR
  if (name === HOMES_VOLUME) return path === HOMES_DIR
  return name === (path === TMP ? tmpVolume(container) : directoryVolume(path))
}

const emptyDir = (name: string, options: JsonObject = {}): JsonObject => ({
  name,
  emptyDir: options,
})
const BIN = emptyDir(BIN_VOLUME, { sizeLimit: '8Mi' })
// In memory, so that its root is sticky: nobody can rename the sidecar's files there.
const RUN = emptyDir(RUN_VOLUME, { medium: 'Memory', sizeLimit: '4Mi' })

/** The sidecar's side of the two volumes of a shim. */
export const SIDECAR_MOUNTS: readonly JsonObject[] = [
  { name: BIN_VOLUME, mountPath: BIN_DIR },
  { name: RUN_VOLUME, mountPath: RUN_DIR },
]
const SERVER_MOUNTS: readonly JsonObject[] = [
  { name: BIN_VOLUME, mountPath: BIN_DIR, readOnly: true },
  { name: RUN_VOLUME, mountPath: RUN_DIR },
]
const HOMES_MOUNTS: readonly JsonObject[] = [{ name: HOMES_VOLUME, mountPath: HOMES_DIR }]

export interface VolumePlan {
  readonly server: string
  /** Those that the sidecar alone mounts. */
  readonly sidecarVolumes: readonly JsonObject[]
  /** Whether a shim runs the server. */
  readonly hasShim: boolean
  /** Whether that shim's processes have their private directories where nothing else of theirs is. */
  readonly hasHomes: boolean
  /** For the server, and for the init containers that prepare them for it. */
  readonly writablePaths: readonly string[]
  /** A mesh's containers are left as they are. */
  readonly isOurs: (member: Member) => boolean
  /** Whether a container gets a writable /tmp over its read-only root. */
  readonly needsTmp: (member: Member) => boolean
}

/** Mounts of the directories that are to be writable, made once for all containers. */
const directoryMounts = ({ writablePaths }: VolumePlan): readonly JsonObject[] =>
  writablePaths
    .filter((path) => path !== TMP)
    .map((path) => ({ name: directoryVolume(path), mountPath: path }))

const writable = (
  member: Member,
  plan: VolumePlan,
  directories: readonly JsonObject[],
): readonly JsonObject[] => {
  const own = objectsAt(member.container, 'volumeMounts')
  const users = own.filter((mount) => !isReservedVolume(nameOf(mount)))
  const mounted = new Set(users.map((mount) => cleanPath(stringAt(mount, 'mountPath') ?? '')))
  const isWriter = member.list === 'initContainers' || member.name === plan.server
  return [
    ...(plan.needsTmp(member) ? [{ name: tmpVolume(member.name), mountPath: TMP }] : []),
    ...(isWriter && plan.isOurs(member) ? directories : []),
  ].filter((mount) => !mounted.has(stringAt(mount, 'mountPath') ?? ''))
}

const mountsFor = (
  member: Member,
  plan: VolumePlan,
  directories: readonly JsonObject[],
): readonly JsonObject[] => [
  ...(plan.hasShim && member.name === plan.server ? SERVER_MOUNTS : []),
  ...(plan.hasHomes && member.name === plan.server ? HOMES_MOUNTS : []),
  ...writable(member, plan, directories),
]

/** Keeps the user's items and ours that are still wanted, in their places; new ones of ours at the end. */
const merge = (
  key: string,
  before: readonly JsonObject[],
  wanted: readonly JsonObject[],
): readonly JsonObject[] => {
  const ours = new Set(wanted.map((item) => item[key]))
  const kept = before.filter((item) => !isReservedVolume(nameOf(item)) || ours.has(item[key]))
  return putBy(key, kept, wanted)
}

const withList = (
  object: JsonObject,
  path: readonly [string, ...string[]],
  list: readonly JsonObject[],
): JsonObject =>
  list.length === 0 && at(object, ...path) === undefined ? object : withAt(object, path, list)

/** The pod with our volumes and every container's mounts of them. */
export const addVolumes = (pod: JsonObject, plan: VolumePlan): JsonObject => {
  const names = new Set<string>()
  const directories = directoryMounts(plan)
  const mounted = mapContainers(pod, (member) => {
    const wanted = mountsFor(member, plan, directories)
    for (const mount of wanted) names.add(nameOf(mount))
    const before = objectsAt(member.container, 'volumeMounts')
    return withList(member.container, ['volumeMounts'], merge('mountPath', before, wanted))
  })
  const volumes = [...names].map((name) => {
    if (name === BIN_VOLUME) return BIN
    return name === RUN_VOLUME ? RUN : emptyDir(name)
  })
  return withList(
    mounted,
    ['spec', 'volumes'],
    merge('name', objectsAt(pod, 'spec', 'volumes'), [...volumes, ...plan.sidecarVolumes]),
  )
}
