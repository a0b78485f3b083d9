// What the author of a pod is told of its server's container: what is taken off it, what changes there, and what is said in
// vain. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { objectsAt, type JsonObject } from '../../shared/json.ts'
import { CLUSTER } from '../settings/scopes.ts'
import { hookWarnings } from './confined-hooks.ts'
import { egressWarnings, isEnforced } from './egress.ts'
import { nameOf } from './pod.ts'
import { MCP_PORT_NAME } from './port-names.ts'
import { probeWarnings } from './probes.ts'
import type { Subject } from './subject.ts'
import { takeOff, takeOffWarnings } from './taken.ts'
import { hasShim, type Transport } from './transport.ts'

/** Settings that only a server over HTTP has a use for. */
const HTTP_ONLY = ['scheme', 'ca-file', 'forward-headers', 'open-paths'] as const

const inVain = (transport: Transport, { resolution }: Subject): readonly string[] =>
  transport.kind === 'http'
    ? []
    : HTTP_ONLY.flatMap((key) => {
        const placed = resolution.placed.get(key)
        return placed?.isDefault === false
          ? [`${placed.where}: ${PREFIX}${key}: nothing acts on it with transport stdio`]
          : []
      })

/** Whom a pod lets in is kept by its NetworkPolicy, which the controller of companions makes. */
const ingressWarnings = ({ resolution, config }: Subject): readonly string[] => {
  const said = resolution.placed.get('ingress-from')
  const isInVain = config.companions === undefined && said !== undefined && said.where !== CLUSTER
  return isInVain
    ? [
        `${said.where}: ${PREFIX}ingress-from: nothing acts on it: the cluster configuration has no companions`,
      ]
    : []
}

/** What the author should know of the server's own container, and of whom it reaches. */
export const serverWarnings = (
  server: JsonObject,
  transport: Transport,
  subject: Subject,
): readonly string[] => {
  const name = nameOf(server)
  const isHeld = transport.kind === 'http' && hasShim(transport)
  const isMoved = transport.kind === 'http' && transport.names.moved.includes(MCP_PORT_NAME)
  const left = transport.kind === 'stdio' ? takeOff(server, transport) : server
  const mcpPort =
    !isMoved && objectsAt(server, 'ports').some((port) => nameOf(port) === MCP_PORT_NAME)
  return [
    ...transport.warnings,
    ...inVain(transport, subject),
    ...(transport.kind === 'stdio' ? takeOffWarnings(name, server) : []),
    ...(hasShim(transport) ? hookWarnings(left, isEnforced(subject.resolution.settings)) : []),
    ...(isHeld ? probeWarnings(server) : []),
    ...egressWarnings(server, subject),
    ...ingressWarnings(subject),
    ...(mcpPort && !isHeld
      ? [
          `container ${name}: its port is named mcp like the sidecar's; a Service that targets mcp by name reaches the server itself`,
        ]
      : []),
  ]
}
