// The limits of the server's container where its author gives it none: the cluster configuration's, so that one server
// cannot take a node from all others. What its author says stays, and so does a pod's limit as a whole. Pure.

import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { at, objectAt, objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import {
  formatQuantity,
  isUnlimited,
  quantityOf,
  RESOURCES,
  type Resource,
} from '../settings/quantity.ts'
import { members, nameOf } from './pod.ts'
import { findServer } from './server-container.ts'
import type { Subject } from './subject.ts'

export interface Limited {
  /** The same with the server's limits in its pod: whatever follows from them, such as its processes, sees them. */
  readonly subject: Subject
  /** What the server's container gets for its resources; undefined: it keeps its own. */
  readonly resources: JsonObject | undefined
  readonly warnings: readonly string[]
}

const isMore = (text: string | undefined, than: string): boolean =>
  (quantityOf(text) ?? 0n) > (quantityOf(than) ?? 0n)

const isNative = (container: JsonObject): boolean =>
  stringAt(container, 'restartPolicy') === 'Always'

const requestOf = (container: JsonObject, name: Resource): bigint =>
  quantityOf(at(container, 'resources', 'requests', name)) ??
  quantityOf(at(container, 'resources', 'limits', name)) ??
  0n

/** What the pod's own request, where it has one, leaves to the server beside the containers that run with it. */
const leftBy = (pod: JsonObject, server: JsonObject, name: Resource): string | undefined => {
  const total = quantityOf(at(pod, 'spec', 'resources', 'requests', name))
  if (total === undefined) return undefined
  const taken = members(pod)
    .filter(({ list, container }) => list === 'containers' || isNative(container))
    .filter((member) => ![nameOf(server), SIDECAR_CONTAINER].includes(member.name))
    .reduce((sum, { container }) => sum + requestOf(container, name), 0n)
  return formatQuantity(total > taken ? total - taken : 0n, name)
}

const least = (texts: readonly (string | undefined)[], most: string): string =>
  texts.reduce<string>(
    (current, text) => (text !== undefined && isMore(current, text) ? text : current),
    most,
  )

/**
 * A limit is never below what the container asks for; without a request of its own Kubernetes would reserve all of the
 * limit, and refuse a pod whose own request is less.
 */
const withLimit = (
  server: JsonObject,
  name: Resource,
  { pod, config }: Pick<Subject, 'pod' | 'config'>,
): JsonObject => {
  const { limits, requests } = config.server
  const limit = limits[name]
  if (limit === undefined) return server
  const path = ['resources', 'requests', name] as const
  const own = stringAt(server, ...path)
  if (own !== undefined)
    return withAt(server, ['resources', 'limits', name], isMore(own, limit) ? own : limit)
  const limited = withAt(server, ['resources', 'limits', name], limit)
  const left = leftBy(pod, server, name)
  return requests[name] === undefined && left === undefined
    ? limited
    : withAt(limited, path, least([requests[name], left], limit))
}

const warningOn = (server: JsonObject, name: Resource): string => {
  const limit = stringAt(server, 'resources', 'limits', name)
  return `container ${nameOf(server)}: gets a limit of ${limit} for ${name}, the cluster's default; name its own in resources.limits.${name}`
}

const put = (pod: JsonObject, server: JsonObject): JsonObject =>
  withAt(
    pod,
    ['spec', 'containers'],
    objectsAt(pod, 'spec', 'containers').map((container) =>
      nameOf(container) === nameOf(server) ? server : container,
    ),
  )

/** The subject with what its server's container lacks. */
export const limitServer = (subject: Subject): Limited => {
  const { pod, config } = subject
  const server = findServer(subject)
  const none = { subject, resources: undefined, warnings: [] }
  if (!server.ok) return none
  const missing = RESOURCES.filter(
    (name) => config.server.limits[name] !== undefined && isUnlimited(pod, server.value, name),
  )
  if (missing.length === 0) return none
  const limited = missing.reduce(
    (container, name) => withLimit(container, name, subject),
    server.value,
  )
  return {
    subject: { ...subject, pod: put(pod, limited) },
    resources: objectAt(limited, 'resources'),
    warnings: missing.map((name) => warningOn(limited, name)),
  }
}
