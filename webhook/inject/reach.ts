// Who reaches a server that speaks HTTP, and what its author is told of it: everybody by the sidecar, where the shim holds
// it on loopback; else also around it, but for those whom a port's name leads. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import type { JsonObject } from '../../shared/json.ts'
import { nameOf } from './pod.ts'
import type { PortNames } from './port-names.ts'
import { bypassWarnings } from './services.ts'
import type { Subject } from './subject.ts'

/** Of one that the shim holds on loopback. */
export const heldWarnings = (server: JsonObject, port: number): readonly string[] => [
  `container ${nameOf(server)}: is held on loopback by Outrigger's shim; port ${port} at the pod's address is the sidecar's: there are MCP and what ${PREFIX}open-paths names, and nothing else of the server`,
]

export interface Unheld {
  readonly port: number
  /** Another container that declares the port. */
  readonly holder: string | undefined
  readonly names: PortNames
}

const FOUND_OUT = '`outrigger images add` of its image finds it out'

/** Why a server that speaks HTTP is not held on loopback; by which way its command is found out. */
export const reasonAgainst = (
  { holder }: Pick<Unheld, 'holder'>,
  foundOut: string = FOUND_OUT,
): string =>
  holder === undefined
    ? `its command is not known (${foundOut})`
    : `container ${holder} declares its port, too`

const movedWarnings = (container: string, { moved }: PortNames): readonly string[] =>
  moved.map(
    (name) =>
      `container ${container}: the port name ${name} is the sidecar's now, so that Services that target it lead there`,
  )

/** Of one that can be reached beside its sidecar. */
export const unheldWarnings = (
  server: JsonObject,
  { port, names, ...against }: Unheld,
  subject: Subject,
): readonly string[] => [
  `container ${nameOf(server)}: ${reasonAgainst(against)}, so that nothing holds it on loopback: whoever reaches port ${port} goes around the sidecar`,
  ...movedWarnings(nameOf(server), names),
  ...bypassWarnings({ server, port, movedNames: names.moved }, subject),
]
