// What a server has written and nobody can use: why, how it begins, and which requests of ours it names all the same.
// Pure.

import { scanLoosely, type Seen } from '../json/scan.ts'
import { BEGINS, claimIn, claimOf, namedBehindText } from './claim.ts'
import { namedAtEnd } from './named-around.ts'
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
const MAX_UTF16 = 64 * 1024
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
    reason: `it is longer than ${maxBytes} bytes (outrigger.dev/max-response-size)`,
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
