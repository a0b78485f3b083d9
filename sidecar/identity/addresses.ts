// How far away an address is that a name has led to. Whoever names an issuer, or whoever answers for it, must not make the
// sidecar ask the node's metadata service, or a neighbour, in any spelling of the address. Pure.

import { isIPv4 } from 'node:net'
import { addressOf, kindOf } from '../../shared/address.ts'

/** How far a host may lead, each with what stands before it. */
export const REACHES = ['public', 'private', 'loopback'] as const
export type Reach = (typeof REACHES)[number]

/** How far away an address is; undefined for one that is never asked, and for IPv4 in another spelling. */
export const reachOf = (text: string): Reach | undefined => {
  const address = addressOf(text)
  if (!address || (address.length === 4 && !isIPv4(text))) return undefined
  const kind = kindOf(address)
  return REACHES.find((reach) => reach === kind)
}

/** Whether a host that may lead so far may be asked at this address. */
export const mayAsk = (allowed: Reach, address: string): boolean => {
  const reach = reachOf(address)
  return reach !== undefined && REACHES.indexOf(reach) <= REACHES.indexOf(allowed)
}
