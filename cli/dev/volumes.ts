// The volumes of a server's container, as directories of this machine: one that `--volume` names, or a new one with what
// the manifest's Secrets and ConfigMaps put there. Nothing is mounted: where command and variables name the path, the
// directory stands. Pure. What only the cluster has is named, with the flag that gives it.

import { at, objectAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { BIN_VOLUME, POLICY_VOLUME, RUN_VOLUME } from '../../shared/names.ts'
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
  readonly namespace: string
  readonly supplies: Supplies
  /** Directories by the names of volumes, absolute. */
  readonly directories: ReadonlyMap<string, string>
}

const OURS: ReadonlySet<string> = new Set([BIN_VOLUME, POLICY_VOLUME, RUN_VOLUME])

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
  const folder = [...files.keys()].flatMap(foldersOf).find((path) => files.has(path))
  return folder === undefined ? files : `${folder} is a file and a directory in it`
}

const supplied = (volume: JsonObject, { supplies, namespace }: VolumeSources): Content | string => {
  if (at(volume, 'emptyDir') !== undefined) return { kind: 'files', files: new Map() }
  for (const [member, kind, nameMember] of SOURCES) {
    const name = stringAt(volume, member, nameMember)
    if (name === undefined) continue
    const supply = supplies(kind, namespace, name)
    if (!supply) return `${kind} ${name}, which the manifest does not hold`
    const files = filesOf(objectAt(volume, member), supply.values)
    return typeof files === 'string' ? `${kind} ${name}: ${files}` : { kind: 'files', files }
  }
  const type = Object.keys(volume).find((member) => member !== 'name') ?? 'nothing'
  return `${type}, which only a cluster has`
}

const isOwnTmp = (volume: JsonObject, path: string): boolean =>
  path === '/tmp' && at(volume, 'emptyDir') !== undefined

/** What stands for a volume's mount, or why nothing does. */
const contentOf = (volume: JsonObject, mount: Mount, sources: VolumeSources): Content | string => {
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
  const contents = new Map<string, Content>()
  const mounts: Mount[] = []
  const notes: string[] = []
  for (const mount of ownMounts(container, volumeOf, sources)) {
    const { volume: name } = mount
    const path = mount.path || '/'
    const content = contentOf(volumeOf(name), mount, sources)
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
