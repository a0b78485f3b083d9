// A destination as a NetworkPolicy can say it: a Service by the pods that it selects, addresses as they are, and any other
// name by the addresses that it may have, since a policy knows no names. Pure.

import { destinationOf, type Destination } from '../../shared/destination.ts'
import type { JsonObject } from '../../shared/json.ts'
import type { Service } from '../cluster/namespace.ts'
import { addresses, declared, EVERY_POD, NOT_NEAR, podsIn, PUBLIC } from './peers.ts'

/** What is around a workload, as far as it is known. */
export interface Surroundings {
  readonly namespace: string
  service(namespace: string, name: string): Service | undefined
  /** Where the Services of a namespace, or of all, lead a port to. */
  targets(namespace: string | undefined, port: number): readonly (number | string)[]
  /** Where the API server itself answers, which no Service's selector says; throws while nobody knows. */
  apiServer(): readonly ApiServerPlace[]
}

export interface ApiServerPlace {
  readonly address: string
  readonly port: number
}

/** Ports, of TCP, by number or by the name that pods give them. */
export interface Opening {
  readonly to: readonly JsonObject[]
  readonly ports: readonly (number | string)[]
}

export interface Reach {
  readonly openings: readonly Opening[]
  /** Why nothing, or not everything, could be opened, as the end of a sentence. */
  readonly missing?: string
}

const closed = (missing: string): Reach => ({ openings: [], missing })

/** A Service by its name and namespace; without a name all of a namespace, or of all. */
interface ServiceName {
  readonly service: string | undefined
  readonly namespace: string | undefined
  /** What comes after `svc`, the cluster's domain mostly. */
  readonly domain: string
}

const SVC = 'svc'

/** What the cluster's own name service answers for: names without a dot are Services of the own namespace. */
const serviceNameOf = (
  name: string,
  isBelow: boolean,
  namespace: string,
): ServiceName | undefined => {
  const labels = name.split('.')
  if (labels.length === 1 && !isBelow) return { service: name, namespace, domain: '' }
  const at = labels.indexOf(SVC)
  // A Service is told by two names before it; below one, or below a namespace, by fewer.
  if (at < (isBelow ? 0 : 2)) return undefined
  return {
    service: at < 2 ? undefined : labels[at - 2],
    namespace: labels[at - 1],
    domain: labels.slice(at + 1).join('.'),
  }
}

const sameHost = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`

/** The API server's Service selects no pods: its addresses are asked for instead. */
const apiServerReach = (around: Surroundings): Reach => ({
  openings: around.apiServer().map(({ address, port }) => ({
    to: [addresses(sameHost(address))],
    ports: [port],
  })),
})

/** Where a port of a Service leads; that of a headless one leads to itself. */
const targetsOf = (service: Service, port: number): readonly (number | string)[] =>
  service.isHeadless
    ? [port]
    : service.ports.filter((one) => one.port === port).map(({ target }) => target)

/** Ports and where they lead, of many Services at once. */
const targetIndex = (services: readonly Service[]): ((port: number) => Set<number | string>) => {
  const byPort = new Map<number, Set<number | string>>()
  for (const { ports, isHeadless } of services) {
    if (isHeadless) continue
    for (const { port, target } of ports) {
      byPort.set(port, (byPort.get(port) ?? new Set()).add(target))
    }
  }
  const hasHeadless = services.some(({ isHeadless }) => isHeadless)
  return (port) => {
    const targets = new Set(byPort.get(port))
    return hasHeadless ? targets.add(port) : targets
  }
}

/** How Services are looked up while one workload is put right: of many destinations none has all of them walked through again. */
export const lookUps = (
  servicesOf: (namespace: string) => readonly Service[],
  everyService: () => readonly Service[],
): Pick<Surroundings, 'service' | 'targets'> => {
  const named = new Map<string, ReadonlyMap<string, Service>>()
  const indexes = new Map<string | undefined, ReturnType<typeof targetIndex>>()
  const namedIn = (namespace: string): ReadonlyMap<string, Service> => {
    const known = named.get(namespace)
    if (known) return known
    const found = new Map(servicesOf(namespace).map((service) => [service.name, service]))
    named.set(namespace, found)
    return found
  }
  return {
    service: (namespace, name) => namedIn(namespace).get(name),
    targets: (namespace, port) => {
      const services = () => (namespace === undefined ? everyService() : servicesOf(namespace))
      const index = indexes.get(namespace) ?? targetIndex(services())
      indexes.set(namespace, index)
      return [...index(port)]
    },
  }
}

const serviceReach = (service: Service, namespace: string, port: number): Reach => {
  if (Object.keys(service.selector).length === 0) {
    return closed(`Service ${namespace}/${service.name} selects no pods; name its addresses`)
  }
  const ports = targetsOf(service, port)
  return ports.length === 0
    ? closed(`Service ${namespace}/${service.name} has no TCP port ${port}`)
    : { openings: [{ to: [podsIn(namespace, service.selector)], ports }] }
}

/** Of Services that nobody has named one by one: their pods are not told apart, only their ports. */
const manyReach = (namespace: string | undefined, port: number, around: Surroundings): Reach => {
  const ports = around.targets(namespace, port)
  if (ports.length === 0) {
    return closed(
      `no Service${namespace === undefined ? '' : ` of ${namespace}`} has a TCP port ${port}`,
    )
  }
  return { openings: [{ to: [namespace === undefined ? EVERY_POD : podsIn(namespace)], ports }] }
}

const byServiceName = (
  { service: name, namespace }: ServiceName,
  port: number,
  around: Surroundings,
): Reach => {
  if (namespace === undefined || name === undefined) return manyReach(namespace, port, around)
  if (namespace === 'default' && name === 'kubernetes') return apiServerReach(around)
  const service = around.service(namespace, name)
  return service
    ? serviceReach(service, namespace, port)
    : closed(`there is no Service ${namespace}/${name}`)
}

const CLUSTER_DOMAIN = 'cluster.local'

/** Names that are on the internet: any address that is public, or, of what the platform team has named, any but near ones. */
const namedReach = (port: number, isOwn: boolean): Reach => ({
  openings: [{ to: isOwn ? NOT_NEAR : PUBLIC, ports: [port] }],
})

const rangeReach = ({ hosts, port }: Destination): Reach | undefined =>
  hosts.kind === 'range'
    ? { openings: [{ to: [declared(hosts.range)], ports: [port] }] }
    : undefined

/** `collector.telemetry`, as the sidecar itself finds it by its search list; what servers ask for is never completed so. */
const shortReach = (name: string, port: number, around: Surroundings): Reach | undefined => {
  const [service = '', namespace = '', ...more] = name.split('.')
  const found = around.service(namespace, service)
  return found && more.length === 0 ? serviceReach(found, namespace, port) : undefined
}

const nameReach = ({ hosts, port }: Destination, around: Surroundings, isOwn: boolean): Reach => {
  if (hosts.kind !== 'name' && hosts.kind !== 'below') return namedReach(port, isOwn)
  const { name } = hosts
  const named = serviceNameOf(name, hosts.kind === 'below', around.namespace)
  if (!named) return (isOwn && shortReach(name, port, around)) || namedReach(port, isOwn)
  const found = byServiceName(named, port, around)
  // `svc` may be a part of anybody's name.
  const isForeign = named.domain !== '' && named.domain !== CLUSTER_DOMAIN
  return isForeign && found.openings.length === 0 ? namedReach(port, isOwn) : found
}

/** What a destination opens; `isOwn`: the platform team has named it, for the sidecar or for everybody. */
export const reachOf = (text: string, around: Surroundings, isOwn: boolean): Reach => {
  const destination = destinationOf(text)
  if (!destination) return closed('it is no destination')
  return rangeReach(destination) ?? nameReach(destination, around, isOwn)
}
