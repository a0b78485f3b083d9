// Every reason for which a pod that asks for a server cannot have one, all at once. Each lives in the
// file of its subject; this is the list. What a pod must keep to besides are webhook/rules. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import type { JsonObject } from '../../shared/json.ts'
import { conflicts, type Settings } from '../../shared/settings.ts'
import { auditViolations } from './audit.ts'
import { baseLockOf } from './base-lock.ts'
import { collisions, isOwnPort, writablePathViolations } from './collisions.ts'
import { confinementViolations } from './egress.ts'
import { callerVariableViolations } from '../settings/caller-variables.ts'
import { tokenExchangeViolations } from '../settings/token-exchange.ts'
import { demandViolations } from '../settings/demands.ts'
import { egressViolations } from '../settings/destinations.ts'
import { identityViolations } from '../settings/trust-faults.ts'
import type { Claimant } from '../settings/public-urls.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { gateViolations } from './gate.ts'
import { chooseAccount } from './own-account.ts'
import { tcpPorts } from './ports.ts'
import { resourceViolations } from './resources.ts'
import { workloadOf } from './server-label.ts'
import { svidViolations } from './serving-tls.ts'
import type { Subject } from './subject.ts'
import { chooseToken } from './token.ts'
import { hasShim, type Transport } from './transport.ts'
import { writableViolations } from './writable.ts'

/** Whose a public URL would be. */
const claimantOf = (subject: Subject): Claimant => ({
  namespace: subject.namespace.name,
  name: workloadOf(subject.pod, subject.workload).name,
  serviceAccount: chooseAccount(subject).name,
})

/** What the floor demands and brings itself; nobody is told to bring a lock before the server is known. */
const broughtFor = (
  subject: Subject,
  server: JsonObject | undefined,
): ReadonlySet<'tool-policy' | 'tool-lock'> =>
  new Set(server && baseLockOf(subject, server) === undefined ? [] : ['tool-lock'])

/** With what it was found to speak, where that was left to us. */
const asFound = (settings: Settings, transport: Transport | undefined): Settings =>
  transport?.kind === 'http' ? { ...settings, transport: transport.protocol } : settings

const settingViolations = (
  subject: Subject,
  { server, transport }: Found,
): readonly Violation[] => {
  const { resolution, config } = subject
  const { settings, placed } = resolution
  const { floor } = config
  return [
    ...resolution.violations,
    ...demandViolations(settings, floor, broughtFor(subject, server)),
    ...identityViolations(settings, placed, { floor, claimant: claimantOf(subject) }),
    ...egressViolations(placed, subject.namespace.name, floor.egress),
    ...conflicts(asFound(settings, transport)).map((error) =>
      violation('bad-value', `${PREFIX}${error}`),
    ),
    ...resourceViolations(settings),
    ...auditViolations(subject.pod, resolution, config),
    ...writablePathViolations(settings['writable-paths'] ?? []),
  ]
}

/** Where its container declares the port, that is what is wrong, and a collision. */
const portViolations = ({ server, transport }: Found): readonly Violation[] => {
  if (transport?.kind !== 'http' || !isOwnPort(transport.port)) return []
  const { port } = transport
  const isDeclared = tcpPorts(server ?? {}).some(({ number }) => number === port)
  const message = `${PREFIX}port: ${port} is Outrigger's own; let the server listen elsewhere`
  return isDeclared ? [] : [violation('reserved-port', message)]
}

export interface Found {
  /** The server's container, where it can be told. */
  readonly server?: JsonObject
  /** What it speaks, where that can be told. */
  readonly transport?: Transport
}

/** Everything that is wrong. */
export const judge = (subject: Subject, found: Found): readonly Violation[] => {
  const { pod, config, resolution } = subject
  const { settings, placed } = resolution
  const { server, transport } = found
  return [
    ...settingViolations(subject, found),
    ...callerVariableViolations(settings, placed, config.floor),
    ...tokenExchangeViolations(settings, placed, config.floor),
    ...gateViolations(subject),
    ...portViolations(found),
    ...svidViolations(transport, settings, config.floor),
    ...chooseToken(subject).violations,
    ...confinementViolations(server, transport, subject),
    ...writableViolations(pod, server, settings),
    ...collisions(pod, transport && hasShim(transport) ? server : undefined),
  ]
}
