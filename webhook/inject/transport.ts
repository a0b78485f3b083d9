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
import { holderOf, likelyPort, mainPorts, portList, tcpPorts } from './ports.ts'
import { isNameless, NO_NAMES, portNames, type PortNames } from './port-names.ts'
import { heldWarnings, unheldWarnings } from './reach.ts'
import { reachedPorts } from './services.ts'
import { ownSecret } from './own-secret.ts'
import { isStopGap } from './shell.ts'
import { portBeside, standInsOf } from './stand-ins.ts'
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
  readonly names: PortNames
  readonly tls: UpstreamTls
  /** The Secret of a certificate that the server shows and the sidecar is to show in its place, found without an annotation. */
  readonly ownSecret: string | undefined
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
  return tcpPorts(server).length === 0 ? reasonWithoutPort(subject) : undefined
}

const reasonWithoutPort = (subject: Subject): string | undefined => {
  if (reachedPorts(subject).length > 0) return 'a Service leads to it'
  // The Service may have been led to the sidecar since.
  const isKnown = portBeside(ownSidecar(subject.pod)) !== undefined
  return isKnown ? 'it was when the pod was injected first' : undefined
}

const portsTakenOff = (server: JsonObject, { resolution }: Subject): readonly string[] => {
  const ports = objectsAt(server, 'ports').map((port) => numberAt(port, 'containerPort') ?? 0)
  return ports.length === 0 || resolution.settings['process-model'] === 'shared'
    ? []
    : [
        `container ${nameOf(server)}: port ${ports.join(', ')} is taken off with transport stdio: several server processes run there and none can hold it; if the server speaks HTTP, set ${PREFIX}transport: http`,
      ]
}

/** Our own earlier document says where we stood in, since what stood before the shim is gone; without a shim there was no earlier pass. */
const standInsBefore = (
  server: JsonObject,
  { was }: Signs,
  { pod }: Subject,
): readonly StandIn[] =>
  was === 'stdio'
    ? standInsOf(ownSidecar(pod)).filter(({ port }) => holderOf(port, server, pod) === undefined)
    : []

const stdio = (server: JsonObject, signs: Signs, subject: Subject): Stdio => {
  const standIns = standInsBefore(server, signs, subject)
  const warnings = standIns.length > 0 ? [] : portsTakenOff(server, subject)
  return {
    kind: 'stdio',
    command: undefined,
    dropsPorts: warnings.length > 0,
    standIns,
    warnings,
  }
}

/** The port that an earlier pass has found, of which it took the name that told it. */
const portBefore = (server: JsonObject, { pod, config }: Subject): number | undefined => {
  const port = portBeside(ownSidecar(pod))
  return config.findsSidecarPorts && port !== undefined && isNameless(server, port)
    ? port
    : undefined
}

const portOf = (
  server: JsonObject,
  { bridge, was }: Pick<Signs, 'bridge' | 'was'>,
  subject: Subject,
): number | undefined => {
  const known =
    subject.resolution.settings.port ??
    portBefore(server, subject) ??
    likelyPort(server)?.number ??
    bridge?.port
  return known !== undefined || tcpPorts(server).length > 0 ? known : undeclaredPort(was, subject)
}

/** An earlier pass knew it, or a Service asks for it. */
const undeclaredPort = (was: Signs['was'], subject: Subject): number | undefined => {
  const sidecar = ownSidecar(subject.pod)
  const [earlier] = was === 'http' ? standInsOf(sidecar) : []
  if (earlier) return earlier.port
  const [only, ...others] = reachedPorts(subject)
  return others.length === 0 ? (only ?? portBeside(sidecar)) : undefined
}

// What a warning has room for.
const MAX_SHOWN = 80

const shown = (command: readonly string[]): string => {
  const text = command.join(' ')
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

/** The server of a bridge, run without it. A port that the sidecar serves stays declared: Services find it by name. */
const unwrapped = (
  server: JsonObject,
  bridge: Bridge,
  command: readonly string[],
  subject: Subject,
): Stdio => {
  const port = portOf(server, { bridge, was: undefined }, subject)
  const name = nameOf(server)
  const holder = port === undefined ? undefined : holderOf(port, server, subject.pod)
  const isFree = port !== undefined && !isOwnPort(port) && holder === undefined
  const standIns = isFree ? [{ port, path: bridge.path ?? MCP_PATH }] : []
  const held =
    holder === undefined
      ? []
      : [
          `container ${name}: port ${String(port)} of the bridge is not served: container ${holder} declares it, too`,
        ]
  const served = standIns.map(
    (standIn) =>
      `container ${name}: port ${standIn.port} is served by the sidecar: MCP over Streamable HTTP at ${standIn.path}, nothing else that the bridge had there`,
  )
  const idle = standIns.length > 0 ? [] : portsTakenOff(server, subject)
  return {
    kind: 'stdio',
    command,
    dropsPorts: idle.length > 0,
    standIns,
    warnings: [
      `container ${name}: its server is run without the bridge ${bridge.name}, one process a session: ${shown(command)}; to keep the bridge, set ${PREFIX}transport: http`,
      ...served,
      ...held,
      ...idle,
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

/** Whether the shim holds the server on loopback, else which of its port's names lead to the sidecar. */
const reachOf = (
  server: JsonObject,
  { port, isTls }: { readonly port: number; readonly isTls: boolean },
  subject: Subject,
): Result<Pick<Http, 'line' | 'names' | 'standIns' | 'warnings' | 'ownSecret'>, Violation> => {
  const holder = holderOf(port, server, subject.pod)
  const line = holder === undefined ? ownLine(server, subject) : undefined
  const named = subject.resolution.settings['tls-secret']
  if (line) {
    // Clients expect its certificate there, whoever shows it.
    const found = isTls && named === undefined ? ownSecret(server, port, subject) : ok(undefined)
    if (!found.ok) return found
    const warnings = heldWarnings(server, port)
    return ok({ line, names: NO_NAMES, standIns: [{ port }], warnings, ownSecret: found.value })
  }
  const names = isTls && named === undefined ? NO_NAMES : portNames(server, port, subject)
  const warnings = unheldWarnings(server, { port, holder, names }, subject)
  return ok({ line, names, standIns: [], warnings, ownSecret: undefined })
}

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
  const reached = reachOf(server, { port, isTls: tls.value.isTls }, subject)
  if (!reached.ok) return reached
  const { warnings, ...reach } = reached.value
  const isHeld = reach.line !== undefined
  const others = otherPorts(server, port, { isHeld, floor: subject.config.floor })
  return ok({
    kind: 'http',
    protocol: said ?? 'http',
    port,
    ...reach,
    tls: tls.value,
    openPaths: open.paths,
    carried: others.carried,
    warnings: [
      ...(said ? [] : [guess]),
      ...warnings,
      ...others.warnings,
      ...tls.value.warnings,
      ...open.warnings,
    ],
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
