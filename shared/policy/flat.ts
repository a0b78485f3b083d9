// Arguments as they mostly are: a short object of texts without escapes, truths and whole numbers that a double holds. Where
// its members stand is told in one pass, in a third of the time that it takes to make a value of them (`npm run bench --
// auth`); of anything else nothing is told, nor whether it is JSON. Pure.

/** The members of an object; of a name that stands twice the last one counts, as everywhere. */
export interface Flat {
  readonly names: readonly string[]
  /** Of each value: where it begins, then where it has ended. */
  readonly places: readonly number[]
}

interface Taken {
  readonly names: string[]
  readonly places: number[]
  /** No text of them has a character beyond. */
  readonly highest: number
}

/** In longer ones something else is likely, and the pass was for nothing. */
const MAX_LENGTH = 4096

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPENING = 0x7b
const CLOSING = 0x7d
const MINUS = 0x2d
const ZERO = 0x30

const WORDS: ReadonlyMap<number, string> = new Map(
  ['true', 'false', 'null'].map((word) => [word.charCodeAt(0), word]),
)

const isSpace = (code: number): boolean =>
  code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
const isDigit = (code: number): boolean => code >= ZERO && code <= 0x39

// Each says where it ends what begins at an offset; -1 where that is nothing for us.

const pastSpace = (json: string, from: number): number => {
  let at = from
  while (isSpace(json.charCodeAt(at))) at++
  return at
}

/**
 * What follows in a text without escapes. By characters a text of a hundred takes three times as long, and one of ten, as
 * names are, half as long.
 */
const TEXT = /[^"\\\u0000-\u001F]*"/y
const ASCII_TEXT = /[^"\\\u0000-\u001F\u0080-\uFFFF]*"/y
const BY_CHARACTERS = 16
const ASCII = 0x7f
const ANY = 0xffff

const pastLongText = (json: string, from: number, highest: number): number => {
  const text = highest === ASCII ? ASCII_TEXT : TEXT
  text.lastIndex = from
  return text.test(json) ? text.lastIndex : -1
}

const pastText = (json: string, start: number, highest: number): number => {
  const short = start + 1 + BY_CHARACTERS
  for (let at = start + 1; at < short; at++) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) return at + 1
    // Behind the end of all there is no number.
    const isPlain = code >= 0x20 && code <= highest && code !== BACKSLASH
    if (!isPlain) return -1
  }
  return pastLongText(json, short, highest)
}

/** A double holds every whole number of so many digits. */
const MAX_DIGITS = 15

const pastNumber = (json: string, start: number): number => {
  const first = json.charCodeAt(start) === MINUS ? start + 1 : start
  let at = first
  while (isDigit(json.charCodeAt(at))) at++
  const digits = at - first
  const isPadded = digits > 1 && json.charCodeAt(first) === ZERO
  return digits === 0 || digits > MAX_DIGITS || isPadded ? -1 : at
}

const pastValue = (json: string, start: number, highest: number): number => {
  const code = json.charCodeAt(start)
  if (code === QUOTE) return pastText(json, start, highest)
  if (code === MINUS || isDigit(code)) return pastNumber(json, start)
  const word = WORDS.get(code)
  return word !== undefined && json.startsWith(word, start) ? start + word.length : -1
}

/** Where the value of a member stands whose name ends there. */
const valueStart = (json: string, nameEnd: number): number => {
  const at = nameEnd === -1 ? -1 : pastSpace(json, nameEnd)
  return at !== -1 && json.charCodeAt(at) === COLON ? pastSpace(json, at + 1) : -1
}

/** Takes a member whose name begins there. */
const member = (json: string, at: number, { names, places, highest }: Taken): number => {
  if (json.charCodeAt(at) !== QUOTE) return -1
  const nameEnd = pastText(json, at, highest)
  const start = valueStart(json, nameEnd)
  if (start === -1) return -1
  names.push(json.slice(at + 1, nameEnd - 1))
  const end = pastValue(json, start, highest)
  places.push(start, end)
  return end
}

/** Takes the members behind the opening brace. */
const members = (json: string, from: number, taken: Taken): number => {
  let at = pastSpace(json, from)
  if (json.charCodeAt(at) === CLOSING) return at + 1
  for (;;) {
    at = member(json, at, taken)
    if (at === -1) return -1
    at = pastSpace(json, at)
    const code = json.charCodeAt(at)
    if (code === CLOSING) return at + 1
    if (code !== COMMA) return -1
    at = pastSpace(json, at + 1)
  }
}

const flatBetween = (json: string, from: number, to: number, highest: number): Flat | undefined => {
  const start = to - from > MAX_LENGTH ? -1 : pastSpace(json, from)
  if (json.charCodeAt(start) !== OPENING) return undefined
  const names = new Array<string>()
  const taken = { names, places: new Array<number>(), highest }
  const end = members(json, start + 1, taken)
  return end === to || (end !== -1 && pastSpace(json, end) === to) ? taken : undefined
}

/** Undefined where it is anything else. */
export const flatIn = (json: string): Flat | undefined => flatBetween(json, 0, json.length, ANY)

/**
 * The same of a part of a text, of which each character is a byte: where its texts and names are ASCII. Of a long text
 * nothing is told: V8 keeps all of it for each name.
 */
export const flatWithin = (text: string, from: number, to: number): Flat | undefined =>
  text.length > MAX_LENGTH ? undefined : flatBetween(text, from, to, ASCII)
