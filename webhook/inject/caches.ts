// Where package managers that install at start keep what they fetch: HOME and their caches go to a
// directory that can be written, since the image's own cannot. A stdio server's children get theirs
// from the shim, one each; this is for every other container, init containers too. What the author
// has set stays. Pure.

import { objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { knownWords, wordsOf } from './command.ts'
import { installersIn, PLACE_VARIABLES, type Installer } from './installers.ts'
import { canWrite, mountsOf, readOnlyVolumes, TMP, type Mount } from './mounts.ts'
import { cleanPath, isWithin } from './paths.ts'
import { mayHide, members, nameOf, type Member } from './pod.ts'
import { isJudged } from './security.ts'
import type { Subject } from './subject.ts'
import type { Transport } from './transport.ts'
import { placeOf } from './users.ts'

export interface Caches {
  /** Entries of `env`, by `placeOf` a container. */
  readonly byPlace: ReadonlyMap<string, readonly JsonObject[]>
  readonly warnings: readonly string[]
}

const HOMES = ['/root', '/home']
/** Where HOME is to be; undefined: what the author mounts below some home is looked for there. */
const homeFor = (mounts: readonly Mount[]): string | undefined => {
  const inHomes = mounts.filter(({ path }) => HOMES.some((home) => isWithin(path, home)))
  const isHome = ({ path, isWritable }: Mount): boolean =>
    isWritable && /^(?:\/root|\/home\/[^/]+)$/.test(path)
  const homes = new Set(inHomes.filter(isHome).map(({ path }) => path))
  const [home] = homes
  if (homes.size === 1) return home
  return inHomes.length === 0 ? TMP : undefined
}

/** The directory that the container's own entry of that name says, where it says one that can be written. */
const ownPlace = (
  name: string,
  container: JsonObject,
  mounts: readonly Mount[],
): string | undefined => {
  const value = stringAt(
    objectsAt(container, 'env').findLast((entry) => nameOf(entry) === name),
    'value',
  )
  const isPlain = value?.startsWith('/') === true && !value.includes('$(')
  return isPlain && canWrite(cleanPath(value), mounts) ? cleanPath(value) : undefined
}

const CACHE = '/.cache'
// A warning says no more than fits.
const MAX_NAMES = 4

interface Wanted {
  /** What the rest lies in. */
  readonly base: string
  readonly entries: readonly JsonObject[]
}

/** Every variable that tells the installers a place; undefined where no place can be written. */
const wantedFor = (
  container: JsonObject,
  mounts: readonly Mount[],
  installers: readonly Installer[],
): Wanted | undefined => {
  const home = homeFor(mounts)
  const base = ownPlace('HOME', container, mounts) ?? home ?? TMP
  if (!canWrite(base, mounts)) return undefined
  const cache = ownPlace('XDG_CACHE_HOME', container, mounts) ?? base + CACHE
  const places = new Map(installers.flatMap((installer) => Object.entries(installer.places)))
  const valueOf = (below: string): string =>
    below.startsWith(CACHE) ? cache + below.slice(CACHE.length) : base + below
  const entries = [
    ...(home === undefined ? [] : [{ name: 'HOME', value: home }]),
    { name: 'XDG_CACHE_HOME', value: cache },
    ...[...places].map(([name, below]) => ({ name, value: valueOf(below) })),
  ]
  return { base, entries }
}

interface Cached {
  readonly entries: readonly JsonObject[]
  readonly warnings: readonly string[]
}

const laterWarnings = (
  where: string,
  base: string,
  installers: readonly Installer[],
): readonly string[] =>
  installers.some(({ isForLater }) => isForLater)
    ? [
        `${where}: programs that it installs lie in ${base}/.local/bin, where its PATH does not look; call them by that path, or by npx, uvx or pipx run`,
      ]
    : []

const cachesOf = (
  { name, container }: Member,
  mounts: readonly Mount[],
  installers: readonly Installer[],
): Cached => {
  const names = [...new Set(installers.map((installer) => installer.name))].slice(0, MAX_NAMES)
  const where = `container ${name}`
  const how = `${where}: installs at start (${names.join(', ')})`
  if (PLACE_VARIABLES.some((name) => mayHide(container, name))) {
    const text = `${how}, and its envFrom hides whether HOME is set, so nothing is changed; where it is not, set HOME to ${TMP} in its env`
    return { entries: [], warnings: [text] }
  }
  const wanted = wantedFor(container, mounts, installers)
  if (!wanted) {
    const text = `${how}, and nothing of ${TMP} can be written; mount a volume that can be, and set HOME to it in its env`
    return { entries: [], warnings: [text] }
  }
  const set = new Set(objectsAt(container, 'env').map(nameOf))
  const entries = wanted.entries.filter((entry) => !set.has(nameOf(entry)))
  const more = entries.length > MAX_NAMES ? ' and others' : ''
  const added = `${entries.slice(0, MAX_NAMES).map(nameOf).join(', ')}${more}`
  const text = `${how}: ${added} name places below ${wanted.base}; what its env sets stays`
  return {
    entries,
    warnings: [
      ...(entries.length === 0 ? [] : [text]),
      ...laterWarnings(where, wanted.base, installers),
    ],
  }
}

/** The words that a container runs; a stdio server's are its shim's. */
const runBy = (
  container: JsonObject,
  { pod, config }: Subject,
  transport: Transport | undefined,
): readonly string[] => {
  if (!isJudged(container, config.floor) || transport?.kind === 'stdio') return []
  return transport?.line ? wordsOf(transport.line) : knownWords(container, pod, config.images)
}

// Nobody's containers say more than this together, characters: reading is what takes time here.
const MAX_READ = 131_072

/** What every container gets that installs something at start, the server of stdio aside. */
export const cachesFor = (subject: Subject, server: JsonObject, transport: Transport): Caches => {
  const paths = subject.resolution.settings['writable-paths'] ?? []
  const readOnly = readOnlyVolumes(subject.pod)
  const byPlace = new Map<string, readonly JsonObject[]>()
  const warnings: string[] = []
  let read = 0
  for (const member of members(subject.pod)) {
    const { container, list } = member
    const isServer = container === server
    const words = runBy(container, subject, isServer ? transport : undefined)
    read += words.reduce((sum, word) => sum + word.length, 0)
    const installers = read > MAX_READ ? [] : installersIn(words)
    if (installers.length === 0) continue
    const isWriter = isServer || list === 'initContainers'
    const caches = cachesOf(
      member,
      mountsOf(container, readOnly, isWriter ? paths : []),
      installers,
    )
    byPlace.set(placeOf(member), caches.entries)
    warnings.push(...caches.warnings)
  }
  return { byPlace, warnings }
}
