// Every reason for which a pod that asks for a server cannot have one, all at once. Each rule lives
// in the file of its subject; this is the list. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { numberAt, objectsAt, type JsonObject } from '../json.ts'
import { collisions, isOwnPort, writablePathViolations } from './collisions.ts'
import { hostViolations } from './host.ts'
import { violation, type Violation } from './outcome.ts'
import { nameOf } from './pod.ts'
import { resourceViolations } from './resources.ts'
import { securityViolations } from './security.ts'
import type { Subject } from './subject.ts'

const settingViolations = ({ resolution }: Subject): readonly Violation[] => {
  const { settings } = resolution
  const isOpen = settings.auth === 'none' || (settings['oidc-issuers'] ?? []).length > 0
  const noIssuer = `${PREFIX}oidc-issuers: missing, so that nobody could be let in; name the issuers whose tokens count, or set ${PREFIX}auth: none where the cluster configuration allows it`
  const ownPort = `${PREFIX}port: ${settings.port} is Outrigger's own; let the server listen elsewhere`
  return [
    ...resolution.violations,
    ...(isOpen ? [] : [violation('incomplete', noIssuer)]),
    ...(settings.transport === 'http' && isOwnPort(settings.port)
      ? [violation('reserved-port', ownPort)]
      : []),
    ...resourceViolations(settings),
    ...writablePathViolations(settings['writable-paths'] ?? []),
  ]
}

/** What is wrong with the server's container itself, in stdio mode. */
const stdioViolations = (server: JsonObject, subject: Subject): readonly Violation[] => {
  const ports = objectsAt(server, 'ports').map((port) => numberAt(port, 'containerPort') ?? 0)
  if (ports.length === 0 || subject.resolution.settings['process-model'] === 'shared') return []
  const message =
    `container ${nameOf(server)}: declares port ${ports.join(', ')}, but with transport stdio several server processes run there and cannot share it; ` +
    `take the port out, or set ${PREFIX}process-model: shared, or ${PREFIX}transport: http if the server speaks HTTP itself`
  return [violation('declared-ports', message)]
}

/** Everything that is wrong; `server` is the server's container, where it can be told. */
export const judge = (subject: Subject, server: JsonObject | undefined): readonly Violation[] => {
  const { pod, config, resolution } = subject
  const isStdio = resolution.settings.transport === 'stdio'
  return [
    ...settingViolations(subject),
    ...(server && isStdio ? stdioViolations(server, subject) : []),
    ...collisions(pod, server && isStdio ? server : undefined),
    ...hostViolations(pod),
    ...securityViolations(pod, config.floor),
  ]
}
