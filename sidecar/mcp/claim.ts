// Which requests of ours a text names that is no message, as far as it can be read: by the members that stand whole before
// its fault, and behind the places where a writer has lost a line end or a bracket. Pure.

import { scanLoosely, type Member, type Seen } from '../json/scan.ts'
import { isIdentifier, slice } from './message.ts'
import { isAnswering, namedAround } from './named-around.ts'

/** Before a message on its line there may stand so much that is no message. */
const MAX_PREFIX = 512

/** Text that begins as a message does. */
export const BEGINS = /^\s*(?:\{|\[\s*(?:[{[]|$))/

/** What a text says of itself, as far as it can be read. */
export interface Claim {
  readonly names: readonly string[]
  readonly asks: string | undefined
}

export const claimOf = (text: string, seen: Seen): Claim => {
  const isList = text.trimStart().startsWith('[')
  const claim = isList ? { names: namedInList(text, seen), asks: undefined } : claimIn(text, seen)
  if (seen.scanned.ok) return claim ?? NOBODY
  const rest = seen.follows === undefined ? '' : text.slice(seen.follows)
  const behind = isAnswering(text) ? namedBehind(rest) : []
  if (claim && (claim.names.length > 0 || claim.asks !== undefined)) {
    return { ...claim, names: [...claim.names, ...behind] }
  }
  const names = [...namedInPieces(text.slice(0, seen.follows)), ...behind]
  return { names: names.length > 0 ? names : namedAround(text), asks: undefined }
}

const NOBODY: Claim = { names: [], asks: undefined }

/** Where one message ends and another begins: JSON has nothing like it. */
const SEAM = /(?<=\})\s*(?=\{\s*")/
const MAX_PIECES = 64

const namedInPieces = (text: string): readonly string[] =>
  text.split(SEAM, MAX_PIECES).flatMap((piece) => {
    const claim = claimIn(piece, scanLoosely(piece))
    if (claim && (claim.names.length > 0 || claim.asks !== undefined)) return claim.names
    return namedAround(piece)
  })

const namedInList = (text: string, { items }: Seen): readonly string[] => {
  const rest = text.slice(items.at(-1)?.end ?? text.indexOf('[') + 1).replace(/^[\s,]+/, '')
  const parts = [...items.map((item) => slice(text, item)), rest]
  return parts.flatMap((part) =>
    part.startsWith('{') ? claimOf(part, scanLoosely(part)).names : [],
  )
}

/** By the members in front of the fault; undefined where they are no answer's and no request's. */
export const claimIn = (text: string, seen: Seen): Claim | undefined => {
  const { members, scanned } = seen
  const names = new Set(members.map(({ name }) => name.toLowerCase()))
  if (!scanned.ok) names.add(nameAtFault(text, members))
  const ids = members
    .filter((place) => place.name.toLowerCase() === 'id' && isWhole(text, place))
    .filter((place) => isIdentifier(text, place))
    .map((place) => slice(text, place))
  if (names.has('result') || names.has('error')) return { names: ids, asks: undefined }
  if (names.has('method') || names.has('params')) return { names: [], asks: ids[0] }
  return names.has('jsonrpc') && scanned.ok ? { names: ids, asks: undefined } : undefined
}

/** The name of the member in which the text cannot be read any more. */
const nameAtFault = (text: string, members: readonly Member[]): string => {
  const from = members.at(-1)?.end ?? text.indexOf('{') + 1
  return /^\s*,?\s*"([^"\\]{0,64})"/.exec(text.slice(from, from + MAX_PREFIX))?.[1] ?? ''
}

/** Whether a value ends where it seems to, and does not go on behind a fault. */
const isWhole = (text: string, { end }: Member): boolean =>
  /^\s*[,}]/.test(text.slice(end, end + 64))

/** Behind a text, or without the bracket: a log line that quotes an answer, or an answer that has lost its beginning. */
export const namedBehindText = (text: string): readonly string[] =>
  isAnswering(text) ? namedBehind(text) : []

const namedBehind = (text: string): readonly string[] => {
  const start = /[{"]/.exec(text.slice(0, MAX_PREFIX))?.index
  if (start === undefined) return []
  const rest = text.startsWith('{', start) ? text.slice(start) : `{${text.slice(start)}`
  return namedInPieces(rest)
}
