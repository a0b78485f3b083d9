// The Services that lead to a pod, as far as they are known: they tell the port of a server that
// declares none, and which callers would go around the sidecar. Pure.

import { stringsOf, type Service } from '../cluster/namespace.ts'
import { MCP_PORT } from '../../shared/names.ts'
import { at, type JsonObject } from '../../shared/json.ts'
import { tcpPorts } from './ports.ts'
import type { Subject } from './subject.ts'

const isSelected = ({ selector }: Service, labels: Readonly<Record<string, string>>): boolean => {
  const wanted = Object.entries(selector)
  // A Service without a selector has endpoints of its own.
  return wanted.length > 0 && wanted.every(([name, value]) => labels[name] === value)
}

const servicesTo = ({ pod, namespace }: Subject): readonly Service[] => {
  const labels = stringsOf(at(pod, 'metadata', 'labels'))
  return (namespace.services ?? []).filter((service) => isSelected(service, labels))
}

/** The port numbers that Services ask of the pod. */
export const reachedPorts = (subject: Subject): readonly number[] => [
  ...new Set(
    servicesTo(subject)
      .flatMap(({ ports }) => ports.map(({ target }) => target))
      .filter((target) => typeof target === 'number'),
  ),
]

// Every pod of a manifest may have every Service of it: so many are named to each.
const MAX_NAMED = 20

/** A warning for each port of a Service that leads to the server's own port. */
export const bypassWarnings = (
  server: JsonObject,
  port: number,
  subject: Subject,
): readonly string[] => {
  const names = tcpPorts(server).filter(({ number }) => number === port)
  const isServer = (target: number | string): boolean =>
    target === port || names.some(({ name }) => name === target)
  const around = servicesTo(subject).flatMap((service) =>
    service.ports
      .filter(({ target }) => isServer(target))
      .map((item) => ({ name: service.name, port: item.port })),
  )
  const left = around.length - MAX_NAMED
  return [
    ...around
      .slice(0, MAX_NAMED)
      .map(
        (item) =>
          `Service ${item.name}: its port ${item.port} leads to the server itself on ${port}, around the sidecar; set its targetPort to ${MCP_PORT}`,
      ),
    ...(left > 0
      ? [`${left} more ports of Services lead to the server itself, around the sidecar`]
      : []),
  ]
}
