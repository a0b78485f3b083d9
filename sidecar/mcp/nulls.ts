// Members that may be absent and are null, as serializers of several languages write them: they count as absent, and what
// goes on does not have them, so that the server reads what was read here. Pure.

import { fail, type Result } from '../../shared/result.ts'
import { scan, type JsonObject, type Member } from '../json/scan.ts'
import { member, readMessage, stringAt, type Message } from './message.ts'
import { CLIENT_KEY, LOG_LEVEL_KEY, VERSION_KEY } from './meta.ts'
import type { Remarks } from './tolerance.ts'

/** Where nulls are looked for: the envelope, its parameters, and their `_meta`. */
type Level = 'envelope' | 'params' | 'meta'

const INNER: Readonly<Partial<Record<Level, readonly [name: string, level: Level]>>> = {
  envelope: ['params', 'params'],
  params: ['_meta', 'meta'],
}

/** What is read of `_meta` and may be absent; a null of anybody else's means what they say. */
const SPARE_META: ReadonlySet<string> = new Set([
  'progressToken',
  'traceparent',
  'tracestate',
  'baggage',
  VERSION_KEY,
  CLIENT_KEY,
  LOG_LEVEL_KEY,
])

const isNull = (text: string, place: Member | undefined): boolean =>
  place !== undefined && text.charCodeAt(place.start) === 0x6e

const has = (text: string, envelope: JsonObject, name: string): boolean => {
  const place = member(envelope, name)
  return place !== undefined && !isNull(text, place)
}

/** Whether the envelope may lack this member, whose value is null. */
const isSpare = (text: string, envelope: JsonObject, name: string): boolean => {
  switch (name) {
    case 'params':
      return true
    case 'method':
      return has(text, envelope, 'result') || has(text, envelope, 'error')
    case 'result':
      return has(text, envelope, 'method') || has(text, envelope, 'error')
    case 'error':
      return has(text, envelope, 'method') || member(envelope, 'result') !== undefined
    case 'id':
      // A request's must be there; what is no request by its name has none.
      return stringAt(text, member(envelope, 'method'))?.startsWith('notifications/') === true
    default:
      return false
  }
}

const isGone = (text: string, object: JsonObject, place: Member, level: Level): boolean => {
  if (!isNull(text, place)) return false
  if (level === 'envelope') return isSpare(text, object, place.name)
  return level === 'meta' ? SPARE_META.has(place.name) : place.name === '_meta'
}

const innerOf = (object: JsonObject, level: Level): readonly [Member, Level] | undefined => {
  const [name, inner] = INNER[level] ?? []
  const place = name === undefined ? undefined : member(object, name)
  return place && inner && [place, inner]
}

const hasNulls = (text: string, object: JsonObject, level: Level): boolean => {
  for (const place of object.members) if (isGone(text, object, place, level)) return true
  const [place, inner] = innerOf(object, level) ?? []
  return place?.object !== undefined && inner !== undefined && hasNulls(text, place.object, inner)
}

/** The object's text without them; every other byte stays. */
const written = (text: string, object: JsonObject, level: Level): string => {
  const [nested, inner] = innerOf(object, level) ?? []
  const kept: string[] = []
  let from = object.start + 1
  for (const place of object.members) {
    const { start, end } = place
    if (!isGone(text, object, place, level)) {
      const isNested = place === nested && place.object && inner
      const value = isNested ? written(text, place.object, inner) : text.slice(start, end)
      kept.push(text.slice(from, start) + value)
    }
    from = text.indexOf(',', end) + 1
  }
  return `{${kept.join(',')}}`
}

/** An envelope's text without them; undefined where it has none. */
export const withoutNulls = (text: string, envelope: JsonObject): string | undefined =>
  hasNulls(text, envelope, 'envelope') ? written(text, envelope, 'envelope') : undefined

/** The message in a text that has been scanned. */
export const readWithoutNulls = (
  text: string,
  envelope: JsonObject,
  remarks: Remarks,
): Result<Message, string> => {
  const bare = withoutNulls(text, envelope)
  if (bare === undefined) return readMessage(text, envelope)
  const json = scan(bare, false)
  if (!json.ok) return fail(json.error.reason)
  if (json.value.kind === 'array') return fail('a batch')
  remarks.tolerated('null-member')
  return readMessage(bare, json.value.object)
}
