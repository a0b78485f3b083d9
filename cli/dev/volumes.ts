// The volumes of a server's container, as directories of this machine: one that `--volume` names, or a new one with what
// the manifest's Secrets and ConfigMaps put there. Nothing is mounted: where command and variables name the path, the
// directory stands. Pure. What only the cluster has is named, with the flag that gives it.

import { at, objectAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { OWN_VOLUMES } from '../../shared/names.ts'
import { fieldText, resourceText, type OwnPod } from './pod-fields.ts'
import type { Supplies, SupplyKind } from './supplies.ts'

export type Content =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'files'; readonly files: ReadonlyMap<string, Buffer> }

export interface Mount {
  /** Where the container has it, without a slash at the end. */
  readonly path: string
  readonly volume: string
  readonly subPath: string
}

export interface Mounts {
  readonly contents: ReadonlyMap<string, Content>
  readonly mounts: readonly Mount[]
  readonly notes: readonly string[]
}

export interface VolumeSources {
  /** The pod's name. */
  readonly name: string
  readonly namespace: string
  readonly supplies: Supplies
  /** Directories by the names of volumes, absolute. */
  readonly directories: ReadonlyMap<string, string>
}

const OURS: ReadonlySet<string> = new Set(OWN_VOLUMES)

const SOURCES = [
  ['secret', 'Secret', 'secretName'],
  ['configMap', 'ConfigMap', 'name'],
] as const satisfies readonly (readonly [string, SupplyKind, string])[]

/** Deeper than anybody's; a longer path is refused. */
const MAX_DEPTH = 64

/** Whether a path stays in the directory that it is put into. */
const isInside = (path: string): boolean =>
  path.split('/').length <= MAX_DEPTH &&
  path !== '' &&
  !path.startsWith('/') &&
  !path.includes('\0') &&
  !path.split('/').includes('..')

/** The directories above a file. */
const foldersOf = (path: string): readonly string[] => {
  const parts = path.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

/** A path that would be a file and a directory, told. */
const clashIn = (files: ReadonlyMap<string, Buffer>): string | undefined => {
  const folder = [...files.keys()].flatMap(foldersOf).find((path) => files.has(path))
  return folder === undefined ? undefined : `${folder} is a file and a directory in it`
}

/** The files of a volume: all keys, or those that `items` lists. */
const filesOf = (
  source: JsonObject,
  values: ReadonlyMap<string, Buffer>,
): ReadonlyMap<string, Buffer> | string => {
  const items = objectsAt(source, 'items')
  const all =
    items.length > 0
      ? items.map((item) => [stringAt(item, 'key') ?? '', stringAt(item, 'path') ?? ''] as const)
      : [...values.keys()].map((key) => [key, key] as const)
  const files = new Map<string, Buffer>()
  for (const [key, path] of all) {
    const bytes = values.get(key)
    if (!bytes) return `it has no key ${key}`
    if (!isInside(path)) return `${path} leads out of the volume`
    files.set(path, bytes)
  }
  return clashIn(files) ?? files
}

type Files = ReadonlyMap<string, Buffer>

/** What the pod is told of itself, a file each. */
const downward = (source: JsonObject, own: OwnPod): Files | string => {
  const files = new Map<string, Buffer>()
  for (const item of objectsAt(source, 'items')) {
    const path = stringAt(item, 'path') ?? ''
    if (!isInside(path)) return `${path} leads out of the volume`
    const field = stringAt(item, 'fieldRef', 'fieldPath')
    const text =
      field === undefined
        ? resourceText(own, '', at(item, 'resourceFieldRef'))
        : fieldText(own, field)
    const what = field ?? stringAt(item, 'resourceFieldRef', 'resource') ?? path
    if (text === undefined) return `downwardAPI: the pod's ${what}, which only a cluster has`
    files.set(path, Buffer.from(text))
  }
  return files
}

/** The files of one source, which is a volume's or one of a projected volume's. */
const filesFrom = (
  source: JsonObject,
  { supplies, namespace, own }: VolumeSources & { readonly own: OwnPod },
): Files | string => {
  if (at(source, 'downwardAPI') !== undefined) return downward(objectAt(source, 'downwardAPI'), own)
  for (const [member, kind, nameMember] of SOURCES) {
    const name = stringAt(source, member, nameMember) ?? stringAt(source, member, 'name')
    if (name === undefined) continue
    const supply = supplies(kind, namespace, name)
    if (!supply && at(source, member, 'optional') === true) return new Map()
    if (!supply) return `${kind} ${name}, which the manifest does not hold`
    const files = filesOf(objectAt(source, member), supply.values)
    return typeof files === 'string' ? `${kind} ${name}: ${files}` : files
  }
  const type = Object.keys(source).find((member) => member !== 'name') ?? 'nothing'
  return `${type}, which only a cluster has`
}

/** Several sources in one directory: where two have the same path, the later. */
const merged = (all: readonly (Files | string)[]): Files | string => {
  const files = new Map<string, Buffer>()
  for (const one of all) {
    if (typeof one === 'string') return one
    for (const [path, bytes] of one) files.set(path, bytes)
  }
  return clashIn(files) ?? files
}

const supplied = (
  volume: JsonObject,
  sources: VolumeSources & { readonly own: OwnPod },
): Content | string => {
  if (at(volume, 'emptyDir') !== undefined) return { kind: 'files', files: new Map() }
  const isProjected = at(volume, 'projected') !== undefined
  const parts = isProjected ? objectsAt(volume, 'projected', 'sources') : [volume]
  const files = merged(parts.map((part) => filesFrom(part, sources)))
  return typeof files === 'string' ? files : { kind: 'files', files }
}

const isOwnTmp = (volume: JsonObject, path: string): boolean =>
  path === '/tmp' && at(volume, 'emptyDir') !== undefined

/** What stands for a volume's mount, or why nothing does. */
const contentOf = (
  volume: JsonObject,
  mount: Mount,
  sources: VolumeSources & { readonly own: OwnPod },
): Content | string => {
  if (mount.subPath !== '' && !isInside(mount.subPath))
    return `subPath ${mount.subPath} leads out of it`
  const path = sources.directories.get(mount.volume)
  return path === undefined ? supplied(volume, sources) : { kind: 'directory', path }
}

/** The mounts that are the author's, but a /tmp: this machine has one. */
const ownMounts = (
  container: JsonObject,
  volumeOf: (name: string) => JsonObject,
  { directories }: VolumeSources,
): readonly Mount[] =>
  objectsAt(container, 'volumeMounts')
    .map((entry) => ({
      volume: stringAt(entry, 'name') ?? '',
      path: (stringAt(entry, 'mountPath') ?? '').replace(/\/+$/, ''),
      subPath: stringAt(entry, 'subPath') ?? '',
    }))
    .filter(
      ({ volume, path }) =>
        !OURS.has(volume) && (directories.has(volume) || !isOwnTmp(volumeOf(volume), path)),
    )

/** The volumes that a container mounts, and what stands for them here. */
export const mountsOf = (
  pod: JsonObject,
  container: JsonObject,
  sources: VolumeSources,
): Mounts => {
  const volumes = new Map(
    objectsAt(pod, 'spec', 'volumes').map((volume) => [stringAt(volume, 'name') ?? '', volume]),
  )
  const volumeOf = (name: string): JsonObject => volumes.get(name) ?? {}
  const own = { pod, name: sources.name, namespace: sources.namespace }
  const contents = new Map<string, Content>()
  const mounts: Mount[] = []
  const notes: string[] = []
  for (const mount of ownMounts(container, volumeOf, sources)) {
    const { volume: name } = mount
    const path = mount.path || '/'
    const content = contentOf(volumeOf(name), mount, { ...sources, own })
    if (typeof content === 'string') {
      notes.push(`${path} is not here (volume ${name}: ${content}): --volume ${name}=DIR gives it`)
      continue
    }
    contents.set(name, content)
    mounts.push(mount)
    const stand = content.kind === 'directory' ? content.path : 'a new directory'
    notes.push(`${path}: ${stand} stands for it, where command and variables name the path`)
  }
  return { contents, mounts, notes }
}
