// Whether a lower scope's value keeps within what a higher scope fixed. Pure; the annotation table
// says per key which way is tighter; limits are less.ts's.

import { BlockList, isIP, SocketAddress } from 'node:net'
import type { Tightening } from '../../shared/annotations.ts'

const items = (text: string): readonly string[] => text.split(',').map((item) => item.trim())

/** A destination's host, without brackets, and its port. */
export const split = (destination: string): readonly [host: string, port: string] => {
  const colon = destination.lastIndexOf(':')
  return [destination.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), destination.slice(colon + 1)]
}

export interface Range {
  readonly family: number
  readonly address: SocketAddress
  readonly prefix: number
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 4 ? 'ipv4' : 'ipv6')

/** `10.0.0.0/8`, or an address, which is the range of itself; undefined for anything else, a zone too. */
export const rangeOf = (host: string): Range | undefined => {
  const [text = '', bits] = host.split('/')
  const family = isIP(text)
  const most = family === 4 ? 32 : 128
  const prefix = bits === undefined ? most : Number(/^\d{1,3}$/.exec(bits)?.[0])
  if (family === 0 || text.includes('%') || !(prefix <= most)) return undefined
  return { family, address: new SocketAddress({ address: text, family: familyOf(text) }), prefix }
}

/** Whether an allowed host (`*.example.com`, `10.0.0.0/8`) covers another. */
type Covers = (host: string, range: Range | undefined) => boolean

const coverOf = (outer: string): Covers | undefined => {
  if (outer.startsWith('*.')) {
    return (host) => host.endsWith(outer.slice(1)) && host !== outer.slice(2)
  }
  const outerRange = outer.includes('/') ? rangeOf(outer) : undefined
  if (!outerRange) return undefined
  const { family, address, prefix } = outerRange
  const list = new BlockList()
  list.addSubnet(address, prefix)
  return (_host, range) =>
    range?.family === family && range.prefix >= prefix && list.check(range.address)
}

/** What the allowed items (`*.example.com:443`, `10.0.0.0/8:443`, any word) cover: each is read once. */
export const coverage = (allowed: readonly string[]): ((item: string) => boolean) => {
  const words = new Set(allowed)
  const byPort = new Map<string, Covers[]>()
  for (const item of words) {
    const [host, port] = split(item)
    const covers = coverOf(host)
    if (!covers) continue
    const others = byPort.get(port)
    if (others) others.push(covers)
    else byPort.set(port, [covers])
  }
  return (item) => {
    if (words.has(item)) return true
    const [host, port] = split(item)
    const range = rangeOf(host)
    return (byPort.get(port) ?? []).some((covers) => covers(host, range))
  }
}

/** Why `below` would loosen `above`, as the end of a sentence; undefined where it does not. */
export const loosening = (
  rule: Exclude<Tightening, { readonly by: 'limit' | 'least' }>,
  above: string,
  below: string,
): string | undefined => {
  if (rule.by === 'order') {
    const allowed = rule.order.slice(rule.order.indexOf(above))
    return allowed.includes(below) ? undefined : `use ${allowed.map(quote).join(' or ')}`
  }
  if (rule.by === 'fixed') return above === below ? undefined : `leave it out`
  const [higher, lower] = [items(above), items(below)]
  if (rule.by === 'subset') {
    if (below === rule.none) return undefined
    const isCovered = coverage(higher)
    const extra = lower.filter((item) => !isCovered(item))
    return extra.length === 0 ? undefined : `take out ${extra.map(quote).join(', ')}`
  }
  const present = new Set(lower)
  const missing = higher.filter((item) => !present.has(item))
  return missing.length === 0 ? undefined : `add ${missing.map(quote).join(', ')}`
}

const quote = (text: string): string => `\`${text}\``
