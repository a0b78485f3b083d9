// Where an object stands, as it says itself. Pure.

import { stringAt, type JsonObject } from '../../shared/json.ts'

export const partsOf = (
  object: JsonObject,
): readonly [kind: string, namespace: string, name: string] => [
  stringAt(object, 'kind') ?? '',
  stringAt(object, 'metadata', 'namespace') ?? '',
  stringAt(object, 'metadata', 'name') ?? '',
]

export const isPolicy = (object: JsonObject): boolean => object['kind'] === 'NetworkPolicy'

/** As people are told of it. */
export const placeIn = (object: JsonObject): string => {
  const [kind, namespace, name] = partsOf(object)
  return `${kind} ${namespace}/${name}`
}
