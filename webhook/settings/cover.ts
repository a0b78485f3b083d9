// Whether destinations keep within others: by port, name and address, a forward by what it leads to. Pure.

import { covers, type Range } from '../../shared/address.ts'
import { destinationOf, type Destination, type Hosts } from '../../shared/destination.ts'

/** A name within the cluster, with its domain or without. */
const SERVICE = /(^|\.)svc(\.|$)/

/**
 * Whether names keep within others. Who names a Service reaches it where it is, in the cluster; what lies below other names, and
 * `*`, leads to the internet alone: so these are not about Services.
 */
const coversName = (outer: Hosts, name: string, isBelow: boolean): boolean => {
  if (outer.kind === 'range') return false
  const isService = SERVICE.test(name)
  if (outer.kind === 'any') return !isService
  if (outer.kind === 'name') return !isBelow && outer.name === name
  const isUnder = name.endsWith(`.${outer.name}`) || (isBelow && name === outer.name)
  return isUnder && (!isService || SERVICE.test(outer.name))
}

const coversRange = (outer: Hosts, range: Range): boolean =>
  outer.kind === 'range' && covers(outer.range, range)

const coversHosts = (outer: Hosts, inner: Hosts): boolean => {
  if (inner.kind === 'any') return outer.kind === 'any'
  return inner.kind === 'range'
    ? coversRange(outer, inner.range)
    : coversName(outer, inner.name, inner.kind === 'below')
}

/** What a list of destinations covers; texts that are none cover nothing, and nothing covers them. Each is read once. */
export const coverage = (allowed: readonly string[]): ((text: string) => boolean) => {
  const byPort = new Map<number, Destination[]>()
  for (const text of allowed) {
    const destination = destinationOf(text)
    if (!destination) continue
    const others = byPort.get(destination.port)
    if (others) others.push(destination)
    else byPort.set(destination.port, [destination])
  }
  return (text) => {
    const inner = destinationOf(text)
    if (!inner) return false
    return (byPort.get(inner.port) ?? []).some((outer) => coversHosts(outer.hosts, inner.hosts))
  }
}
