// What is read of public keys in JSON (RFC 7517, section 4; RFC 7518, section 6). Pure.

import { arrayAt, at, isObject, type Json, type JsonObject } from './json.ts'

const MAX_KEYS = 64

/** All of it is text; never what is private. */
const MEMBERS = ['kty', 'kid', 'use', 'alg', 'crv', 'x', 'y', 'n', 'e'] as const

/** Undefined for what is no key. */
export const publicKeyIn = (value: Json): JsonObject | undefined => {
  if (!isObject(value)) return undefined
  const members = MEMBERS.flatMap((name) => {
    const member = at(value, name)
    return member === undefined ? [] : [[name, member] as const]
  })
  const isText = members.length > 0 && members.every(([, member]) => typeof member === 'string')
  return isText ? Object.fromEntries(members) : undefined
}

/** Of a key set; what is no key is left out. */
export const keysIn = (document: JsonObject): readonly JsonObject[] =>
  (arrayAt(document, 'keys') ?? [])
    .map(publicKeyIn)
    .filter((key) => key !== undefined)
    .slice(0, MAX_KEYS)
