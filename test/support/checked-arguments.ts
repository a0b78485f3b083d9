// Arguments checked by a schema, as one word or sentence.

import type { Json, JsonObject } from '../../shared/json.ts'
import { compileSchema } from '../../sidecar/validation/input-schema.ts'

/** What is wrong with a value, or why nobody can tell. */
export const checked = (schema: JsonObject, value: Json): string => {
  const compiled = compileSchema(schema)
  if (!compiled.ok) return `uncheckable: ${compiled.error}`
  const found = compiled.value(value)
  if (!found.ok) return `undecided: ${found.error}`
  return found.value ? `${found.value.path} ${found.value.why}` : 'right'
}

/** A schema of the member `a`. */
export const of = (schema: JsonObject): JsonObject => ({
  type: 'object',
  properties: { a: schema },
})
