// Whether a container that the floor exempts runs its image's own program, told and given what its injector tells
// and gives it: whatever the pod's author could bend is asked for here. Pure.

import { at, numberAt, objectsAt, stringAt, stringsAt, type JsonObject } from '../../shared/json.ts'
import type { Exemption } from '../settings/exemption.ts'
import { isTokenMount } from './guest.ts'
import { beginsWith, meshForm } from './mesh.ts'
import { weakContext } from './mesh-context.ts'
import { foreignEnvironment } from './own-environment.ts'
import { cleanPath } from './paths.ts'
import { nameOf } from './pod.ts'

/** What Istio and Linkerd start in the hooks of their proxies; what follows in each is not a program. */
const MESH_COMMANDS: readonly {
  readonly words: readonly string[]
  readonly rest: RegExp
}[] = [
  { words: ['pilot-agent', 'wait'], rest: /^--[a-zA-Z]+(?:=\S*)?$/ },
  { words: ['pilot-agent', 'request'], rest: /^(?:--debug-port=\d{1,5}|POST|drain)$/ },
  // It would run whatever follows its options.
  { words: ['/usr/lib/linkerd/linkerd-await'], rest: /^--[a-z][a-z-]*(?:=\S*)?$/ },
  { words: ['/bin/sleep'], rest: /^\d+$/ },
]

const isMeshCommand = (command: readonly string[]): boolean =>
  MESH_COMMANDS.some(
    ({ words, rest }) =>
      beginsWith(command, words) && command.slice(words.length).every((word) => rest.test(word)),
  )

const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && beginsWith(a, b)

const EXECS = [
  ['startupProbe'],
  ['readinessProbe'],
  ['livenessProbe'],
  ['lifecycle', 'postStart'],
  ['lifecycle', 'preStop'],
] as const

const foreignExec = (container: JsonObject, { execs = [] }: Exemption): string | undefined => {
  const place = EXECS.find((path) => {
    if (at(container, ...path, 'exec') === undefined) return false
    const command = stringsAt(container, ...path, 'exec', 'command') ?? []
    return !isMeshCommand(command) && !execs.some((listed) => isSameList(command, listed))
  })
  return place && `${[...place, 'exec'].join('.')} is not among its entry's execs`
}

/** The words of a list; undefined where it holds anything else. */
const wordsOf = (container: JsonObject, field: string): readonly string[] | undefined =>
  at(container, field) === undefined ? [] : stringsAt(container, field)

const foreignCommand = (container: JsonObject, entry: Exemption): string | undefined => {
  const command = wordsOf(container, 'command')
  if (command?.length === 0) return undefined
  const listed = entry.command ?? meshForm(entry.name)?.command
  if (listed === undefined) return 'it has a command'
  return command && isSameList(command, listed) ? undefined : "its command is not its entry's"
}

const isNone = (words: readonly string[]): boolean => words.length === 0

const foreignArgs = (container: JsonObject, entry: Exemption): string | undefined => {
  const args = wordsOf(container, 'args')
  const isArgs = meshForm(entry.name)?.isArgs ?? isNone
  const begins = entry.args?.some((start) => args !== undefined && beginsWith(args, start))
  return args !== undefined && (begins ?? isArgs(args))
    ? undefined
    : "its args are not among its entry's"
}

const foreignMount = (container: JsonObject, entry: Exemption): string | undefined => {
  const volumes = new Map(Object.entries(entry.volumes ?? meshForm(entry.name)?.volumes ?? {}))
  const mount = objectsAt(container, 'volumeMounts').find(
    (one) =>
      !isTokenMount(one) &&
      volumes.get(nameOf(one)) !== cleanPath(stringAt(one, 'mountPath') ?? ''),
  )
  if (mount)
    return `its mount of ${nameOf(mount).slice(0, 64)} is not among its entry's volumes, by name and path`
  return at(container, 'volumeDevices') === undefined ? undefined : 'it has volumeDevices'
}

/** What no injector writes. */
const foreignField = (container: JsonObject): string | undefined => {
  const ports = objectsAt(container, 'ports')
  if (at(container, 'workingDir') !== undefined) return 'it has a workingDir'
  if (ports.some((port) => (numberAt(port, 'hostPort') ?? 0) !== 0))
    return 'it takes a port of the node'
  return at(container, 'resources', 'claims') === undefined ? undefined : 'it claims a device'
}

/** What a mesh's image does not do by itself, whoever has put it into the pod. */
export const whyForeign = (container: JsonObject, entry: Exemption): string | undefined =>
  foreignCommand(container, entry) ??
  foreignArgs(container, entry) ??
  foreignField(container) ??
  foreignExec(container, entry) ??
  foreignEnvironment(container, entry) ??
  foreignMount(container, entry) ??
  weakContext(container, entry)
