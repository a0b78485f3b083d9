// What the server speaks, and at which port: the annotations' word, else what the container itself
// shows. A wrong guess is told by the sidecar's readiness, which finds out what is true; every guess
// is a warning. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { MCP_PATH } from '../../shared/names.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { StandIn } from '../../shared/sidecar-config.ts'
import { at, numberAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { findBridge, type Bridge } from './bridge.ts'
import { isOwnPort } from './collisions.ts'
import { findCommand, readLine, wordsOf, type Line, type ServerLine } from './command.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { nameOf, ownSidecar } from './pod.ts'
import { openPaths } from './open-paths.ts'
import { otherPorts } from './other-ports.ts'
import { likelyPort, mainPorts, portList, tcpPorts } from './ports.ts'
import { bypassWarnings, reachedPorts } from './services.ts'
import { isStopGap } from './shell.ts'
import { standInsOf } from './stand-ins.ts'
import type { Subject } from './subject.ts'
import { findTls, type UpstreamTls } from './upstream-tls.ts'

export interface Stdio {
  readonly kind: 'stdio'
  /** The server's own command, taken from a bridge's line; undefined: the container's is the server's. */
  readonly command: readonly string[] | undefined
  /** Several processes run there, and none of them can hold a declared port. */
  readonly dropsPorts: boolean
  /** Where clients reached the bridge. */
  readonly standIns: readonly StandIn[]
  readonly warnings: readonly string[]
}

export interface Http {
  readonly kind: 'http'
  /** What it speaks over HTTP; `http` leaves it to the sidecar to find out. */
  readonly protocol: 'http' | 'sse'
  readonly port: number
  readonly tls: UpstreamTls
  /** Paths of its own that pass the sidecar besides MCP. */
  readonly openPaths: readonly string[]
  /** Ports of its own that the sidecar carries as plain TCP. */
  readonly carried: readonly number[]
  /** The server's own words, where they are known: then the shim holds it on loopback. */
  readonly line: ServerLine | undefined
  /** Its port at the pod's own addresses, where it is held. */
  readonly standIns: readonly StandIn[]
  readonly warnings: readonly string[]
}

export type Transport = Stdio | Http

/** Whether the shim runs the server. */
export const hasShim = (transport: Transport): boolean =>
  transport.kind === 'stdio' || transport.line !== undefined

const bridgeOf = (server: JsonObject, { command, args = [] }: Line): Bridge | undefined =>
  findBridge(command, args, stringAt(server, 'image') ?? '')

/** What the container itself shows. */
interface Signs {
  /** It is a stdio server, whatever ports it declares. */
  readonly isStdio: boolean
  /** What an earlier pass has taken it for. */
  readonly was: Transport['kind'] | undefined
  readonly bridge: Bridge | undefined
}

const signsOf = (server: JsonObject): Signs => {
  const isHeldOpen = at(server, 'stdin') === true
  const line = readLine(server)
  if (!line.ok) return { isStdio: isHeldOpen, was: undefined, bridge: undefined }
  // What an earlier pass has wrapped is what it took it for; what only sleeps waits for `kubectl exec`.
  const { hadShim } = line.value
  if (hadShim === 'serve') return { isStdio: true, was: 'stdio', bridge: undefined }
  const bridge = bridgeOf(server, line.value)
  if (hadShim === 'exec') return { isStdio: false, was: 'http', bridge }
  const isStdio = isHeldOpen || isStopGap(wordsOf(line.value)) || bridge?.command !== undefined
  return { isStdio, was: undefined, bridge }
}

/** The annotation's word for a server that speaks HTTP. */
const protocolSaid = ({ resolution }: Subject): Http['protocol'] | undefined => {
  const { transport } = resolution.settings
  return transport === 'http' || transport === 'sse' ? transport : undefined
}

/** Why the server is taken for one that speaks HTTP; undefined: stdio. */
const reasonForHttp = (server: JsonObject, signs: Signs, subject: Subject): string | undefined => {
  const { settings } = subject.resolution
  if (protocolSaid(subject)) return 'the annotation says so'
  if (settings.transport === 'stdio' || signs.isStdio) return undefined
  if (settings.port !== undefined) return `${PREFIX}port names its port`
  if (signs.bridge) return `it runs the bridge ${signs.bridge.name}`
  if (mainPorts(server).length > 0) return 'it declares a port'
  if (signs.was === 'http') return 'it was when the pod was injected first'
  return tcpPorts(server).length === 0 && reachedPorts(subject).length > 0
    ? 'a Service leads to it'
    : undefined
}

const portsTakenOff = (server: JsonObject, { resolution }: Subject): readonly string[] => {
  const ports = objectsAt(server, 'ports').map((port) => numberAt(port, 'containerPort') ?? 0)
  return ports.length === 0 || resolution.settings['process-model'] === 'shared'
    ? []
    : [
        `container ${nameOf(server)}: port ${ports.join(', ')} is taken off with transport stdio: several server processes run there and none can hold it; if the server speaks HTTP, set ${PREFIX}transport: http`,
      ]
}

const stdio = (server: JsonObject, { was }: Signs, subject: Subject): Stdio => {
  // What stood there before the shim is gone; our own earlier document says where we stood in.
  const standIns = was === 'stdio' ? standInsOf(ownSidecar(subject.pod)) : []
  const warnings = standIns.length > 0 ? [] : portsTakenOff(server, subject)
  return {
    kind: 'stdio',
    command: undefined,
    dropsPorts: warnings.length > 0,
    standIns,
    warnings,
  }
}

const portOf = (
  server: JsonObject,
  { bridge, was }: Pick<Signs, 'bridge' | 'was'>,
  subject: Subject,
): number | undefined => {
  const known = subject.resolution.settings.port ?? likelyPort(server)?.number ?? bridge?.port
  if (known !== undefined || tcpPorts(server).length > 0) return known
  const [earlier] = was === 'http' ? standInsOf(ownSidecar(subject.pod)) : []
  if (earlier) return earlier.port
  const [only, ...others] = reachedPorts(subject)
  return others.length === 0 ? only : undefined
}

// What a warning has room for.
const MAX_SHOWN = 80

const shown = (command: readonly string[]): string => {
  const text = command.join(' ')
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

/** The server of a bridge, run without it. The bridge's port stays declared: Services find it by name. */
const unwrapped = (
  server: JsonObject,
  bridge: Bridge,
  command: readonly string[],
  subject: Subject,
): Stdio => {
  const port = portOf(server, { bridge, was: undefined }, subject)
  const standIns =
    port === undefined || isOwnPort(port) ? [] : [{ port, path: bridge.path ?? MCP_PATH }]
  const name = nameOf(server)
  const served = standIns.map(
    (standIn) =>
      `container ${name}: port ${standIn.port} is served by the sidecar: MCP over Streamable HTTP at ${standIn.path}, nothing else that the bridge had there`,
  )
  return {
    kind: 'stdio',
    command,
    dropsPorts: false,
    standIns,
    warnings: [
      `container ${name}: its server is run without the bridge ${bridge.name}, one process a session: ${shown(command)}; to keep the bridge, set ${PREFIX}transport: http`,
      ...served,
    ],
  }
}

/** The server's own words, where they are known. */
const ownLine = (
  server: JsonObject,
  { pod, config: { images }, resolution: { settings } }: Subject,
): ServerLine | undefined => {
  const line = readLine(server)
  const found = line.ok ? findCommand(server, line.value, { pod, images, settings }) : undefined
  return found?.ok ? found.value : undefined
}

const heldWarnings = (server: JsonObject, port: number): readonly string[] => {
  const name = nameOf(server)
  return [
    `container ${name}: is held on loopback by Outrigger's shim; port ${port} at the pod's address is the sidecar's: there are MCP and what ${PREFIX}open-paths names, and nothing else of the server`,
  ]
}

/** Why a server that speaks HTTP is not held on loopback. */
const reasonAgainst = (isTls: boolean): string =>
  isTls
    ? 'its port speaks TLS, which the sidecar cannot serve in its place'
    : 'its command is not known (`outrigger images add` of its image finds it out)'

const unheldWarnings = (
  server: JsonObject,
  port: number,
  isTls: boolean,
  subject: Subject,
): readonly string[] => [
  `container ${nameOf(server)}: ${reasonAgainst(isTls)}, so that nothing holds it on loopback: whoever reaches port ${port} goes around the sidecar`,
  ...bypassWarnings(server, port, subject),
]

const http = (
  server: JsonObject,
  signs: Signs,
  why: string,
  subject: Subject,
): Result<Http, Violation> => {
  const port = portOf(server, signs, subject)
  const name = nameOf(server)
  if (port === undefined) {
    const ports = tcpPorts(server)
    const several = `declares several ports, ${portList(ports)}, and no name tells which of them speaks MCP`
    const text = `container ${name}: ${ports.length > 0 ? several : 'declares no port'}; name it with ${PREFIX}port`
    return fail(violation('no-port', text))
  }
  const declared = tcpPorts(server).filter(({ number }) => number === port)
  const text = declared.length > 0 ? portList(declared) : String(port)
  const guess = `container ${name}: taken for a server that speaks HTTP on port ${text}, since ${why}; if it speaks stdio, set ${PREFIX}transport: stdio`
  const said = protocolSaid(subject)
  const tls = findTls(server, port, subject)
  if (!tls.ok) return tls
  const open = openPaths(port, subject)
  // Nobody but the server can show the certificate that its clients expect there.
  const line = tls.value.isTls ? undefined : ownLine(server, subject)
  const isHeld = line !== undefined
  const others = otherPorts(server, port, { isHeld, floor: subject.config.floor })
  const warnings = [
    ...(said ? [] : [guess]),
    ...(line ? heldWarnings(server, port) : unheldWarnings(server, port, tls.value.isTls, subject)),
    ...others.warnings,
    ...tls.value.warnings,
    ...open.warnings,
  ]
  return ok({
    kind: 'http',
    protocol: said ?? 'http',
    port,
    tls: tls.value,
    openPaths: open.paths,
    carried: others.carried,
    line,
    standIns: line ? [{ port }] : [],
    warnings,
  })
}

/** What the server speaks, or why its port cannot be told. */
export const findTransport = (
  server: JsonObject,
  subject: Subject,
): Result<Transport, Violation> => {
  const signs = signsOf(server)
  const { bridge } = signs
  const why = reasonForHttp(server, signs, subject)
  if (why !== undefined) return http(server, signs, why, subject)
  return ok(
    bridge?.command
      ? unwrapped(server, bridge, bridge.command, subject)
      : stdio(server, signs, subject),
  )
}
