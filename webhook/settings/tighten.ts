// Whether a lower scope's value keeps within what a higher scope fixed. Pure; the annotation table
// says per key which way is tighter.

import { BlockList, isIP } from 'node:net'
import type { Tightening } from '../../shared/annotations.ts'

const items = (text: string): readonly string[] => text.split(',').map((item) => item.trim())

const split = (destination: string): readonly [host: string, port: string] => {
  const colon = destination.lastIndexOf(':')
  return [destination.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), destination.slice(colon + 1)]
}

const isInRange = (outer: string, inner: string): boolean => {
  const [network = '', prefix] = outer.split('/')
  const [address = '', bits] = inner.split('/')
  const family = isIP(network)
  if (family === 0 || family !== isIP(address) || prefix === undefined) return false
  if (bits !== undefined && Number(bits) < Number(prefix)) return false
  const list = new BlockList()
  list.addSubnet(network, Number(prefix), family === 4 ? 'ipv4' : 'ipv6')
  return list.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** Whether one allowed item (`*.example.com:443`, `10.0.0.0/8:443`, any word) covers another. */
const covers = (outer: string, inner: string): boolean => {
  if (outer === inner) return true
  const [outerHost, outerPort] = split(outer)
  const [innerHost, innerPort] = split(inner)
  if (outerPort !== innerPort) return false
  if (outerHost.startsWith('*.')) {
    return innerHost.endsWith(outerHost.slice(1)) && innerHost !== outerHost.slice(2)
  }
  return isInRange(outerHost, innerHost)
}

/** Why `below` would loosen `above`, as the end of a sentence; undefined where it does not. */
export const loosening = (rule: Tightening, above: string, below: string): string | undefined => {
  if (rule.by === 'order') {
    const allowed = rule.order.slice(rule.order.indexOf(above))
    return allowed.includes(below) ? undefined : `use ${allowed.map(quote).join(' or ')}`
  }
  if (rule.by === 'fixed') return above === below ? undefined : `leave it out`
  const [higher, lower] = [items(above), items(below)]
  if (rule.by === 'subset') {
    const extra = lower.filter((item) => !higher.some((outer) => covers(outer, item)))
    return extra.length === 0 ? undefined : `take out ${extra.map(quote).join(', ')}`
  }
  const missing = higher.filter((item) => !lower.includes(item))
  return missing.length === 0 ? undefined : `add ${missing.map(quote).join(', ')}`
}

const quote = (text: string): string => `\`${text}\``
