// What kind of address a name has led to. Whoever names an issuer, or whoever answers for it, must not make the sidecar
// ask the node's metadata service, or a neighbour, in any spelling of the address. Pure.

import { BlockList, isIP } from 'node:net'

/** How far a host may lead, each with what stands before it. */
export const REACHES = ['public', 'private', 'loopback'] as const
export type Reach = (typeof REACHES)[number]

const list = (ranges: readonly string[]): BlockList => {
  const blocked = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    blocked.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return blocked
}

const LOOPBACK = list(['127.0.0.0/8', '::1/128'])

/** Link-local, the clouds' metadata services, what is no host, and IPv6 addresses that hold an IPv4 one. */
const NEVER = list([
  '0.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '100.100.100.200/32',
  '168.63.129.16/32',
  'fd00:ec2::254/128',
  '::/96',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2001::/32',
  '2002::/16',
])

const PRIVATE = list([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '198.18.0.0/15',
  'fc00::/7',
])

/** How far away an address is; undefined for one that is never asked. */
export const reachOf = (address: string): Reach | undefined => {
  const version = isIP(address)
  const family = version === 6 ? 'ipv6' : 'ipv4'
  if (version === 0 || address.includes('%')) return undefined
  if (LOOPBACK.check(address, family)) return 'loopback'
  if (NEVER.check(address, family)) return undefined
  return PRIVATE.check(address, family) ? 'private' : 'public'
}

/** Whether a host that may lead so far may be asked at this address. */
export const mayAsk = (allowed: Reach, address: string): boolean => {
  const reach = reachOf(address)
  return reach !== undefined && REACHES.indexOf(reach) <= REACHES.indexOf(allowed)
}
