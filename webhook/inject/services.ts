// The Services that lead to a pod, as far as they are known: they tell the port of a server that
// declares none, and which callers would go around the sidecar. Pure.

import { stringsOf, type Service, type ServicePort } from '../cluster/namespace.ts'
import { MCP_PORT } from '../../shared/names.ts'
import { at, type JsonObject } from '../../shared/json.ts'
import { isOwnPort } from './collisions.ts'
import { tcpPorts } from './ports.ts'
import type { Subject } from './subject.ts'

const isSelected = ({ selector }: Service, labels: Readonly<Record<string, string>>): boolean => {
  const wanted = Object.entries(selector)
  // A Service without a selector has endpoints of its own.
  return wanted.length > 0 && wanted.every(([name, value]) => labels[name] === value)
}

/** Whether a Service leads to a pod. */
export const leadsTo = (service: Service, pod: JsonObject): boolean =>
  isSelected(service, stringsOf(at(pod, 'metadata', 'labels')))

const servicesTo = ({ pod, namespace }: Subject): readonly Service[] => {
  const labels = stringsOf(at(pod, 'metadata', 'labels'))
  return (namespace.services ?? []).filter((service) => isSelected(service, labels))
}

/** The port numbers that Services ask of the pod; those that lead to the sidecar already are no sign of the server. */
export const reachedPorts = (subject: Subject): readonly number[] => [
  ...new Set(
    servicesTo(subject)
      .flatMap(({ ports }) => ports.map(({ target }) => target))
      .filter((target) => typeof target === 'number')
      .filter((target) => !isOwnPort(target)),
  ),
]

/** What names the server's port: its number, and what its container calls it. */
export const targetsOf = (server: JsonObject, port: number): ReadonlySet<number | string> => {
  const names = tcpPorts(server).filter(({ number, name }) => number === port && name !== '')
  return new Set<number | string>([port, ...names.map(({ name }) => name)])
}

// Every pod of a manifest may have every Service of it: so many are named to each.
const MAX_NAMED = 20

const warningOf = ({ name, isHeadless }: Service, from: ServicePort, port: number): string =>
  isHeadless
    ? `Service ${name} is headless: whoever resolves it reaches the server itself on ${port}, around the sidecar; have callers use port ${MCP_PORT}`
    : `Service ${name}: its port ${from.port} leads to the server itself on ${port}, around the sidecar; set its targetPort to ${MCP_PORT}`

export interface ServerPort {
  readonly server: JsonObject
  readonly port: number
  /** Names of it that lead to the sidecar; those of a headless Service lead nowhere. */
  readonly movedNames: readonly string[]
}

/** A warning for each port of a Service that leads to the server's own port. */
export const bypassWarnings = (
  { server, port, movedNames }: ServerPort,
  subject: Subject,
): readonly string[] => {
  const targets = targetsOf(server, port)
  const moved = new Set<number | string>(movedNames)
  const around = servicesTo(subject).flatMap((service) =>
    service.ports
      .filter(({ target, isRedirected }) => targets.has(target) && !isRedirected)
      .filter(({ target }) => service.isHeadless || !moved.has(target))
      .map((from) => warningOf(service, from, port)),
  )
  const left = around.length - MAX_NAMED
  return [
    ...around.slice(0, MAX_NAMED),
    ...(left > 0
      ? [`${left} more ports of Services lead to the server itself, around the sidecar`]
      : []),
  ]
}
