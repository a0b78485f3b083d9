// A Lease of the API server as leadership is kept in it; the manifests have the object, so that nobody needs to create one.

import { numberAt, objectAt, stringAt, type JsonObject } from '../../shared/json.ts'
import type { LeaseRecord, LeaseStore } from './lease.ts'
import type { Requests } from '../kube/requests.ts'

const recordOf = (object: JsonObject): LeaseRecord => ({
  holder: stringAt(object, 'spec', 'holderIdentity') ?? '',
  seconds: numberAt(object, 'spec', 'leaseDurationSeconds') ?? 0,
  version: stringAt(object, 'metadata', 'resourceVersion') ?? '',
})

/** As Kubernetes writes times to the microsecond. */
const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')

export const leaseStore = (
  requests: Requests,
  {
    namespace,
    name,
    wallMs,
  }: { readonly namespace: string; readonly name: string; readonly wallMs: () => number },
): LeaseStore => {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`
  let last: JsonObject = {}
  return {
    read: async (signal) => {
      const found = await requests.get(path, signal)
      if (!found)
        throw new Error(`there is no Lease ${namespace}/${name}; Outrigger's manifests have it`)
      last = found
      return recordOf(found)
    },
    write: async ({ holder, seconds, isTaken }, version, signal) => {
      const time = microTime(wallMs())
      const spec = objectAt(last, 'spec')
      const changes = (numberAt(spec, 'leaseTransitions') ?? 0) + (isTaken ? 1 : 0)
      const body = JSON.stringify({
        ...last,
        metadata: { ...objectAt(last, 'metadata'), resourceVersion: version },
        spec: {
          ...spec,
          holderIdentity: holder,
          leaseDurationSeconds: seconds,
          renewTime: time,
          leaseTransitions: changes,
          ...(isTaken ? { acquireTime: time } : {}),
        },
      })
      const { status, object } = await requests.write({ method: 'PUT', path, body }, signal, [409])
      return status === 409 ? undefined : recordOf(object)
    },
  }
}
