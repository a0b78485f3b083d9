// The backend that `--reaches` names, and which destinations lead to it: with the sidecar's own grammar and matching. What a
// name leads to nobody asks here: where that decides, the answer is perhaps. Pure.

import { addressOf, kindOf } from '../../shared/address.ts'
import { matchAddress, matchName, type Destination } from '../../shared/destination.ts'
import { isServiceName, type Cluster } from '../../shared/host-name.ts'
import { integer } from '../../shared/numbers.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { absoluteDestinations, type Host } from '../../sidecar/egress/reach/judge.ts'
import { namedHost } from '../../sidecar/egress/reach/named-host.ts'

export interface Backend {
  /** As it was asked for. */
  readonly text: string
  readonly host: string
  /** Undefined: any. */
  readonly port: number | undefined
}

export interface Leading {
  readonly text: string
  /** What it depends on; undefined: on nothing. */
  readonly where: string | undefined
}

const USUAL_DOMAIN = 'cluster.local'
const MAX_PORT = 65_535
const MAX_SHOWN = 80

const partsOf = (text: string): { readonly host: string; readonly port: string | undefined } => {
  const [, inner, port] = /^\[([^\]]*)\](?::(.*))?$/s.exec(text) ?? []
  if (inner !== undefined) return { host: inner, port }
  // An IPv6 address without brackets has no port.
  if (addressOf(text)) return { host: text, port: undefined }
  const [, host = text, behind] = /^([^:]*):(\d*)$/.exec(text) ?? []
  return { host, port: behind }
}

const hostIn = (text: string, cluster: Cluster): Host | undefined => {
  const address = addressOf(text)
  return address ? { kind: 'address', address } : namedHost(text, cluster)
}

/** What `--reaches` names. `isWhole`: a name without a dot, a Service of one namespace's, is nobody's. */
export const parseBackend = (text: string, isWhole: boolean): Result<Backend, string> => {
  const parts = partsOf(text)
  const said = `--reaches ${JSON.stringify(text.slice(0, MAX_SHOWN))}`
  const host = hostIn(parts.host, { domain: USUAL_DOMAIN, namespace: undefined })
  if (!host) {
    return fail(`${said}: use HOST or HOST:PORT, without a scheme; an IPv6 address in brackets`)
  }
  const port = parts.port === undefined ? undefined : integer(parts.port, MAX_PORT)
  if (parts.port !== undefined && port === undefined) {
    return fail(`${said}: the port is none from 1 to ${MAX_PORT}`)
  }
  if (isWhole && host.kind === 'name' && !host.name.includes('.')) {
    return fail(`${said}: with -A name a Service whole: ${host.name}.NAMESPACE.svc`)
  }
  return ok({ text, host: parts.host, port })
}

/** By which a name of a Service may be completed: whoever has written one whole knows. */
const domainsIn = (names: readonly string[]): ReadonlySet<string> =>
  new Set([
    USUAL_DOMAIN,
    ...names.flatMap((name) => /\.svc\.([a-z0-9.-]+?)\.?(?::\d+)?$/i.exec(name)?.[1] ?? []),
  ])

interface Asked {
  readonly host: Host
  readonly cluster: Cluster
}

/** A Service leads to addresses of the cluster's own, which no star declares. */
const doubtOn = ({ host, cluster }: Asked, { hosts }: Destination): string | undefined =>
  hosts.kind === 'any' && host.kind === 'name' && isServiceName(host.name, cluster)
    ? 'where it leads to the internet'
    : undefined

/** Of a destination that is not about the host as it is named. */
const roundabout = ({ host, cluster }: Asked, { hosts }: Destination): string | undefined => {
  if (host.kind === 'name')
    return hosts.kind === 'range' ? 'where it has such an address' : undefined
  if (hosts.kind === 'range') return undefined
  const kind = kindOf(host.address)
  const isService = hosts.kind !== 'any' && isServiceName(hosts.name, cluster)
  return kind === 'public' || (kind === 'private' && isService)
    ? 'where such a name leads to it'
    : undefined
}

/** Of destinations that are all about the port. */
const atPort = (
  asked: Asked,
  port: number,
  destinations: readonly Destination[],
): readonly Leading[] => {
  const { host } = asked
  const match =
    host.kind === 'name'
      ? matchName(destinations, host.name, port)
      : matchAddress(destinations, host.address, port)
  return destinations.flatMap((one): readonly Leading[] => {
    if (one === match) return [{ text: one.text, where: doubtOn(asked, one) }]
    const where = roundabout(asked, one)
    return where === undefined ? [] : [{ text: one.text, where }]
  })
}

/** Those of a workload's destinations that lead to the backend, or may. */
export const leadingTo = (
  { host: name, port }: Backend,
  declared: readonly Destination[],
  namespace: string,
): readonly Leading[] =>
  [...domainsIn([name, ...declared.map(({ text }) => text)])].flatMap((domain) => {
    const cluster = { domain, namespace }
    const host = hostIn(name, cluster)
    if (!host) return []
    const byPort = Map.groupBy(absoluteDestinations(declared, cluster), (one) => one.port)
    return [...byPort].flatMap(([each, destinations]) =>
      port === undefined || port === each ? atPort({ host, cluster }, each, destinations) : [],
    )
  })
