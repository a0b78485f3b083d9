// Finds the pods of a manifest: Pods themselves, and the templates in every workload kind, also
// inside a List. Pure.

import {
  arrayAt,
  at,
  isObject,
  objectAt,
  objectsAt,
  stringAt,
  type JsonObject,
} from '../../shared/json.ts'

/** Where a kind keeps its pod template, by API group and kind; a Pod is its own. */
const TEMPLATE_PATHS: ReadonlyMap<string, readonly string[]> = new Map([
  ['/Pod', []],
  ['/PodTemplate', ['template']],
  ['/ReplicationController', ['spec', 'template']],
  ['apps/Deployment', ['spec', 'template']],
  ['apps/StatefulSet', ['spec', 'template']],
  ['apps/DaemonSet', ['spec', 'template']],
  ['apps/ReplicaSet', ['spec', 'template']],
  ['batch/Job', ['spec', 'template']],
  ['batch/CronJob', ['spec', 'jobTemplate', 'spec', 'template']],
])

export interface Template {
  /** Member names and indexes from the document to the template. */
  readonly path: readonly string[]
  readonly pod: JsonObject
  readonly kind: string
  readonly name: string
  /** Undefined where the object does not say. */
  readonly namespace: string | undefined
  /** The object's own annotations; a Pod's are its template's. */
  readonly annotations: JsonObject
}

const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''

const isList = (object: JsonObject): boolean =>
  (stringAt(object, 'kind') ?? '').endsWith('List') && Array.isArray(at(object, 'items'))

const nameOf = (object: JsonObject): string =>
  stringAt(object, 'metadata', 'name') ?? stringAt(object, 'metadata', 'generateName') ?? 'unnamed'

const templateOf = (object: JsonObject, path: readonly string[]): Template | undefined => {
  const kind = stringAt(object, 'kind') ?? ''
  const inner = TEMPLATE_PATHS.get(`${groupOf(stringAt(object, 'apiVersion') ?? '')}/${kind}`)
  const pod = inner && at(object, ...inner)
  if (!inner || !isObject(pod)) return undefined
  return {
    path: [...path, ...inner],
    pod,
    kind,
    name: nameOf(object),
    namespace: stringAt(object, 'metadata', 'namespace'),
    annotations: inner.length === 0 ? {} : objectAt(object, 'metadata', 'annotations'),
  }
}

/** Every pod or pod template in an object. */
export const templatesIn = (
  object: JsonObject,
  path: readonly string[] = [],
): readonly Template[] => {
  if (isList(object)) {
    return (arrayAt(object, 'items') ?? []).flatMap((item, index) =>
      isObject(item) ? templatesIn(item, [...path, 'items', String(index)]) : [],
    )
  }
  const template = templateOf(object, path)
  return template ? [template] : []
}

/** The Namespace objects of a manifest. */
export const namespacesIn = (object: JsonObject): readonly JsonObject[] => {
  if (isList(object)) return objectsAt(object, 'items').flatMap(namespacesIn)
  const isNamespace =
    stringAt(object, 'kind') === 'Namespace' && stringAt(object, 'apiVersion') === 'v1'
  return isNamespace ? [object] : []
}
