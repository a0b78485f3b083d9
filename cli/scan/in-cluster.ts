// What a scan reads of a cluster.

import type { JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Objects } from '../../webhook/kube/objects.ts'
import {
  NAMESPACES,
  PODS,
  readCollections,
  WORKLOADS,
  type Collection,
} from '../survey/collections.ts'

const COLLECTIONS: readonly Collection[] = [
  PODS,
  ...WORKLOADS,
  { group: '/api/v1', resource: 'services', without: 'who is reached by a Service' },
  {
    group: '/apis/networking.k8s.io/v1',
    resource: 'ingresses',
    without: 'who is reached by an Ingress',
  },
  {
    group: '/apis/gateway.networking.k8s.io/v1',
    resource: 'httproutes',
    without: 'who is reached by an HTTPRoute',
  },
  {
    group: '/apis/route.openshift.io/v1',
    resource: 'routes',
    without: 'who is reached by a Route',
  },
  NAMESPACES,
]

export interface ReadCluster {
  readonly objects: readonly JsonObject[]
  /** What is not known, and why. */
  readonly notes: readonly string[]
}

/** One namespace's objects, or everybody's; the error is all that had to be read and could not. */
export const readCluster = async (
  cluster: Objects,
  namespace: string | undefined,
): Promise<Result<ReadCluster, readonly string[]>> => {
  const { errors, objects, notes } = await readCollections(cluster, COLLECTIONS, namespace)
  return errors.length > 0 ? fail(errors) : ok({ objects, notes })
}
