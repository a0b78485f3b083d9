// Raw JSON as Kubernetes sends it: read without trust, changed without mutation. Typed models drop
// the fields that they do not know; this never does. `null` counts as absent, as in Kubernetes.

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

/** Whether a value parsed from JSON is an object (not null, not a list). */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value at a path of member names, or undefined where the path breaks off. */
export const atPath = (value: Json | undefined, path: readonly string[]): Json | undefined => {
  let current = value
  for (const key of path) {
    if (!isObject(current) || !Object.hasOwn(current, key)) return undefined
    current = current[key]
  }
  return current ?? undefined
}

export const at = (value: Json | undefined, ...path: readonly string[]): Json | undefined =>
  atPath(value, path)

export const objectAt = (value: Json | undefined, ...path: readonly string[]): JsonObject => {
  const found = at(value, ...path)
  return isObject(found) ? found : {}
}

export const stringAt = (
  value: Json | undefined,
  ...path: readonly string[]
): string | undefined => {
  const found = at(value, ...path)
  return typeof found === 'string' ? found : undefined
}

export const numberAt = (
  value: Json | undefined,
  ...path: readonly string[]
): number | undefined => {
  const found = at(value, ...path)
  return typeof found === 'number' ? found : undefined
}

export const arrayAt = (
  value: Json | undefined,
  ...path: readonly string[]
): readonly Json[] | undefined => {
  const found = at(value, ...path)
  return isList(found) ? found : undefined
}

export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

const NO_OBJECTS: readonly JsonObject[] = []

/** The objects of a list, itself where it holds nothing else; what is not an object is left out. */
export const objectsAt = (
  value: Json | undefined,
  ...path: readonly string[]
): readonly JsonObject[] => {
  const found = atPath(value, path)
  if (!isList(found)) return NO_OBJECTS
  return found.every(isObject) ? found : found.filter(isObject)
}

/** The strings of a list, or undefined where there is none or it holds anything else. */
export const stringsAt = (
  value: Json | undefined,
  ...path: readonly string[]
): readonly string[] | undefined => {
  const found = arrayAt(value, ...path)
  const strings = found?.filter((item) => typeof item === 'string')
  return strings?.length === found?.length ? strings : undefined
}

/** A copy with the value at the path set, or taken away where it is undefined. */
export const withAt = (
  object: JsonObject,
  path: readonly [string, ...string[]],
  value: Json | undefined,
): JsonObject => {
  const [key, next, ...rest] = path
  if (next === undefined) {
    if (value !== undefined) return { ...object, [key]: value }
    return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))
  }
  const child = objectAt(object, key)
  if (value === undefined && !Object.hasOwn(child, next)) return object
  return { ...object, [key]: withAt(child, [next, ...rest], value) }
}

/** Whether two values are the same JSON, whatever the order of members. What a copy shares is not walked through. */
export const isSame = (a: Json | undefined, b: Json | undefined): boolean => {
  if (a === b) return true
  if (isList(a)) {
    return isList(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index]))
  }
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]))
  )
}
