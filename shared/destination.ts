// What a server may reach, as `egress` names it: the grammar of one destination and of a list of them, and which of them
// is about a name or an address. Pure: nothing is resolved here.

import { EGRESS_PORT, ADMIN_PORT, MCP_PORT } from './names.ts'
import { integer } from './numbers.ts'
import { fail, ok, type Result } from './result.ts'
import { declares, rangeOf, type Address, type Range } from './address.ts'
import { hostNameOf } from './host-name.ts'

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

/** Whoever needs more has a pattern or a range for it. */
export const MAX_DESTINATIONS = 256
/** The shim holds no more for a process. */
const MAX_FORWARDS = 32
const MAX_PORT = 65_535
/** Nobody can bind them, so nobody could use a forward there. */
const OWN_PORTS = [MCP_PORT, ADMIN_PORT, EGRESS_PORT] as const

/** In the place of destinations: none is reached. */
export const NO_EGRESS = 'none'

/** What is right, as the end of a sentence. */
export const DESTINATION_FORMS =
  '`host:port`, `*.host:port`, `*:port`, `CIDR:port` (`[address]:port` where it is IPv6) or, for a TCP forward, `LOCAL=host:port`'

const rangeHosts = (text: string, isBracketed: boolean): Hosts | undefined => {
  const range = rangeOf(text)
  // An IPv6 address alone needs brackets before a port.
  const isPlain = range && (isBracketed || text.includes('/') || !text.includes(':'))
  return range && isPlain ? { kind: 'range', range } : undefined
}

const nameHosts = (text: string): Hosts | undefined => {
  if (text === '*') return { kind: 'any' }
  const isBelow = text.startsWith('*.')
  const name = hostNameOf(isBelow ? text.slice(2) : text)
  // A dot at its end would be a second spelling of the same.
  if (name === undefined || text.endsWith('.')) return undefined
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

/** The first that stands twice. */
const twice = <T>(values: readonly T[]): T | undefined =>
  values.find((value, at) => values.indexOf(value) !== at)

const quoted = (text: string): string => JSON.stringify(text.slice(0, 80))

/** What a comma list says; else what is wrong with it, as a sentence. */
export const parseDestinations = (text: string): Result<readonly Destination[], string> => {
  if (text === NO_EGRESS) return ok([])
  const items = text.split(',', MAX_DESTINATIONS + 1).map((item) => item.trim())
  if (items.length > MAX_DESTINATIONS) return fail(`there are more than ${MAX_DESTINATIONS}`)
  const destinations: Destination[] = []
  for (const item of items) {
    const destination = destinationOf(item)
    if (!destination) return fail(`${quoted(item)} is no destination: use ${DESTINATION_FORMS}`)
    destinations.push(destination)
  }
  const again = twice(items)
  if (again !== undefined) return fail(`${quoted(again)} stands there twice`)
  const locals = destinations.flatMap(({ local }) => local ?? [])
  if (locals.length > MAX_FORWARDS) return fail(`there are more than ${MAX_FORWARDS} TCP forwards`)
  const port = twice(locals)
  return port === undefined
    ? ok(destinations)
    : fail(`two forwards have the local port ${port}: give each its own`)
}

/** How much a destination says about a name; undefined where it is not about it. */
const weight = (hosts: Hosts, name: string): number | undefined => {
  if (hosts.kind === 'name') return hosts.name === name ? Infinity : undefined
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
