// What a server has written and nobody can use: why, how it begins, and which requests of ours it names all the same.
// Pure.

import { scanLoosely, type Seen } from '../json/scan.ts'
import { BEGINS, claimIn, claimOf, namedBehindText, type Claim } from './claim.ts'
import { namedAtEnd } from './named-around.ts'
import { namedInNotation } from './notation.ts'
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
  /** It is to be a message, and no notification: on a stream of its own it can only be the answer. */
  readonly mayAnswer: boolean
}

const MAX_START = 200
const MAX_UTF16 = 64 * 1024
/** In front of it stands no answer. */
const NOTICE = /^.{0,200}?"(?:method|params)"\s*:/s
/** UTF-16's byte order marks. */
const MARK = /^(?:\xff\xfe|\xfe\xff)/

const startOf = (text: string): string =>
  Buffer.from(text.slice(0, MAX_START), 'latin1').toString().trimEnd()

/** What a text is that cannot be used; `seen` where it has been scanned already. */
export const unusable = (text: string, reason: string, seen?: Seen): Unusable => {
  const plain = withoutNuls(text)
  const found = plain === text && seen ? seen : scanLoosely(plain)
  const claim = BEGINS.test(plain) ? claimOf(plain, found) : undefined
  const doubtful = isTelling(claim) ? [] : doubtfulIn(plain, claim !== undefined)
  const names = doubtful.length > 0 ? doubtful : (claim?.names ?? [])
  return {
    what: whatItIs(reason, plain, found, names.length > 0),
    reason,
    start: startOf(plain),
    names,
    isDoubtful: doubtful.length > 0,
    asks: claim?.asks,
    mayAnswer: mayAnswer(plain, claim),
  }
}

const mayAnswer = (text: string, claim: Claim | undefined): boolean =>
  claim !== undefined && claim.asks === undefined && !NOTICE.test(text)

const isTelling = (claim: Claim | undefined): boolean =>
  claim !== undefined && (claim.names.length > 0 || claim.asks !== undefined)

const doubtfulIn = (text: string, begins: boolean): readonly string[] => {
  const behind = begins ? [] : namedBehindText(text)
  return behind.length > 0 ? behind : namedInNotation(text)
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
    reason: `it is longer than ${maxBytes} bytes (outrigger.dev/max-response-size)`,
    start: part === 'end' ? '' : startOf(text),
    names: names ?? [],
    isDoubtful: false,
    asks: undefined,
    mayAnswer: false,
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
  mayAnswer: false,
})

const whatItIs = (reason: string, text: string, seen: Seen, isNamed: boolean): Oddity => {
  if (reason.includes('UTF-16')) return 'utf-16'
  const { scanned } = seen
  if (BEGINS.test(text) && !scanned.ok && scanned.error.offset >= text.length)
    return 'several-lines'
  return isNamed ? 'unusable' : 'text'
}
