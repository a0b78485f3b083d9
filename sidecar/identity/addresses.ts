// What kind of address a name has led to. Whoever names an issuer, or whoever answers for it, must not make the sidecar
// ask the node's metadata service, or a neighbour, in any spelling of the address. Pure.

import { BlockList, isIP } from 'node:net'

/** How far a host may lead, each with what stands before it. */
export const REACHES = ['public', 'private', 'loopback'] as const
export type Reach = (typeof REACHES)[number]

const list = (...ranges: readonly string[]): BlockList => {
  const blocked = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    blocked.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return blocked
}

/** Of IPv4 what is not here is public. The two single ones are the metadata services of Alibaba Cloud and Azure. */
const NEVER_4 = list(
  '0.0.0.0/8',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
)
const LOOPBACK_4 = list('127.0.0.0/8')
const PRIVATE_4 = list(
  '10.0.0.0/8',
  '100.64.0.0/10',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '198.18.0.0/15',
)

/** Of IPv6 nothing is asked but what is here: so much else holds an IPv4 address, or is on the link. */
const PUBLIC_6 = list('2000::/3')
const PRIVATE_6 = list('fc00::/7')
const LOOPBACK_6 = list('::1/128')
/** Of those: Teredo and 6to4, what documents show, and the metadata services of AWS (two) and Google Cloud. */
const NEVER_6 = list(
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  'fd00:ec2::/32',
  'fd20:ce::254/128',
)

const reachOf4 = (address: string): Reach | undefined => {
  if (NEVER_4.check(address)) return undefined
  if (LOOPBACK_4.check(address)) return 'loopback'
  return PRIVATE_4.check(address) ? 'private' : 'public'
}

const reachOf6 = (address: string): Reach | undefined => {
  const isIn = (ranges: BlockList): boolean => ranges.check(address, 'ipv6')
  if (isIn(NEVER_6)) return undefined
  if (isIn(LOOPBACK_6)) return 'loopback'
  if (isIn(PRIVATE_6)) return 'private'
  return isIn(PUBLIC_6) ? 'public' : undefined
}

/** How far away an address is; undefined for one that is never asked. */
export const reachOf = (address: string): Reach | undefined => {
  if (address.includes('%')) return undefined
  const version = isIP(address)
  if (version === 0) return undefined
  return version === 4 ? reachOf4(address) : reachOf6(address)
}

/** Whether a host that may lead so far may be asked at this address. */
export const mayAsk = (allowed: Reach, address: string): boolean => {
  const reach = reachOf(address)
  return reach !== undefined && REACHES.indexOf(reach) <= REACHES.indexOf(allowed)
}
