// Everything that injection will do to one pod, worked out before anything is changed, or every
// reason why it cannot be done, all at once. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { objectsAt, type JsonObject } from '../json.ts'
import { findCommand, readLine, shimPrefix } from './command.ts'
import { judge, type Found } from './judge.ts'
import { violation, type Violation } from './outcome.ts'
import { nameOf, ownSidecar } from './pod.ts'
import { sidecarResources } from './resources.ts'
import { levelOf, securityWarnings, uidOf, uidViolations } from './security.ts'
import { findServer } from './server.ts'
import { serverLabel } from './server-label.ts'
import { sidecarContainer, takenFromSidecar } from './sidecar-container.ts'
import { sidecarDocument } from './sidecar-document.ts'
import type { Subject } from './subject.ts'
import { takeOffWarnings } from './taken.ts'
import { findTransport, type Transport } from './transport.ts'
import { chooseToken } from './token.ts'
import { sidecarIdentity, type Identity } from './uid.ts'

export interface Plan {
  /** Name of the server's container. */
  readonly server: string
  readonly transport: Transport
  /** The server's command line as it will be; undefined: the member is absent. */
  readonly command: readonly string[] | undefined
  readonly args: readonly string[] | undefined
  /** The uid to give the server's container; undefined where the spec names one already, or nobody does. */
  readonly runAsUser: number | undefined
  readonly sidecar: JsonObject
  readonly resources: JsonObject
  readonly label: string
  readonly writablePaths: readonly string[]
  readonly keepsToken: boolean
  readonly pullSecrets: readonly string[]
  readonly warnings: readonly string[]
}

type NewLine = Pick<Plan, 'command' | 'args'>

const newLine = (
  server: JsonObject,
  transport: Transport,
  subject: Subject,
): Result<NewLine, Violation> => {
  const { pod, config, resolution } = subject
  const line = readLine(server)
  if (!line.ok) return line
  const { command, args, hadShim } = line.value
  if (transport.kind === 'http') {
    return ok({ command: hadShim && command?.length === 0 ? undefined : command, args })
  }
  const found = findCommand(server, line.value, {
    pod,
    images: config.images,
    settings: resolution.settings,
  })
  if (!found.ok) return found
  const prefix = shimPrefix(pod, server, resolution.settings)
  return ok({ command: [...prefix, ...found.value.command], args: found.value.args })
}

const serverWarnings = (
  server: JsonObject,
  transport: Transport,
  { pod, resolution }: Subject,
): readonly string[] => {
  const { settings } = resolution
  const name = nameOf(server)
  const [uid, wanted] = [uidOf(pod, server), settings['run-as-user']]
  const mcpPort = objectsAt(server, 'ports').some((port) => nameOf(port) === 'mcp')
  return [
    ...transport.warnings,
    ...(transport.kind === 'stdio' ? takeOffWarnings(name, server) : []),
    ...(uid !== undefined && wanted !== undefined && uid !== wanted
      ? [
          `container ${name}: runs as uid ${uid} by its own securityContext; ${PREFIX}run-as-user: ${wanted} changes nothing`,
        ]
      : []),
    ...(mcpPort
      ? [
          `container ${name}: its port is named mcp like the sidecar's; a Service that targets mcp by name reaches the server itself`,
        ]
      : []),
  ]
}

const sidecarWarnings = (before: JsonObject | undefined, after: JsonObject): readonly string[] => {
  const taken = before ? takenFromSidecar(before, after) : []
  return taken.length === 0
    ? []
    : [`container ${nameOf(after)}: is Outrigger's; taken off it: ${taken.join(', ')}`]
}

interface Parts {
  readonly server: JsonObject
  readonly transport: Transport
  readonly identity: Identity
  readonly line: NewLine
}

const planWith = (subject: Subject, { server, transport, identity, line }: Parts): Plan => {
  const { pod, namespace, config, workload, resolution } = subject
  const { settings, placed } = resolution
  const isStdio = transport.kind === 'stdio'
  const label = serverLabel(pod, workload)
  const resources = sidecarResources(pod, settings)
  const document = sidecarDocument({ pod, server, label, transport, placed, config })
  const existing = ownSidecar(pod)
  const parts = { config, document, resources, isStdio, existing, ...identity }
  const sidecar = sidecarContainer(parts)
  const token = chooseToken(subject)
  return {
    server: nameOf(server),
    transport,
    ...line,
    runAsUser: uidOf(pod, server) === undefined ? settings['run-as-user'] : undefined,
    sidecar,
    resources,
    label,
    writablePaths: settings['writable-paths'] ?? [],
    keepsToken: token.isKept,
    pullSecrets: config.sidecar.imagePullSecrets,
    warnings: [
      ...securityWarnings(pod, config.floor, levelOf(namespace, config.floor)),
      ...token.warnings,
      ...serverWarnings(server, transport, subject),
      ...sidecarWarnings(existing, sidecar),
    ],
  }
}

/** Neither a spec nor the annotation may give a container the sidecar's uid: there is no wall then. */
const sharedUids = (
  { pod, config, resolution }: Subject,
  server: JsonObject | undefined,
  sidecarUid: number,
): readonly Violation[] => {
  const wanted = resolution.settings['run-as-user']
  const applies = server !== undefined && uidOf(pod, server) === undefined
  const message = `${PREFIX}run-as-user: ${wanted} is the sidecar's uid; use another`
  return [
    ...uidViolations(pod, config.floor, sidecarUid),
    ...(applies && wanted === sidecarUid ? [violation('same-uid', message)] : []),
  ]
}

/** What could be told of the server; `faults` says why the rest could not. */
interface Inspected extends Found {
  readonly line?: NewLine
  readonly faults: readonly Violation[]
}

const inspect = (subject: Subject): Inspected => {
  const server = findServer(subject)
  if (!server.ok) return { faults: [server.error] }
  const transport = findTransport(server.value, subject)
  if (!transport.ok) return { server: server.value, faults: [transport.error] }
  const found = { server: server.value, transport: transport.value }
  const line = newLine(found.server, found.transport, subject)
  return line.ok ? { ...found, line: line.value, faults: [] } : { ...found, faults: [line.error] }
}

/** The plan, or every violation. */
export const planInjection = (subject: Subject): Result<Plan, readonly Violation[]> => {
  const inspected = inspect(subject)
  const { server, transport, line, faults } = inspected
  const identity = sidecarIdentity(subject.namespace, subject.config)
  const violations: readonly Violation[] = [
    ...faults,
    ...(identity.ok ? sharedUids(subject, server, identity.value.uid) : [identity.error]),
    ...judge(subject, inspected),
  ]
  return violations.length === 0 && server && transport && line && identity.ok
    ? ok(planWith(subject, { server, transport, line, identity: identity.value }))
    : fail(violations)
}
