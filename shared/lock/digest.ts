// What a server says of a tool, a prompt or a resource, as digests: one for each member, so that a difference can be named.
// A digest is that of the value's canonical text (RFC 8785): the order of members and the spacing change nothing. Pure.

import { createHash } from 'node:crypto'
import { isList, isObject, withAt, type Json, type JsonObject } from '../json.ts'
import type { LockedKind } from './kinds.ts'

/** What an item is said to be: digests by the names of its members. */
export type Definition = ReadonlyMap<string, string>

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : 1

/** The value must not be nested deeper than a JSON text that we take is (128). */
const canonical = (value: Json): string => {
  if (isList(value)) return `[${value.map(canonical).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const members = Object.entries(value).sort(byName)
  return `{${members.map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`).join(',')}}`
}

export const digestOf = (value: Json): string =>
  `sha256:${createHash('sha256').update(canonical(value)).digest('hex')}`

/** Of a server's instructions; `none` where it gives none. */
export const instructionsDigest = (instructions: Json | undefined): string =>
  instructions === undefined || instructions === null ? 'none' : digestOf(instructions)

/** By what the items of a kind are named. */
export const KEY_OF = {
  tools: 'name',
  prompts: 'name',
  resources: 'uri',
  resourceTemplates: 'uriTemplate',
} as const satisfies Record<LockedKind, string>

/** A resource's content may change: how long it is, and since when, is no part of what it is said to be. */
const settled = (kind: LockedKind, item: JsonObject): JsonObject => {
  if (kind !== 'resources') return item
  const { size: _size, ...rest } = item
  return withAt(rest, ['annotations', 'lastModified'], undefined)
}

/** The definition of an item of a list; its name is what it stands under. */
export const definitionOf = (kind: LockedKind, item: JsonObject): Definition =>
  new Map(
    Object.entries(settled(kind, item))
      .filter(([name]) => name !== KEY_OF[kind])
      .map(([name, value]): [string, string] => [name, digestOf(value)])
      .sort(byName),
  )

const MAX_NAMED = 8
/** A server may call members whatever it likes: others are not repeated. */
const PLAIN = /^[\w$.-]{1,64}$/

/** What of an item is not as it was locked, in words; empty where all is. */
export const differences = (locked: Definition, found: Definition): readonly string[] => {
  const names = [...new Set([...locked.keys(), ...found.keys()])].sort()
  const all = names.flatMap((member) => {
    const name = PLAIN.test(member) ? member : 'a member of an odd name'
    const [before, now] = [locked.get(member), found.get(member)]
    if (before === now) return []
    if (before === undefined) return [`${name} is new`]
    return [now === undefined ? `${name} is gone` : `${name} differs`]
  })
  return all.length <= MAX_NAMED
    ? all
    : [...all.slice(0, MAX_NAMED), `${all.length - MAX_NAMED} more differ`]
}
