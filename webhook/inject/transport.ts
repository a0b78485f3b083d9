// What the server speaks, and at which port: the annotations' word, else what the container itself
// shows. A wrong guess is told by the sidecar's readiness, which finds out what is true; every guess
// is a warning. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { at, numberAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { readLine, wordsOf } from './command.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { nameOf } from './pod.ts'
import { isStopGap } from './shell.ts'
import type { Subject } from './subject.ts'

export type Transport =
  | {
      readonly kind: 'stdio'
      /** Several processes run there, and none of them can hold a declared port. */
      readonly dropsPorts: boolean
      readonly warnings: readonly string[]
    }
  | { readonly kind: 'http'; readonly port: number; readonly warnings: readonly string[] }

interface Port {
  readonly number: number
  readonly name: string
}

const tcpPorts = (server: JsonObject): readonly Port[] =>
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

const mainPorts = (server: JsonObject): readonly Port[] =>
  tcpPorts(server).filter(({ name }) => !ASIDE.test(name))

/** The port among several that is likely to speak MCP. */
const likelyPort = (main: readonly Port[]): Port | undefined => {
  const named = LIKELY.map((word) => main.find(({ name }) => word.test(name))).find(Boolean)
  return named ?? (main.length === 1 ? main[0] : undefined)
}

const list = (ports: readonly Port[]): string => {
  const texts = ports.map(({ number, name }) => (name === '' ? `${number}` : `${number} (${name})`))
  return texts.join(', ')
}

/** The server's port: the annotation's, the only declared one, or the likely one of several. */
const findPort = (server: JsonObject, { resolution }: Subject): Result<Port, Violation> => {
  const { port } = resolution.settings
  if (port !== undefined) return ok({ number: port, name: '' })
  const ports = tcpPorts(server)
  const [only, ...others] = ports
  const found = others.length === 0 ? only : likelyPort(mainPorts(server))
  if (found) return ok(found)
  const why = only
    ? `declares several ports, ${list(ports)}, and no name tells which of them speaks MCP`
    : 'declares no port'
  return fail(
    violation('no-port', `container ${nameOf(server)}: ${why}; name it with ${PREFIX}port`),
  )
}

/** Signs of a stdio server, whatever ports it declares. */
const isStdio = (server: JsonObject): boolean => {
  const line = readLine(server)
  // What an earlier pass has wrapped for stdio is that; what only sleeps waits for `kubectl exec`.
  const isWrapped = line.ok && (line.value.hadShim || isStopGap(wordsOf(line.value)))
  return at(server, 'stdin') === true || isWrapped
}

/** Why the server is taken for one that speaks HTTP; undefined: stdio. */
const reasonForHttp = (server: JsonObject, subject: Subject): string | undefined => {
  const { settings } = subject.resolution
  if (settings.transport === 'http') return 'the annotation says so'
  if (settings.transport === 'stdio' || isStdio(server)) return undefined
  if (settings.port !== undefined) return `${PREFIX}port names its port`
  return mainPorts(server).length > 0 ? 'it declares a port' : undefined
}

const stdio = (server: JsonObject, { resolution }: Subject): Transport => {
  const ports = objectsAt(server, 'ports').map((port) => numberAt(port, 'containerPort') ?? 0)
  const dropsPorts = ports.length > 0 && resolution.settings['process-model'] !== 'shared'
  const warning = `container ${nameOf(server)}: port ${ports.join(', ')} is taken off with transport stdio: several server processes run there and none can hold it; if the server speaks HTTP, set ${PREFIX}transport: http`
  return { kind: 'stdio', dropsPorts, warnings: dropsPorts ? [warning] : [] }
}

/** What the server speaks, or why its port cannot be told. */
export const findTransport = (
  server: JsonObject,
  subject: Subject,
): Result<Transport, Violation> => {
  const why = reasonForHttp(server, subject)
  if (why === undefined) return ok(stdio(server, subject))
  const port = findPort(server, subject)
  if (!port.ok) return port
  const { number, name } = port.value
  const guess = `container ${nameOf(server)}: taken for a server that speaks HTTP on port ${number}${name === '' ? '' : ` (${name})`}, since ${why}; if it speaks stdio, set ${PREFIX}transport: stdio`
  const isSaid = subject.resolution.settings.transport === 'http'
  return ok({ kind: 'http', port: number, warnings: isSaid ? [] : [guess] })
}
