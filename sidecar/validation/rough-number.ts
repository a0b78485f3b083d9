// Numbers beyond 2^53, of which neither JavaScript nor most servers keep the last digits: they are compared as doubles, which
// decides rightly unless the two are the same double. Then nobody can tell, and it is said. Pure.

import { isList, isObject, type Json, type JsonObject } from '../../shared/json.ts'

const BOUNDS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'const'] as const

const isRough = (value: Json): value is number =>
  typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER

/** As deep as messages may be. */
const holdsRough = (value: Json): boolean => {
  if (isList(value)) return value.some(holdsRough)
  return isObject(value) ? Object.values(value).some(holdsRough) : isRough(value)
}

/** Whether a schema compares all that is in a value. */
export const isCompared = (value: Json, schema: JsonObject): boolean =>
  typeof value === 'object' &&
  ('enum' in schema || 'const' in schema || schema['uniqueItems'] === true)

/** Whether a schema compares a value, which may stand for several that were written, so that the digits decide. */
export const isAmbiguous = (value: Json, schema: JsonObject): boolean => {
  if (isRough(value)) {
    const { enum: choices, multipleOf } = schema
    return (
      !Number.isFinite(value) ||
      BOUNDS.some((name) => schema[name] === value) ||
      (isList(choices) && choices.includes(value)) ||
      (multipleOf !== undefined && multipleOf !== 1)
    )
  }
  return isCompared(value, schema) && holdsRough(value)
}
