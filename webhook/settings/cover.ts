// Whether destinations keep within others: by port, name and address, a forward by what it leads to. Pure.

import { covers, type Range } from '../../shared/address.ts'
import { destinationOf, type Destination, type Hosts } from '../../shared/destination.ts'
import { isApiServerName, nameInNamespace } from '../../shared/host-name.ts'

/** A name within the cluster, with its domain or without; one without a dot is a Service's, whatever its namespace is. */
const SERVICE = /(^|\.)svc(\.|$)|^[^.]+$/

type Named = Extract<Hosts, { readonly kind: 'name' | 'below' }>

/** Names below one have a dot in any case. */
const isService = ({ kind, name }: Named): boolean =>
  SERVICE.test(kind === 'below' ? `below.${name}` : name)

const isUnder = (outer: string, { kind, name }: Named): boolean =>
  (name.endsWith(`.${outer}`) && !(kind === 'name' && isApiServerName(name))) ||
  (kind === 'below' && name === outer)

/**
 * Whether names keep within others. Who names a Service reaches it where it is, in the cluster; what lies below other names, and
 * `*`, leads to the internet alone: so these are not about Services. Nothing is about the API server but its own name.
 */
const coversName = (outer: Hosts, inner: Named): boolean => {
  if (outer.kind === 'range') return false
  if (outer.kind === 'any') return !isService(inner)
  if (outer.kind === 'name') return inner.kind === 'name' && outer.name === inner.name
  return isUnder(outer.name, inner) && (!isService(inner) || isService(outer))
}

const coversRange = (outer: Hosts, range: Range): boolean =>
  outer.kind === 'range' && covers(outer.range, range)

const coversHosts = (outer: Hosts, inner: Hosts): boolean => {
  if (inner.kind === 'any') return outer.kind === 'any'
  return inner.kind === 'range' ? coversRange(outer, inner.range) : coversName(outer, inner)
}

/** A destination in a namespace, by which the names of its Services are whole. */
const destinationIn = (text: string, namespace: string | undefined): Destination | undefined => {
  const destination = destinationOf(text)
  if (namespace === undefined || destination?.hosts.kind !== 'name') return destination
  const { hosts } = destination
  return { ...destination, hosts: { ...hosts, name: nameInNamespace(hosts.name, namespace) } }
}

/**
 * What a list of destinations covers, in a namespace, or wherever it may be; texts that are none cover nothing, and nothing
 * covers them. Each is read once.
 */
export const coverage = (
  allowed: readonly string[],
  namespace?: string,
): ((text: string) => boolean) => {
  const byPort = new Map<number, Destination[]>()
  for (const text of allowed) {
    const destination = destinationIn(text, namespace)
    if (!destination) continue
    const others = byPort.get(destination.port)
    if (others) others.push(destination)
    else byPort.set(destination.port, [destination])
  }
  return (text) => {
    const inner = destinationIn(text, namespace)
    if (!inner) return false
    return (byPort.get(inner.port) ?? []).some((outer) => coversHosts(outer.hosts, inner.hosts))
  }
}
