// What a server has written and nobody can use: why, how it begins, and which requests of ours it names all the same.
// Pure. A request is named where that is certain: by what is well-formed before the fault, else by the end of the text.

import { scanLoosely, type Member, type Seen } from '../json/scan.ts'
import { isIdentifier, MAX_ID_LENGTH, slice } from './message.ts'
import type { Oddity } from './tolerance.ts'

export interface Unusable {
  readonly what: Oddity
  readonly reason: string
  /** How it begins, as it came: its white space tells how deep a line of several stands. */
  readonly start: string
  /** The texts of the ids of the requests that it names. */
  readonly names: readonly string[]
  /** It may as well talk about an answer: the answer itself may follow. */
  readonly isDoubtful: boolean
  /** The text of its own id, where it is a request of the server's. */
  readonly asks: string | undefined
}

const MAX_START = 200
/** Before a message on its line there may stand so much that is no message. */
const MAX_PREFIX = 512
const MAX_UTF16 = 64 * 1024
/** The last of a text, in which its last members stand. */
export const END_BYTES = 1024

/** Text that begins as a message does. */
const BEGINS = /^\s*(?:\{|\[\s*(?:[{[]|$))/
/** UTF-16's byte order marks. */
const MARK = /^(?:\xff\xfe|\xfe\xff)/

const startOf = (text: string): string =>
  Buffer.from(text.slice(0, MAX_START), 'latin1').toString().trimEnd()

/** What a text is that cannot be used; `seen` where it has been scanned already. */
export const unusable = (text: string, reason: string, seen?: Seen): Unusable => {
  const plain = withoutNuls(text)
  const found = plain === text && seen ? seen : scanLoosely(plain)
  const claim = BEGINS.test(plain) ? claimOf(plain, found) : undefined
  const doubtful = claim ? [] : namedBehindText(plain)
  const names = claim?.names ?? doubtful
  return {
    what: whatItIs(reason, plain, found, names.length > 0),
    reason,
    start: startOf(plain),
    names,
    isDoubtful: doubtful.length > 0,
    asks: claim?.asks,
  }
}

/** UTF-16 as if it were ASCII, as far as names go; of a long text no more than its beginning. */
const withoutNuls = (text: string): string =>
  text.includes('\0') || MARK.test(text)
    ? text.slice(0, MAX_UTF16).replace(MARK, '').replaceAll('\0', '')
    : text

/** A part of a line that is too long to be kept: its beginning, or its end. */
export const overlong = (bytes: Buffer, part: 'beginning' | 'end', maxBytes: number): Unusable => {
  const text = bytes.toString('latin1')
  const names = part === 'end' ? namedAtEnd(text) : claimIn(text, scanLoosely(text))?.names
  return {
    what: 'unusable',
    reason: `it is longer than ${maxBytes} bytes`,
    start: part === 'end' ? '' : startOf(text),
    names: names ?? [],
    isDoubtful: false,
    asks: undefined,
  }
}

/** A line that has been left without an end. */
export const unfinished = (text: string): Unusable => ({
  what: 'prompt',
  reason: 'the line does not end',
  start: startOf(text),
  names: [],
  isDoubtful: false,
  asks: undefined,
})

const whatItIs = (reason: string, text: string, seen: Seen, isNamed: boolean): Oddity => {
  if (reason.includes('UTF-16')) return 'utf-16'
  const { scanned } = seen
  if (BEGINS.test(text) && !scanned.ok && scanned.error.offset >= text.length)
    return 'several-lines'
  return isNamed ? 'unusable' : 'text'
}

/** What a text says of itself, as far as it can be read. */
interface Claim {
  readonly names: readonly string[]
  readonly asks: string | undefined
}

const claimOf = (text: string, seen: Seen): Claim => {
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
const claimIn = (text: string, seen: Seen): Claim | undefined => {
  const { members, scanned } = seen
  const names = new Set(members.map(({ name }) => name.toLowerCase()))
  if (!scanned.ok) names.add(nameAtFault(text, members))
  const ids = members
    .filter((place) => place.name.toLowerCase() === 'id' && isWhole(text, place))
    .filter((place) => isIdentifier(text, place))
    .map((place) => slice(text, place))
  if (names.has('result') || names.has('error')) return { names: ids, asks: undefined }
  if (names.has('method') || names.has('params')) return { names: [], asks: ids[0] }
  const isAnswer = names.has('jsonrpc') && (scanned.ok || isAnswering(text))
  return isAnswer ? { names: ids, asks: undefined } : undefined
}

/** The name of the member in which the text cannot be read any more. */
const nameAtFault = (text: string, members: readonly Member[]): string => {
  const from = members.at(-1)?.end ?? text.indexOf('{') + 1
  return /^\s*,?\s*"([^"\\]{0,64})"/.exec(text.slice(from, from + MAX_PREFIX))?.[1] ?? ''
}

/** Whether a value ends where it seems to, and does not go on behind a fault. */
const isWhole = (text: string, { end }: Member): boolean =>
  /^\s*[,}]/.test(text.slice(end, end + 64))

const ID = `"[^"\\\\\\0-\\x1f]{1,${MAX_ID_LENGTH - 2}}"|\\d[\\d.eE+-]{0,${MAX_ID_LENGTH - 1}}`
const SCALAR = '(?:"(?:[^"\\\\]|\\\\.){0,256}"|-?\\d[\\d.eE+-]{0,255}|true|false|null)'
/** An id before anything that has members of its own. */
const AT_FRONT = new RegExp(
  `^\\s*[{[]{0,2}(?:[^{]|\\{(?!\\s*")){0,512}?"id"\\s*:\\s*(${ID})\\s*[,}]`,
)
/** An id, and behind it members with simple values until the end. */
const AT_END = new RegExp(
  `"id"\\s*:\\s*(${ID})\\s*(?:,\\s*"\\w{1,64}"\\s*:\\s*${SCALAR}\\s*){0,8}[}\\]]{1,2}\\s*$`,
)
/** An id beside what stands beside it in few objects but answers. */
const BESIDE = [
  new RegExp(`"jsonrpc"\\s*:\\s*"2.0"\\s*,\\s*"id"\\s*:\\s*(${ID})\\s*[,}]`),
  new RegExp(`"id"\\s*:\\s*(${ID})\\s*,\\s*"(?:jsonrpc|result|error)"\\s*:`),
]
const ANSWER = /"(?:result|error)"/
const VERSION = /"jsonrpc"/
const QUESTION = /"(?:method|params)"/

/** What stands in the first or the last of a text. */
const has = (text: string, word: RegExp): boolean =>
  word.test(text.slice(0, END_BYTES)) || word.test(text.slice(-END_BYTES))

const isAnswering = (text: string): boolean =>
  has(text, ANSWER) || (has(text, VERSION) && !has(text, QUESTION))

/** By the end of a text that says that it is an answer. */
const namedAtEnd = (text: string): readonly string[] => {
  const id = isAnswering(text) ? AT_END.exec(text.slice(-END_BYTES))?.[1] : undefined
  return id === undefined ? [] : [id]
}

const namedAround = (text: string): readonly string[] => {
  const atEnd = namedAtEnd(text)
  if (atEnd.length > 0 || !isAnswering(text)) return atEnd
  const front = text.slice(0, END_BYTES)
  const end = text.slice(-END_BYTES)
  const found = AT_FRONT.exec(front) ?? firstOf(BESIDE, front) ?? firstOf(BESIDE, end)
  return found?.[1] === undefined ? [] : [found[1]]
}

const firstOf = (patterns: readonly RegExp[], text: string): RegExpExecArray | undefined =>
  patterns.map((pattern) => pattern.exec(text)).find((found) => found !== null) ?? undefined

/** Behind a text, or without the bracket: a log line that quotes an answer, or an answer that has lost its beginning. */
const namedBehindText = (text: string): readonly string[] =>
  has(text, ANSWER) ? namedBehind(text) : []

const namedBehind = (text: string): readonly string[] => {
  const start = /[{"]/.exec(text.slice(0, MAX_PREFIX))?.index
  if (start === undefined) return []
  const rest = text.startsWith('{', start) ? text.slice(start) : `{${text.slice(start)}`
  return namedInPieces(rest)
}
