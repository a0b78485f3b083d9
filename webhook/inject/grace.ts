// The pod's grace period, and how server and sidecar share it: the server's container gets SIGTERM
// first, the sidecar only after that one has ended. Pure.

import { numberAt, type JsonObject } from '../../shared/json.ts'

const DEFAULT_SECONDS = 30
// A day: longer is no grace, and neither shim nor sidecar takes it.
const MAX_SECONDS = 86_400
// What the sidecar keeps, to say goodbye after the server's container has ended: a tenth, at least a second.
const SIDECAR_SHARE = 10

/** The pod's grace period in seconds. */
export const graceSeconds = (pod: JsonObject): number =>
  Math.min(numberAt(pod, 'spec', 'terminationGracePeriodSeconds') ?? DEFAULT_SECONDS, MAX_SECONDS)

/** The server's part of it, at least a second. */
export const serverGraceSeconds = (pod: JsonObject): number => {
  const grace = graceSeconds(pod)
  return Math.max(1, grace - Math.max(1, Math.ceil(grace / SIDECAR_SHARE)))
}
