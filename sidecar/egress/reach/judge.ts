// Whether a host and a port may be reached: first by its name or its address as it was asked for, then by the addresses that
// the name has led to. A name that nothing declares is never looked up, so that no name is a way out. Fails closed. Pure.

import { PREFIX } from '../../../shared/annotations.ts'
import { kindOf, textOf, type Address } from '../../../shared/address.ts'
import {
  matchAddress,
  matchName,
  type Destination,
  type Hosts,
} from '../../../shared/destination.ts'
import {
  absoluteName,
  absoluteSuffix,
  isServiceName,
  writtenName,
  type Cluster,
} from '../../../shared/host-name.ts'
import type { Closed } from './api-server-place.ts'
import type { Why } from './why.ts'

export type Host =
  /** In its absolute form. */
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'address'; readonly address: Address }

export interface Target {
  readonly host: Host
  readonly port: number
}

/** `observe` lets through what nothing declares, and says so. */
export type Mode = 'observe' | 'enforce'

export interface Rules {
  readonly mode: Mode
  /** Names in their absolute form. */
  readonly destinations: readonly Destination[]
  readonly cluster: Cluster | undefined
  /** Whether the pod itself answers there. */
  readonly isOwn: (address: Address, port: number) => boolean
}

/** A reason with what one can do about it. */
export interface Refusal {
  readonly why: Why
  readonly words: string
}

export type Ruling =
  | { readonly verdict: 'allowed'; readonly rule: Destination }
  | {
      readonly verdict: 'observed'
      readonly rule: Destination | undefined
      readonly refusal: Refusal
    }
  | { readonly verdict: 'denied'; readonly rule?: Destination; readonly refusal: Refusal }

const KEY = `${PREFIX}egress`

const absoluteHosts = (hosts: Hosts, cluster: Cluster | undefined): Hosts => {
  if (hosts.kind === 'name') return { ...hosts, name: absoluteName(hosts.name, cluster) }
  return hosts.kind === 'below' ? { ...hosts, name: absoluteSuffix(hosts.name, cluster) } : hosts
}

/** Destinations as names are matched with them: a Service's name is whole only with what the cluster completes it by. */
export const absoluteDestinations = (
  destinations: readonly Destination[],
  cluster: Cluster | undefined,
): readonly Destination[] =>
  destinations.map((one) => ({ ...one, hosts: absoluteHosts(one.hosts, cluster) }))

/** A host as it stands in records and sentences. */
export const hostText = (host: Host): string =>
  host.kind === 'name' ? host.name : textOf(host.address)

/** With its port. */
export const targetText = ({ host, port }: Target): string => {
  const text = hostText(host)
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`
}

const addressTarget = (address: Address, port: number): Target => ({
  host: { kind: 'address', address },
  port,
})

/** As platform teams list it: of a Service without the cluster's domain. */
const writtenTarget = ({ host, port }: Target, { cluster }: Rules): Target => ({
  host: host.kind === 'name' ? { ...host, name: writtenName(host.name, cluster) } : host,
  port,
})

const undeclared = (rules: Rules, target: Target): Refusal => ({
  why: 'undeclared',
  words: `${targetText(writtenTarget(target, rules))} is not declared: add it to ${KEY}`,
})

/** Why no destination leads to an address, or none but one about itself; undefined where it may be declared. */
const forbidden = (rules: Rules, address: Address, port: number): string | undefined => {
  if (rules.isOwn(address, port)) return 'this pod itself'
  const kind = kindOf(address)
  if (kind === 'near') return "the link or a cloud's metadata service"
  return kind === 'never' ? 'no host' : undefined
}

/** Whether an address is not even observed. The pod's own are: whoever goes past the proxy reaches them as well. */
const isShut = (rules: Rules, address: Address, port: number): boolean =>
  rules.isOwn(address, port)
    ? rules.mode === 'enforce' || kindOf(address) === 'loopback'
    : forbidden(rules, address, port) !== undefined

/** Of what nothing declares. */
const lenient = ({ mode }: Rules, refusal: Refusal): Ruling =>
  mode === 'observe'
    ? { verdict: 'observed', rule: undefined, refusal }
    : { verdict: 'denied', refusal }

const judgeLiteral = (rules: Rules, address: Address, port: number): Ruling => {
  const target = addressTarget(address, port)
  const what = forbidden(rules, address, port)
  const isOwn = rules.isOwn(address, port)
  const rule = isOwn ? undefined : matchAddress(rules.destinations, address, port)
  if (rule) return { verdict: 'allowed', rule }
  if (what === undefined) return lenient(rules, undeclared(rules, target))
  const advice = isOwn
    ? 'no destination leads there'
    : 'only a destination that is about nothing else declares it'
  const words = `${targetText(target)} is ${what}: ${advice}`
  const refusal: Refusal = { why: 'forbidden-address', words }
  return isShut(rules, address, port) ? { verdict: 'denied', refusal } : lenient(rules, refusal)
}

/** What can be said before a name is looked up. */
export const judgeTarget = (rules: Rules, { host, port }: Target): Ruling => {
  if (host.kind === 'address') return judgeLiteral(rules, host.address, port)
  const rule = matchName(rules.destinations, host.name, port)
  if (rule) return { verdict: 'allowed', rule }
  return lenient(rules, undeclared(rules, { host, port }))
}

/** Whether a destination is about a Service by its name: then its addresses are the cluster's own, and private as a rule. */
const isAboutService = ({ hosts }: Destination, cluster: Cluster | undefined): boolean =>
  (hosts.kind === 'name' || hosts.kind === 'below') && isServiceName(hosts.name, cluster)

/** A name that was asked for, at a port. */
export interface AskedName {
  readonly name: string
  readonly port: number
  /** Where the API server answers, which its own name alone leads to; undefined where that cannot be known: a Service may be its alias. */
  readonly closed: Closed | undefined
}

/** Whether an address is one that the name may not lead to, or may be. */
const isClosed = ({ closed }: AskedName, found: Address): boolean =>
  !closed || closed.has(textOf(found))

/** Whether a name that a destination declares may lead to an address. */
const mayLead = (rules: Rules, rule: Destination, named: AskedName, found: Address): boolean => {
  if (rules.isOwn(found, rule.port)) return false
  const kind = kindOf(found)
  if (kind === 'loopback') return false
  if (!isClosed(named, found)) {
    if (kind === 'public') return true
    if (kind === 'private' && isAboutService(rule, rules.cluster)) return true
  }
  return matchAddress(rules.destinations, found, rule.port) !== undefined
}

export interface Judged {
  readonly ruling: Ruling
  /** Those that may be dialled; where it is denied, those that it led to. */
  readonly addresses: readonly Address[]
}

const denied = (
  rule: Destination | undefined,
  refusal: Refusal,
  addresses: readonly Address[],
): Judged => ({ ruling: { verdict: 'denied', ...(rule && { rule }), refusal }, addresses })

/** Of a name that leads to nothing but what is never reached by a name. */
const forbiddenWords = (rules: Rules, asked: string, found: Address, port: number): Refusal => ({
  why: 'forbidden-address',
  words: `${asked} leads to ${textOf(found)}, ${forbidden(rules, found, port) ?? ''}: no name may lead there`,
})

const closedWords = ({ name, port, closed }: AskedName, found: Address): Refusal => {
  const what = closed ? "which is the API server's" : "which may be the API server's"
  return {
    why: 'address',
    words: `${name}:${port} leads to ${textOf(found)}, ${what}: only its own name, kubernetes.default.svc:${port}, may, where ${KEY} has that`,
  }
}

const privateWords = (asked: string, found: Address, port: number): Refusal => {
  const target = targetText(addressTarget(found, port))
  const kind = kindOf(found)
  const advice =
    kind === 'loopback' ? 'use the address itself' : `add ${target} to ${KEY} where that is right`
  return {
    why: 'address',
    words: `${asked} leads to ${textOf(found)}, which is ${kind} and not declared: ${advice}`,
  }
}

/** Why a name that is declared does not lead to an address that is there to be reached. */
const notLed = (rules: Rules, named: AskedName, found: Address): Refusal => {
  const { port } = named
  const asked = `${named.name}:${port}`
  if (forbidden(rules, found, port) !== undefined) return forbiddenWords(rules, asked, found, port)
  return isClosed(named, found) ? closedWords(named, found) : privateWords(asked, found, port)
}

/** What can be said once a name that was let pass has led to addresses, at least one. */
export const judgeAddresses = (
  rules: Rules,
  named: AskedName,
  ruling: Exclude<Ruling, { readonly verdict: 'denied' }>,
  found: readonly Address[],
): Judged => {
  const { port } = named
  const asked = `${named.name}:${port}`
  const { rule } = ruling
  const open = found.filter((one) => !isShut(rules, one, port))
  const [first] = found
  const [best] = open
  if (!first) throw new Error('unreachable: a name that leads nowhere was not resolved')
  if (!best) return denied(rule, forbiddenWords(rules, asked, first, port), found)
  if (ruling.verdict === 'observed') return { ruling, addresses: open }
  const good = open.filter((one) => mayLead(rules, ruling.rule, named, one))
  if (good.length > 0) return { ruling, addresses: good }
  const refusal = notLed(rules, named, best)
  return rules.mode === 'observe'
    ? { ruling: { verdict: 'observed', rule, refusal }, addresses: open }
    : denied(rule, refusal, open)
}
