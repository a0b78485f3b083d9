// Where a tool's own schema says that secrets stand: `writeOnly` and `format: password`. Its author may be anybody, so that
// what is deep, large or leads elsewhere is a secret as a whole. Pure.

import { isList, isObject, type Json, type JsonObject } from '../../../shared/json.ts'
import { anyOf, emptyShape, hasSecret, itemsOf, memberOf, SECRET, type Shape } from './shape.ts'

const MAX_DEPTH = 16
const MAX_SCHEMAS = 2000
/** Each is read, however often it comes. */
const MAX_POINTER = 1024

/** Schemas about the same place. */
const SAME = ['allOf', 'anyOf', 'oneOf'] as const
const SAME_ONE = ['if', 'then', 'else'] as const
const MEMBERS = ['additionalProperties', 'unevaluatedProperties'] as const
const ITEMS = ['items', 'prefixItems', 'contains', 'additionalItems', 'unevaluatedItems'] as const

class TooMuch extends Error {}

const listOf = (value: Json | undefined): readonly Json[] =>
  value === undefined ? [] : isList(value) ? value : [value]

const entriesOf = (value: Json | undefined): readonly (readonly [string, Json])[] =>
  isObject(value) ? Object.entries(value) : []

/** What a pointer into the same document leads to. */
const resolved = (root: Json, pointer: string): Json => {
  if (!pointer.startsWith('#') || pointer.length > MAX_POINTER) throw new TooMuch()
  let found: Json = root
  for (const part of decodeURIComponent(pointer.slice(1)).split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    const next: Json | undefined =
      isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined
    if (next === undefined) throw new TooMuch()
    found = next
  }
  return found
}

class Reading {
  private readonly root: JsonObject
  private left = MAX_SCHEMAS

  constructor(root: JsonObject) {
    this.root = root
  }

  read(schema: Json, shape: Shape, depth: number): void {
    if (!isObject(schema)) return
    if (depth > MAX_DEPTH || --this.left < 0) throw new TooMuch()
    if (schema['writeOnly'] === true || schema['format'] === 'password') {
      shape.isSecret = true
      return
    }
    const { $ref } = schema
    if (typeof $ref === 'string') this.read(resolved(this.root, $ref), shape, depth + 1)
    for (const one of [...SAME, ...SAME_ONE].flatMap((name) => listOf(schema[name]))) {
      this.read(one, shape, depth + 1)
    }
    this.readBelow(schema, shape, depth + 1)
  }

  private readBelow(schema: JsonObject, shape: Shape, depth: number): void {
    for (const [name, one] of entriesOf(schema['properties'])) {
      this.read(one, memberOf(shape, name), depth)
    }
    for (const [, one] of entriesOf(schema['dependentSchemas'])) this.read(one, shape, depth)
    const patterns = entriesOf(schema['patternProperties']).map(([, one]) => one)
    const more = MEMBERS.flatMap((name) => listOf(schema[name]))
    for (const one of [...patterns, ...more].filter(isObject)) this.read(one, anyOf(shape), depth)
    for (const one of ITEMS.flatMap((name) => listOf(schema[name])).filter(isObject)) {
      this.read(one, itemsOf(shape), depth)
    }
  }
}

const MARK = /"writeOnly"|"password"|"\$ref":"[^#]|"\$(?:dynamic|recursive)Ref"|\\u/

/** Undefined where there is no secret in it. */
export const shapeOfSchema = (schema: Json | undefined): Shape | undefined => {
  if (!isObject(schema) || !MARK.test(JSON.stringify(schema))) return undefined
  const shape = emptyShape()
  try {
    new Reading(schema).read(schema, shape, 0)
    return hasSecret(shape) ? shape : undefined
  } catch {
    return SECRET
  }
}
