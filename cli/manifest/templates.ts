// Finds the pods of a manifest: Pods themselves, and the templates in every workload kind, also
// inside a List. Pure.

import {
  arrayAt,
  at,
  isObject,
  objectsAt,
  stringAt,
  withAt,
  type JsonObject,
} from '../../shared/json.ts'
import {
  kindOfObject,
  nameOf,
  templateOf,
  type WorkloadKind,
} from '../../webhook/workload/kinds.ts'

export interface Template {
  /** Member names and indexes from the document to the template. */
  readonly path: readonly string[]
  readonly pod: JsonObject
  readonly kind: string
  readonly name: string
  /** Undefined where the object does not say. */
  readonly namespace: string | undefined
  /** The workload that holds the template; undefined for a Pod. */
  readonly owner: { readonly object: JsonObject; readonly kind: WorkloadKind } | undefined
}

const isList = (object: JsonObject): boolean =>
  (stringAt(object, 'kind') ?? '').endsWith('List') && Array.isArray(at(object, 'items'))

const common = (object: JsonObject) => ({
  name: nameOf(object),
  namespace: stringAt(object, 'metadata', 'namespace'),
})

const isPod = (object: JsonObject): boolean =>
  stringAt(object, 'kind') === 'Pod' && stringAt(object, 'apiVersion') === 'v1'

const templateIn = (object: JsonObject, path: readonly string[]): Template | undefined => {
  if (isPod(object)) return { path, pod: object, kind: 'Pod', owner: undefined, ...common(object) }
  const kind = kindOfObject(object)
  const pod = kind && templateOf(object, kind)
  if (!pod) return undefined
  const owner = { object, kind }
  return { path: [...path, ...kind.path], pod, kind: kind.kind, owner, ...common(object) }
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
  const template = templateIn(object, path)
  return template ? [template] : []
}

/** The object with others in the place of those pods and objects that a map names. */
export const withReplaced = (
  object: JsonObject,
  replaced: ReadonlyMap<JsonObject, JsonObject>,
): JsonObject => {
  if (isList(object)) {
    const items = (arrayAt(object, 'items') ?? []).map((item) =>
      isObject(item) ? withReplaced(item, replaced) : item,
    )
    return { ...object, items }
  }
  const template = templateIn(object, [])
  const after = replaced.get(template?.pod ?? object)
  if (!after) return object
  const [first, ...rest] = template?.path ?? []
  return first === undefined ? after : withAt(object, [first, ...rest], after)
}

/** The objects of a kind, also inside a List. */
export const objectsOf = (
  kind: 'ConfigMap' | 'Namespace' | 'NetworkPolicy' | 'Secret' | 'Service',
  object: JsonObject,
): readonly JsonObject[] => {
  if (isList(object)) return objectsAt(object, 'items').flatMap((item) => objectsOf(kind, item))
  const group = kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'v1'
  const isKind = stringAt(object, 'kind') === kind && stringAt(object, 'apiVersion') === group
  return isKind ? [object] : []
}
