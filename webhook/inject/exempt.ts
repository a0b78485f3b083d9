// The containers of a mesh that the floor exempts. Anybody can take a name and an image, so one is believed
// only where the image does what it does by itself: whatever the pod's author could bend is asked for here. Pure.

import { at, objectsAt, stringAt, stringsAt, type JsonObject } from '../../shared/json.ts'
import type { Floor } from '../settings/floor.ts'
import { nameOf } from './pod.ts'

type Entry = Floor['exemptContainers'][number]

/** What Istio and Linkerd start in the hooks of their proxies; what follows in each is not a program. */
const MESH_COMMANDS: readonly {
  readonly words: readonly string[]
  readonly rest: RegExp
}[] = [
  { words: ['pilot-agent', 'wait'], rest: /^--[a-zA-Z]+(?:=\S*)?$/ },
  // It would run whatever follows its options.
  { words: ['/usr/lib/linkerd/linkerd-await'], rest: /^--[a-z][a-z-]*(?:=\S*)?$/ },
  { words: ['/bin/sleep'], rest: /^\d+$/ },
]

const isMeshCommand = (command: readonly string[]): boolean =>
  MESH_COMMANDS.some(
    ({ words, rest }) =>
      words.every((word, index) => command[index] === word) &&
      command.slice(words.length).every((word) => rest.test(word)),
  )

const isListed = (command: readonly string[], { commands = [] }: Entry): boolean =>
  commands.some(
    (listed) =>
      listed.length === command.length && listed.every((word, index) => word === command[index]),
  )

const EXECS = [
  ['startupProbe'],
  ['readinessProbe'],
  ['livenessProbe'],
  ['lifecycle', 'postStart'],
  ['lifecycle', 'preStop'],
] as const

const foreignExec = (container: JsonObject, entry: Entry): string | undefined => {
  const place = EXECS.find((path) => {
    if (at(container, ...path, 'exec') === undefined) return false
    const command = stringsAt(container, ...path, 'exec', 'command') ?? []
    return !isMeshCommand(command) && !isListed(command, entry)
  })
  return place && `${[...place, 'exec'].join('.')} is not in the entry's commands`
}

/** Another program, or another library in the image's own, comes in by these. */
const LOADER_VARIABLE = /^(?:PATH|LD_.*)$/s

const foreignEnvironment = (container: JsonObject): string | undefined => {
  if (objectsAt(container, 'env').some((entry) => LOADER_VARIABLE.test(nameOf(entry))))
    return 'env sets PATH or LD_…'
  return at(container, 'envFrom') === undefined ? undefined : 'it has envFrom'
}

/** What redirecting a pod's traffic needs. */
const MESH_CAPABILITIES: readonly string[] = ['NET_ADMIN', 'NET_RAW', 'NET_BIND_SERVICE']

const hasMoreCapabilities = (container: JsonObject): boolean => {
  const path = ['securityContext', 'capabilities', 'add'] as const
  if (at(container, ...path) === undefined) return false
  const added = stringsAt(container, ...path)
  return added === undefined || !added.every((name) => MESH_CAPABILITIES.includes(name))
}

const WEAK_CONTEXT: readonly (readonly [readonly string[], (value: unknown) => boolean])[] = [
  [['privileged'], (value) => value === true],
  [['procMount'], (value) => value !== 'Default'],
  [['seccompProfile', 'type'], (value) => value === 'Unconfined'],
  [['appArmorProfile', 'type'], (value) => value === 'Unconfined'],
  [['seLinuxOptions'], () => true],
  [['windowsOptions', 'hostProcess'], (value) => value === true],
]

const weakContext = (container: JsonObject): string | undefined => {
  if (hasMoreCapabilities(container))
    return 'securityContext.capabilities.add has more than NET_ADMIN and NET_RAW'
  const found = WEAK_CONTEXT.find(([path, isWeak]) => {
    const value = at(container, 'securityContext', ...path)
    return value !== undefined && isWeak(value)
  })
  return found && `it sets securityContext.${found[0].join('.')}`
}

/** What an image of a mesh does not do by itself, whoever has put it into the pod. */
const foreign = (container: JsonObject, entry: Entry): string | undefined =>
  at(container, 'command') === undefined
    ? (foreignExec(container, entry) ?? foreignEnvironment(container) ?? weakContext(container))
    : 'it has a command'

/** An image reference without digest and tag: `registry:5000/team/app:1@sha256:…` → `registry:5000/team/app`. */
const repository = (image: string): string => {
  const [tagged = ''] = image.split('@', 1)
  const colon = tagged.lastIndexOf(':')
  return colon > tagged.lastIndexOf('/') ? tagged.slice(0, colon) : tagged
}

const OTHER_IMAGE = 'its image is another'

const whyNotBy = (entry: Entry, container: JsonObject): string | undefined => {
  const reference = stringAt(container, 'image') ?? ''
  if (entry.image !== repository(reference)) return OTHER_IMAGE
  const [, digest = ''] = reference.split('@', 2)
  if (entry.digests !== undefined && !entry.digests.includes(digest))
    return "its image's digest is not among the entry's"
  return foreign(container, entry)
}

/** By each entry of its name, why it does not exempt a container. */
const reasons = (container: JsonObject, floor: Floor): readonly (string | undefined)[] => {
  const name = nameOf(container)
  return floor.exemptContainers
    .filter((entry) => entry.name === name)
    .map((entry) => whyNotBy(entry, container))
}

/** Whether a container is one of a mesh that the floor exempts: by name and image, its digest where the floor has one, and what it runs. */
export const isExempt = (container: JsonObject, floor: Floor): boolean =>
  reasons(container, floor).includes(undefined)

/** Why a container that has the name of an exempt one is judged as every other; undefined where none has its name. */
export const whyNotExempt = (container: JsonObject, floor: Floor): string | undefined => {
  const found = reasons(container, floor)
  if (found.includes(undefined)) return undefined
  // Several entries may have the name: that of its image says more.
  return found.find((reason) => reason !== OTHER_IMAGE) ?? found[0]
}
