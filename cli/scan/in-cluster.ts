// What a scan reads of a cluster: which collections, and what it means where one cannot be listed.

import type { JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Objects } from '../../webhook/kube/objects.ts'

interface Collection {
  /** Before the namespace: `/apis/apps/v1`. */
  readonly group: string
  readonly resource: string
  /** What is not known without it; absent: nothing can be said. */
  readonly without?: string
}

const COLLECTIONS: readonly Collection[] = [
  { group: '/api/v1', resource: 'pods' },
  { group: '/apis/apps/v1', resource: 'deployments' },
  { group: '/apis/apps/v1', resource: 'statefulsets' },
  { group: '/apis/apps/v1', resource: 'daemonsets' },
  { group: '/apis/apps/v1', resource: 'replicasets' },
  { group: '/apis/batch/v1', resource: 'jobs' },
  { group: '/apis/batch/v1', resource: 'cronjobs' },
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
]

const pathOf = ({ group, resource }: Collection, namespace: string | undefined): string =>
  namespace === undefined
    ? `${group}/${resource}`
    : `${group}/namespaces/${encodeURIComponent(namespace)}/${resource}`

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
  const parts: (readonly JsonObject[])[] = []
  const [notes, errors]: [string[], string[]] = [[], []]
  for (const collection of COLLECTIONS) {
    const listed = await cluster.list(pathOf(collection, namespace))
    const { resource, without } = collection
    if (listed.ok) parts.push(listed.value)
    else if (without === undefined) errors.push(`${resource}: ${listed.error.why}`)
    // A cluster without that API has none of them.
    else if (!listed.error.isMissing) {
      notes.push(`${resource} cannot be listed, so ${without} is not known: ${listed.error.why}`)
    }
  }
  const namespaces = await cluster.list('/api/v1/namespaces')
  if (namespaces.ok) parts.push(namespaces.value)
  else {
    notes.push(
      `namespaces cannot be listed, so who is under Outrigger by a namespace's label is not known: ${namespaces.error.why}`,
    )
  }
  return errors.length > 0 ? fail(errors) : ok({ objects: parts.flat(), notes })
}
