// The ports that a container declares, and which of them is likely to speak MCP. Pure.

import { numberAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { members, nameOf } from './pod.ts'

export interface Port {
  readonly number: number
  /** Empty where it has none. */
  readonly name: string
}

export const tcpPorts = (server: JsonObject): readonly Port[] =>
  objectsAt(server, 'ports')
    .filter((port) => (stringAt(port, 'protocol') ?? 'TCP') === 'TCP')
    .map((port) => ({ number: numberAt(port, 'containerPort') ?? 0, name: nameOf(port) }))

/** Names that say "this is the one", the surest first. */
const LIKELY: readonly RegExp[] = [
  /^mcp$/,
  /^http$/,
  /mcp/,
  /^https?\b/,
  /^(web|api|main|server|app)$/,
]
/** Names of ports that serve something else beside the protocol. */
const ASIDE = /metric|health|admin|debug|pprof|probe|prom|grpc|monitor|manage|websocket|^ws|ssh/

/** The ports whose names do not say that they serve something else. */
export const mainPorts = (server: JsonObject): readonly Port[] =>
  tcpPorts(server).filter(({ name }) => !ASIDE.test(name))

/** The only declared port, or the one of several whose name tells. */
export const likelyPort = (server: JsonObject): Port | undefined => {
  const [only, ...others] = tcpPorts(server)
  if (others.length === 0) return only
  const main = mainPorts(server)
  const named = LIKELY.map((word) => main.find(({ name }) => word.test(name))).find(Boolean)
  return named ?? (main.length === 1 ? main[0] : undefined)
}

/** The name of another container of the pod that declares a port: it stands on the same addresses. */
export const holderOf = (port: number, server: JsonObject, pod: JsonObject): string | undefined =>
  members(pod).find(
    ({ list, name, container }) =>
      name !== SIDECAR_CONTAINER &&
      !(list === 'containers' && name === nameOf(server)) &&
      tcpPorts(container).some(({ number }) => number === port),
  )?.name

/** Ports as a person reads them: `8000 (http), 9000`. */
export const portList = (ports: readonly Port[]): string => {
  const texts = ports.map(({ number, name }) => (name === '' ? `${number}` : `${number} (${name})`))
  return texts.join(', ')
}
