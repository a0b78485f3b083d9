// The limits of the server's container where its author gives it none: the cluster configuration's, so that one server
// cannot take a node from all others. What its author says stays, and so does a pod's limit as a whole. Pure.

import { at, objectAt, objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { limitOf, quantityOf } from '../settings/quantity.ts'
import { nameOf } from './pod.ts'
import { findServer } from './server-container.ts'
import type { Subject } from './subject.ts'

const RESOURCES = ['cpu', 'memory'] as const
type Resource = (typeof RESOURCES)[number]

export interface Limited {
  /** The same with the server's limits in its pod: whatever follows from them, such as its processes, sees them. */
  readonly subject: Subject
  /** What the server's container gets for its resources; undefined: it keeps its own. */
  readonly resources: JsonObject | undefined
  readonly warnings: readonly string[]
}

const isUnlimited = (pod: JsonObject, server: JsonObject, name: Resource): boolean =>
  limitOf(at(server, 'resources', 'limits', name)) === undefined &&
  limitOf(at(pod, 'spec', 'resources', 'limits', name)) === undefined

const isMore = (text: string | undefined, than: string): boolean =>
  (quantityOf(text) ?? 0n) > (quantityOf(than) ?? 0n)

/** A limit is never below what the container asks for; without a request of its own Kubernetes would reserve all of the limit. */
const withLimit = (
  server: JsonObject,
  name: Resource,
  { limits, requests }: ClusterConfig['server'],
): JsonObject => {
  const limit = limits[name]
  if (limit === undefined) return server
  const own = stringAt(server, 'resources', 'requests', name)
  const request = own ?? requests[name]
  const most = own !== undefined && isMore(own, limit) ? own : limit
  const limited = withAt(server, ['resources', 'limits', name], most)
  return request === undefined
    ? limited
    : withAt(limited, ['resources', 'requests', name], isMore(request, most) ? most : request)
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
    (container, name) => withLimit(container, name, config.server),
    server.value,
  )
  return {
    subject: { ...subject, pod: put(pod, limited) },
    resources: objectAt(limited, 'resources'),
    warnings: missing.map((name) => warningOn(limited, name)),
  }
}
