// By which ways callers reach a pod, from the nearest to the farthest: its own address, Services, and what brings the world to those. Pure.

import { arrayAt, at, objectAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { serviceOf, type Service } from '../../webhook/cluster/namespace.ts'
import { leadsTo } from '../../webhook/inject/services.ts'
import { askingFor, labelsOf } from './labels.ts'
import { MCP_PROTOCOL } from './signs.ts'

/** From where: from farthest to nearest. */
export const REACHES = ['outside', 'nodes', 'cluster'] as const
export type Reach = (typeof REACHES)[number]

export interface Way {
  /** `Service github (LoadBalancer)` */
  readonly by: string
  readonly from: Reach
  /** Whether it says that it leads to MCP. */
  readonly isMcp: boolean
}

/** Of many, a report shows a few. */
const MAX_WAYS = 5

const nameOf = (object: JsonObject): string => stringAt(object, 'metadata', 'name') ?? 'unnamed'

/** The Services that a route sends to, by name: an Ingress's, a route's of the Gateway API or of OpenShift. */
const backendsOf = (route: JsonObject): readonly string[] => {
  const spec = objectAt(route, 'spec')
  const rules = objectsAt(spec, 'rules')
  const ingress = [
    objectAt(spec, 'defaultBackend'),
    ...rules.flatMap((rule) =>
      objectsAt(rule, 'http', 'paths').map((path) => objectAt(path, 'backend')),
    ),
  ].map((backend) => stringAt(backend, 'service', 'name'))
  const gateway = rules
    .flatMap((rule) => objectsAt(rule, 'backendRefs'))
    .filter((backend) => (stringAt(backend, 'kind') ?? 'Service') === 'Service')
    .map((backend) => stringAt(backend, 'name'))
  const openshift = stringAt(spec, 'to', 'name')
  return [...ingress, ...gateway, openshift].filter((name) => name !== undefined)
}

const typeOf = (service: JsonObject): { readonly word: string; readonly from: Reach } => {
  const type = stringAt(service, 'spec', 'type') ?? 'ClusterIP'
  if (type === 'LoadBalancer') return { word: type, from: 'outside' }
  if ((arrayAt(service, 'spec', 'externalIPs') ?? []).length > 0) {
    return { word: `${type} with externalIPs`, from: 'outside' }
  }
  return { word: type, from: type === 'NodePort' ? 'nodes' : 'cluster' }
}

const isMcpService = (service: JsonObject): boolean =>
  objectsAt(service, 'spec', 'ports').some(
    (port) =>
      MCP_PROTOCOL.test(stringAt(port, 'appProtocol') ?? '') || stringAt(port, 'name') === 'mcp',
  )

const nodeWays = (pod: JsonObject): readonly Way[] => {
  const onNode = { from: 'nodes', isMcp: false } as const
  if (at(pod, 'spec', 'hostNetwork') === true) {
    return [{ by: "the node's own network (hostNetwork)", ...onNode }]
  }
  return objectsAt(pod, 'spec', 'containers')
    .flatMap((container) => objectsAt(container, 'ports'))
    .flatMap((port) => {
      const number = at(port, 'hostPort')
      return typeof number === 'number' && number > 0
        ? [{ by: `hostPort ${number}`, ...onNode }]
        : []
    })
}

/** The ways to a pod, the farthest first. */
export type Ways = (pod: JsonObject) => readonly Way[]

interface Leading {
  readonly service: Service
  readonly way: Way
}

const leadingOf = (object: JsonObject): Leading => {
  const { word, from } = typeOf(object)
  const way = { by: `Service ${nameOf(object)} (${word})`, from, isMcp: isMcpService(object) }
  return { service: serviceOf(object), way }
}

const routeWay = (route: JsonObject): Way => ({
  by: `${stringAt(route, 'kind') ?? 'route'} ${nameOf(route)}`,
  from: 'outside',
  isMcp: false,
})

/**
 * By the Services of a namespace and its routes: Ingresses, routes of the Gateway API, routes of OpenShift.
 */
export const waysAmong = (services: readonly JsonObject[], routes: readonly JsonObject[]): Ways => {
  const asking = askingFor(services.map(leadingOf), ({ service }) => service.selector)
  const byBackend = Map.groupBy(
    routes.flatMap((route) => [...new Set(backendsOf(route))].map((name) => ({ name, route }))),
    ({ name }) => name,
  )
  return (pod) => {
    const leading = asking(labelsOf(pod)).filter(({ service }) => leadsTo(service, pod))
    const routed = leading.flatMap(({ service }) => byBackend.get(service.name) ?? [])
    const ways: readonly Way[] = [
      ...[...new Set(routed.map(({ route }) => route))].map(routeWay),
      ...leading.map(({ way }) => way),
      ...nodeWays(pod),
    ]
    return ways
      .toSorted((a, b) => REACHES.indexOf(a.from) - REACHES.indexOf(b.from))
      .slice(0, MAX_WAYS)
  }
}
