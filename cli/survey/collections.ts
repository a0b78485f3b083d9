// What a command reads of a cluster: which collections, and what it means where one cannot be listed.

import type { JsonObject } from '../../shared/json.ts'
import type { Objects } from '../../webhook/kube/objects.ts'

export interface Collection {
  /** Before the namespace: `/apis/apps/v1`. */
  readonly group: string
  readonly resource: string
  /** What is not known without it; absent: what is asked cannot be answered. */
  readonly without?: string
  readonly isOfCluster?: boolean
}

/** Pods, and what makes them. */
export const PODS: Collection = { group: '/api/v1', resource: 'pods' }
export const WORKLOADS: readonly Collection[] = [
  { group: '/apis/apps/v1', resource: 'deployments' },
  { group: '/apis/apps/v1', resource: 'statefulsets' },
  { group: '/apis/apps/v1', resource: 'daemonsets' },
  { group: '/apis/apps/v1', resource: 'replicasets' },
  { group: '/apis/batch/v1', resource: 'jobs' },
  { group: '/apis/batch/v1', resource: 'cronjobs' },
]

export const NAMESPACES: Collection = {
  group: '/api/v1',
  resource: 'namespaces',
  without: "who is under Outrigger by a namespace's label",
  isOfCluster: true,
}

const pathOf = (
  { group, resource, isOfCluster = false }: Collection,
  namespace: string | undefined,
): string =>
  namespace === undefined || isOfCluster
    ? `${group}/${resource}`
    : `${group}/namespaces/${encodeURIComponent(namespace)}/${resource}`

export interface ReadCollections {
  readonly objects: readonly JsonObject[]
  /** What is not known, and why. */
  readonly notes: readonly string[]
  /** What had to be read and could not, and why. */
  readonly errors: readonly string[]
  /** Why alone, of each that could not be read. */
  readonly whys: readonly string[]
}

/** One namespace's objects, or everybody's. */
export const readCollections = async (
  cluster: Objects,
  collections: readonly Collection[],
  namespace: string | undefined,
): Promise<ReadCollections> => {
  const parts: (readonly JsonObject[])[] = []
  const [notes, errors, whys]: [string[], string[], string[]] = [[], [], []]
  for (const collection of collections) {
    const listed = await cluster.list(pathOf(collection, namespace))
    const { resource, without } = collection
    if (listed.ok) {
      parts.push(listed.value)
      continue
    }
    whys.push(listed.error.why)
    if (without === undefined) errors.push(`${resource}: ${listed.error.why}`)
    // A cluster without that API has none of them.
    else if (!listed.error.isMissing) {
      notes.push(`${resource} cannot be listed, so ${without} is not known: ${listed.error.why}`)
    }
  }
  return { objects: parts.flat(), notes, errors, whys }
}
