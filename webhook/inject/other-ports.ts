// What becomes of the ports that a server over HTTP declares besides the one that speaks MCP: on loopback nobody reaches
// them any more, unless the sidecar carries them as plain TCP, by the floor's leave. Pure.

import type { JsonObject } from '../../shared/json.ts'
import type { Floor } from '../settings/floor.ts'
import { isOwnPort } from './collisions.ts'
import { nameOf } from './pod.ts'
import { portList, tcpPorts } from './ports.ts'

export interface OtherPorts {
  /** Those that the sidecar carries. */
  readonly carried: readonly number[]
  readonly warnings: readonly string[]
}

/** As many as the sidecar takes. */
const MAX_CARRIED = 16
// What a warning has room for.
const MAX_NAMED = 5

export const otherPorts = (
  server: JsonObject,
  port: number,
  { isHeld, floor }: { readonly isHeld: boolean; readonly floor: Floor },
): OtherPorts => {
  const others = tcpPorts(server).filter(({ number }) => number !== port && !isOwnPort(number))
  if (others.length === 0) return { carried: [], warnings: [] }
  const numbers = [...new Set(others.map(({ number }) => number))]
  const carried = isHeld && floor.allowCarriedPorts ? numbers.slice(0, MAX_CARRIED) : []
  const more = others.length > MAX_NAMED ? ` and ${others.length - MAX_NAMED} more` : ''
  const named = portList(others.slice(0, MAX_NAMED)) + more
  const told = (what: string): readonly string[] => [
    `container ${nameOf(server)}: its other ports ${what}: ${named}`,
  ]
  if (!isHeld) return { carried, warnings: told('are reached directly, around the sidecar') }
  if (carried.length === 0) {
    return {
      carried,
      warnings: told('are reached by no other pod any more (floor.allowCarriedPorts)'),
    }
  }
  const left = numbers.length - carried.length
  const rest = left > 0 ? `, but for the last ${left}` : ''
  return { carried, warnings: told(`pass the sidecar as plain TCP, unread${rest}`) }
}
