// The names of the server's own port, which move to the sidecar: Services that target it by name then
// lead to the sidecar and need no change. Only where Services look for names among the ports of native
// sidecars, and always there, whatever Services are known: one may come later. Pure.

import { MCP_PORT, SIDECAR_CONTAINER } from '../../shared/names.ts'
import { at, numberAt, objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import { members, nameOf, ownSidecar } from './pod.ts'
import { tcpPorts } from './ports.ts'
import type { Subject } from './subject.ts'

/** What our own container calls its ports. */
export const MCP_PORT_NAME = 'mcp'
export const ADMIN_PORT_NAME = 'outrigger-admin'
export const REPLICA_PORT_NAME = 'outrigger-hop'
const OURS: ReadonlySet<string> = new Set([ADMIN_PORT_NAME, REPLICA_PORT_NAME])

// Nobody's server has one port by more names.
const MAX_NAMES = 16

/** Names in other containers: the first that has one is found. */
const namesBeside = (pod: JsonObject, server: JsonObject): ReadonlySet<string> => {
  const others = members(pod).filter(
    ({ list, name }) =>
      name !== SIDECAR_CONTAINER && (list !== 'containers' || name !== nameOf(server)),
  )
  return new Set(others.flatMap(({ container }) => tcpPorts(container).map(({ name }) => name)))
}

/** The names that an earlier pass has moved: they lead to the sidecar, whoever wrote them there. */
const movedBefore = (pod: JsonObject): readonly string[] =>
  objectsAt(ownSidecar(pod), 'ports')
    .filter((port) => numberAt(port, 'containerPort') === MCP_PORT)
    .map(nameOf)

export interface PortNames {
  /** Taken off the server's container. */
  readonly moved: readonly string[]
  /** What the sidecar's port is called besides its own name. */
  readonly ofSidecar: readonly string[]
}

export const NO_NAMES: PortNames = { moved: [], ofSidecar: [] }

/** The names of the server's port that lead to the sidecar from now on. */
export const portNames = (
  server: JsonObject,
  port: number,
  { pod, config }: Subject,
): PortNames => {
  if (!config.findsSidecarPorts) return NO_NAMES
  const beside = namesBeside(pod, server)
  const isFree = (name: string): boolean => name !== '' && !OURS.has(name) && !beside.has(name)
  const own = tcpPorts(server)
  const moved = own.filter(({ number, name }) => number === port && isFree(name))
  const names = moved.map(({ name }) => name)
  const kept = new Set(own.map(({ name }) => name).filter((name) => !names.includes(name)))
  const before = movedBefore(pod).filter((name) => isFree(name) && !kept.has(name))
  const all = new Set([...before, ...names])
  all.delete(MCP_PORT_NAME)
  return { moved: names, ofSidecar: [...all].slice(0, MAX_NAMES) }
}

/** Members of a container that may name a port of it. */
const USERS = [
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle.postStart',
  'lifecycle.preStop',
].flatMap((path) => [`${path}.httpGet`, `${path}.tcpSocket`])

const withNumber = (
  container: JsonObject,
  user: string,
  { names, port }: { readonly names: readonly string[]; readonly port: number },
): JsonObject => {
  const [first = '', ...rest] = user.split('.')
  const used = stringAt(container, first, ...rest, 'port')
  return used !== undefined && names.includes(used)
    ? withAt(container, [first, ...rest, 'port'], port)
    : container
}

/** The server's container without some names of one of its ports, whose number stands where they were used. */
export const withoutPortNames = (
  server: JsonObject,
  names: readonly string[],
  port: number,
): JsonObject => {
  if (names.length === 0) return server
  const ports = objectsAt(server, 'ports').map((item) =>
    names.includes(nameOf(item)) ? withAt(item, ['name'], undefined) : item,
  )
  return USERS.reduce(
    (current, user) => withNumber(current, user, { names, port }),
    withAt(server, ['ports'], ports),
  )
}

/** Whether the server's container declares a number without a name, as an earlier pass may have left it. */
export const isNameless = (server: JsonObject, port: number): boolean =>
  objectsAt(server, 'ports').some(
    (item) => numberAt(item, 'containerPort') === port && at(item, 'name') === undefined,
  )
