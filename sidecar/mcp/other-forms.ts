// Two forms of a server's that have one meaning only. An empty object as PHP writes it, and a result of nothing: only an
// object may stand there, so that both are {}. And a notification with an id: by its method nobody is to answer it, and
// so nobody is to be asked by it. Pure.

import type { JsonObject, Member } from '../json/scan.ts'
import { member, slice, stringAt } from './message.ts'
import { rewrite } from './rewrite.ts'

const EMPTY_LIST = /^\[\s*\]$/
const MAX_LIST = 64
const NOTICE = 'notifications/'

const isEmptyList = (text: string, place: Member): boolean =>
  place.end - place.start <= MAX_LIST && EMPTY_LIST.test(slice(text, place))

const isEmptyResult = (text: string, place: Member): boolean =>
  place.name === 'result' && text.charCodeAt(place.start) === 0x6e

/** What of a message's member is to be {}: all of it, its `_meta`, or nothing. */
const emptyIn = (text: string, place: Member | undefined): readonly Member[] => {
  if (place === undefined) return []
  if (isEmptyList(text, place) || isEmptyResult(text, place)) return [place]
  const meta = member(place.object, '_meta')
  return meta && isEmptyList(text, meta) ? [meta] : []
}

/** The envelope's text with objects where they must be; undefined where they are. */
export const withEmptyObjects = (text: string, envelope: JsonObject): string | undefined => {
  const empty = ['params', 'result'].flatMap((name) => emptyIn(text, member(envelope, name)))
  const edits = empty.map(({ start, end }) => ({ start, end, text: '{}' }))
  return edits.length > 0 ? rewrite(text, edits) : undefined
}

export const isNotice = (method: string | undefined): boolean => method?.startsWith(NOTICE) === true

/** A notification's text without its id; undefined where it has none. */
export const withoutId = (text: string, envelope: JsonObject): string | undefined => {
  const isOne = isNotice(stringAt(text, member(envelope, 'method')))
  if (!isOne || member(envelope, 'id') === undefined) return undefined
  const kept: string[] = []
  let from = envelope.start + 1
  for (const { name, end } of envelope.members) {
    if (name !== 'id') kept.push(text.slice(from, end))
    from = text.indexOf(',', end) + 1
  }
  return `{${kept.join(',')}}`
}
