// What a server may reach, as `egress` names it: the grammar of one destination, and which of several is about a name or an
// address. Pure: nothing is resolved here.

import { ADMIN_PORT, EGRESS_PORT, MCP_PORT, OWN_PROXY_PORT, REPLICA_PORT } from './names.ts'
import { integer } from './numbers.ts'
import { addressOfName, baseOf, declares, rangeOf, type Address, type Range } from './address.ts'
import { hostNameOf, isApiServerName } from './host-name.ts'

/** Which hosts a destination is about. */
export type Hosts =
  /** One, by its name. */
  | { readonly kind: 'name'; readonly name: string }
  /** All that are called something before this. */
  | { readonly kind: 'below'; readonly name: string }
  /** All that have a name and lead to the internet. */
  | { readonly kind: 'any' }
  /** Addresses: of a literal, one. */
  | { readonly kind: 'range'; readonly range: Range }

export interface Destination {
  /** As it is written, white space around it aside: what records call it by. */
  readonly text: string
  readonly hosts: Hosts
  readonly port: number
  /** Of a TCP forward: the port of loopback where the server finds it. */
  readonly local: number | undefined
}

const MAX_PORT = 65_535
/** The sidecar's own: they lead somewhere already. */
const OWN_PORTS = [MCP_PORT, ADMIN_PORT, EGRESS_PORT, OWN_PROXY_PORT, REPLICA_PORT] as const

/** In the place of destinations: none is reached. */
export const NO_EGRESS = 'none'

/** What is right, as the end of a sentence. */
export const DESTINATION_FORMS =
  '`host:port`, `*.host:port`, `*:port`, `CIDR:port` (`[address]:port` where it is IPv6) or, for a TCP forward, `LOCAL=host:port`'

/** Whoever writes bits behind a prefix may mean the one address. */
const isWhole = (range: Range): boolean => Buffer.compare(range.bytes, baseOf(range).bytes) === 0

const rangeHosts = (text: string, isBracketed: boolean): Hosts | undefined => {
  const range = rangeOf(text)
  // An IPv6 address alone needs brackets before a port.
  const isPlain = isBracketed || text.includes('/') || !text.includes(':')
  return range && isPlain && isWhole(range) ? { kind: 'range', range } : undefined
}

const nameHosts = (text: string): Hosts | undefined => {
  if (text === '*') return { kind: 'any' }
  const isBelow = text.startsWith('*.')
  const name = hostNameOf(isBelow ? text.slice(2) : text)
  // A dot at its end would be a second spelling of the same.
  if (name === undefined || text.endsWith('.')) return undefined
  const address = isBelow ? undefined : addressOfName(name)
  if (address) return { kind: 'range', range: { bytes: address, prefix: address.length * 8 } }
  return { kind: isBelow ? 'below' : 'name', name }
}

const hostsOf = (text: string): Hosts | undefined => {
  const [, inner] = /^\[(.*)\]$/.exec(text) ?? []
  return inner === undefined
    ? (rangeHosts(text, false) ?? nameHosts(text))
    : rangeHosts(inner, true)
}

/** Whether a forward can lead there: to one host. */
const isOne = (hosts: Hosts): boolean =>
  hosts.kind === 'name' ||
  (hosts.kind === 'range' && hosts.range.prefix === hosts.range.bytes.length * 8)

const localOf = (text: string): number | undefined => {
  const port = integer(text, MAX_PORT)
  return OWN_PORTS.some((own) => own === port) ? undefined : port
}

/** One destination; undefined for what is none. */
export const destinationOf = (text: string): Destination | undefined => {
  const [, localText, host = '', portText = ''] = /^(?:([^=]*)=)?(.+):(\d{1,5})$/s.exec(text) ?? []
  const hosts = hostsOf(host)
  const port = integer(portText, MAX_PORT)
  if (!hosts || port === undefined) return undefined
  if (localText === undefined) return { text, hosts, port, local: undefined }
  const local = localOf(localText)
  return local !== undefined && isOne(hosts) ? { text, hosts, port, local } : undefined
}

/** How much a destination says about a name; undefined where it is not about it: of the API server none but its own says anything. */
const weight = (hosts: Hosts, name: string): number | undefined => {
  if (hosts.kind === 'name') return hosts.name === name ? Infinity : undefined
  if (isApiServerName(name)) return undefined
  if (hosts.kind === 'below') return name.endsWith(`.${hosts.name}`) ? hosts.name.length : undefined
  return hosts.kind === 'any' ? 0 : undefined
}

/** The destination that says most about a name (`hostNameOf`) at a port. */
export const matchName = (
  destinations: readonly Destination[],
  name: string,
  port: number,
): Destination | undefined => {
  let best: Destination | undefined
  let most = -1
  for (const destination of destinations) {
    const said = destination.port === port ? weight(destination.hosts, name) : undefined
    if (said === undefined || said <= most) continue
    best = destination
    most = said
  }
  return best
}

/** The first destination that declares an address at a port. */
export const matchAddress = (
  destinations: readonly Destination[],
  address: Address,
  port: number,
): Destination | undefined =>
  destinations.find(
    (one) => one.port === port && one.hosts.kind === 'range' && declares(one.hosts.range, address),
  )
