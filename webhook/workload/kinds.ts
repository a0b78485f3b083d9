// The kinds of Kubernetes that make pods from a template, and where each keeps it: one table for
// admission, which knows an object by its resource, and for the CLI, which reads its kind. Pure.

import { at, isObject, stringAt, type JsonObject } from '../../shared/json.ts'
import { controllerOf } from '../inject/pod.ts'

export interface WorkloadKind {
  readonly kind: string
  /** `group/version/resource`, as a review names it. */
  readonly resource: string
  /** Member names from the object to its pod template. */
  readonly path: readonly [string, ...string[]]
}

const SPEC = ['spec', 'template'] as const

const row = (group: string, kind: string, path: WorkloadKind['path']) =>
  [
    `${group}/${kind}`,
    { kind, path, resource: [group, 'v1', `${kind.toLowerCase()}s`].filter(Boolean).join('/') },
  ] as const

const BY_KIND: ReadonlyMap<string, WorkloadKind> = new Map([
  row('apps', 'Deployment', SPEC),
  row('apps', 'StatefulSet', SPEC),
  row('apps', 'DaemonSet', SPEC),
  row('apps', 'ReplicaSet', SPEC),
  row('batch', 'Job', SPEC),
  row('batch', 'CronJob', ['spec', 'jobTemplate', 'spec', 'template']),
  row('', 'ReplicationController', SPEC),
  row('', 'PodTemplate', ['template']),
])

export const WORKLOAD_KINDS: readonly string[] = [...BY_KIND.values()].map(({ kind }) => kind)

const BY_RESOURCE: ReadonlyMap<string, WorkloadKind> = new Map(
  [...BY_KIND.values()].map((kind) => [kind.resource, kind]),
)

/** The kind behind a review's resource; undefined for subresources and for everything else. */
export const kindOfResource = (resource: string): WorkloadKind | undefined =>
  BY_RESOURCE.get(resource)

/** The kind of an object that says what it is, in any version of its group. */
export const kindOfObject = (object: JsonObject): WorkloadKind | undefined => {
  const [first = '', version] = (stringAt(object, 'apiVersion') ?? '').split('/')
  return BY_KIND.get(`${version === undefined ? '' : first}/${stringAt(object, 'kind') ?? ''}`)
}

/** The pod template of an object of that kind; undefined where it has none. */
export const templateOf = (object: JsonObject, { path }: WorkloadKind): JsonObject | undefined => {
  const template = at(object, ...path)
  return isObject(template) ? template : undefined
}

/** Whether another object controls this one and writes its template. */
export const isControlled = (object: JsonObject): boolean => controllerOf(object) !== undefined

/** The object's own name, or the stem of the one that it will get. */
export const nameOf = (object: JsonObject): string =>
  stringAt(object, 'metadata', 'name') ?? stringAt(object, 'metadata', 'generateName') ?? 'unnamed'
