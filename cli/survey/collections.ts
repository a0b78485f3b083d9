// What a command reads of a cluster: which collections, and what it means where one cannot be listed.

import type { JsonObject } from '../../shared/json.ts'
import { ok, type Result } from '../../shared/result.ts'
import type { Objects, Unlisted } from '../../webhook/kube/objects.ts'

export interface Collection {
  /** Before the namespace: `/apis/apps/v1`. */
  readonly group: string
  readonly resource: string
  /** What is not known without it; absent: what is asked cannot be answered. */
  readonly without?: string
  /** Namespaces: where one is looked at, its object alone is read, which rights in that namespace are enough for. */
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

/** Everybody's where no namespace is named. */
const readOne = async (
  cluster: Objects,
  { group, resource, isOfCluster = false }: Collection,
  namespace: string | undefined,
): Promise<Result<readonly JsonObject[], Unlisted>> => {
  if (namespace === undefined) return cluster.list(`${group}/${resource}`)
  const name = encodeURIComponent(namespace)
  if (!isOfCluster) return cluster.list(`${group}/namespaces/${name}/${resource}`)
  const read = await cluster.get(`${group}/${resource}/${name}`)
  return read.ok ? ok([read.value]) : read
}

/** What it means that one could not be read: what is asked cannot be answered, something is not known, or nothing. */
const meaningOf = (
  { resource, without, isOfCluster = false }: Collection,
  namespace: string | undefined,
  { isMissing, why }: Unlisted,
): { readonly error?: string; readonly note?: string } => {
  const isOne = isOfCluster && namespace !== undefined
  // Of a name that was mistyped nothing is all right. A cluster without an API has none of its objects.
  if (isMissing && isOne) return { error: `there is no namespace ${namespace}` }
  if (without === undefined) return { error: `${resource}: ${why}` }
  if (isMissing) return {}
  const unread = isOne ? `namespace ${namespace} cannot be read` : `${resource} cannot be listed`
  return { note: `${unread}, so ${without} is not known: ${why}` }
}

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
    const listed = await readOne(cluster, collection, namespace)
    if (listed.ok) {
      parts.push(listed.value)
      continue
    }
    whys.push(listed.error.why)
    const { error, note } = meaningOf(collection, namespace, listed.error)
    if (error !== undefined) errors.push(error)
    if (note !== undefined) notes.push(note)
  }
  return { objects: parts.flat(), notes, errors, whys }
}
