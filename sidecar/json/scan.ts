// One strict pass over JSON text: it says where the members of the outer objects stand, and refuses
// whatever two readers could understand differently. It never builds values and never changes text.
// The text is latin1 (one character a byte) of bytes already known to be valid UTF-8, so that every
// offset is a byte offset. RFC 8259, with duplicate member names (section 4) refused. Our own, since no parser that we
// know says both where a value stands, byte for byte, and that a name came twice: JSON.parse keeps the last of two.

import { fail, ok, type Result } from '../../shared/result.ts'
import { Names } from './names.ts'

/** A value's place in the text: `end` is exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A member of an object, by its unescaped name; `object` where its value is one that was recorded. */
export interface Member extends Span {
  readonly name: string
  readonly object: JsonObject | undefined
}

export interface JsonObject extends Span {
  readonly members: readonly Member[]
}

/** The outermost value: an object with its members, or an array with its items' places. */
export type Scanned =
  | { readonly kind: 'object'; readonly object: JsonObject }
  | { readonly kind: 'array'; readonly items: readonly Span[] }

export interface Malformed {
  readonly reason: string
  readonly offset: number
}

/** Deeper nesting is refused: readers differ in where they give up, and recursion must be bounded. */
export const MAX_DEPTH = 128
/** Members are kept for the envelope and its values; one level below only for `_meta`. */
const RECORDED_DEPTH = 2
const META = '_meta'
/** More recorded members, or items of an outer array, are refused: each costs many times its text in memory. */
export const MAX_MEMBERS = 4096
/**
 * Strings longer than this, as no name of MCP's own is, are searched natively for their end where the text allows it:
 * then it is not known whether they have escapes.
 */
const SHORT_STRING = 64

const CONTROL = /[\0-\x1f]/
const QUOTE = 0x22
const BACKSLASH = 0x5c
const MAX_QUOTED_NAME = 64

/** A member's name for an error text, cut. */
export const quoted = (name: string): string =>
  JSON.stringify(name.length > MAX_QUOTED_NAME ? `${name.slice(0, MAX_QUOTED_NAME)}…` : name)

class ScanFault extends Error {
  readonly offset: number
  constructor(reason: string, offset: number) {
    super(reason)
    this.offset = offset
  }
}

const isSpace = (code: number): boolean =>
  code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
const isHex = (code: number): boolean =>
  isDigit(code) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66)

// The characters that may stand after a backslash, but for `u`.
const ESCAPES: ReadonlySet<number> = new Set(Buffer.from('"\\/bfnrt'))

const unescape = (raw: string): string => {
  const value: unknown = JSON.parse(`"${Buffer.from(raw, 'latin1').toString()}"`)
  return String(value)
}

/** Where a character stands next; the end of the text where it does not. */
const place = (text: string, character: string, from: number): number => {
  const found = text.indexOf(character, from)
  return found === -1 ? text.length : found
}

const isRecordedAt = (depth: number, ownName: string | undefined): boolean =>
  depth <= RECORDED_DEPTH || (depth === RECORDED_DEPTH + 1 && ownName === META)

class Scan {
  /** What of the outermost value is whole so far. */
  members: readonly Member[] = []
  items: readonly Span[] = []
  /** The first name that stood twice, where that is no fault. */
  twin: string | undefined
  /** Where something stands behind the outermost value. */
  follows: number | undefined
  private readonly text: string
  /** True where no byte is below 0x20: then a string's end can be searched for natively. */
  private readonly isPlain: boolean
  private readonly isLoose: boolean
  private position = 0
  private recorded = 0
  private readonly names = new Names()
  private nextBackslash = -1
  private nextQuote = -1
  /** Whether the last string had an escape or a byte above 0x7f, so that its name needs decoding. */
  private isEncoded = false

  constructor(text: string, isPlain: boolean, isLoose: boolean) {
    this.text = text
    this.isPlain = isPlain
    this.isLoose = isLoose
  }

  outermost(): Scanned {
    this.space()
    const code = this.text.charCodeAt(this.position)
    let scanned: Scanned
    if (code === 0x7b) scanned = { kind: 'object', object: this.object(1) }
    else if (code === 0x5b) scanned = { kind: 'array', items: this.array(1) }
    else throw this.fault('it is not a JSON object or array')
    this.space()
    if (this.position < this.text.length) {
      this.follows = this.position
      throw this.fault('something follows the JSON value')
    }
    return scanned
  }

  private fault(reason: string): ScanFault {
    return new ScanFault(reason, this.position)
  }

  private space(): void {
    while (isSpace(this.text.charCodeAt(this.position))) this.position++
  }

  private value(depth: number, name?: string): JsonObject | undefined {
    const code = this.text.charCodeAt(this.position)
    if (code === QUOTE) {
      this.position++
      this.string()
    } else if (code === 0x7b) return this.object(depth, name)
    else if (code === 0x5b) this.array(depth)
    else if (code === 0x2d || isDigit(code)) this.number()
    else this.literal(code)
    return undefined
  }

  private object(depth: number, ownName?: string): JsonObject {
    if (depth > MAX_DEPTH) throw this.fault(`nested deeper than ${MAX_DEPTH}`)
    const isRecorded = isRecordedAt(depth, ownName)
    const start = this.position++
    // V8 makes room for four so, as most have; for the first member of a literal it makes room for seventeen.
    const members = isRecorded ? new Array<Member>() : []
    if (depth === 1) this.members = members
    this.space()
    if (this.text.charCodeAt(this.position) === 0x7d) {
      return { start, end: ++this.position, members }
    }
    const first = this.names.begin()
    for (;;) {
      const name = this.name()
      if (!this.names.add(name, first)) this.again(name)
      this.space()
      const from = this.position
      const object = this.value(depth + 1, name)
      if (isRecorded) this.record(members, { name, start: from, end: this.position, object })
      if (this.isLast(0x7d)) break
      this.space()
    }
    this.names.end(first)
    return { start, end: this.position, members }
  }

  private again(name: string): void {
    if (!this.isLoose) throw this.fault(`the member name ${quoted(name)} stands twice`)
    this.twin ??= name
  }

  private record(members: Member[], member: Member): void {
    if (++this.recorded > MAX_MEMBERS) {
      throw this.fault(`more than ${MAX_MEMBERS} members in the outer objects`)
    }
    members.push(member)
  }

  private name(): string {
    if (this.text.charCodeAt(this.position) !== QUOTE) throw this.fault('a member name is missing')
    const start = ++this.position
    this.string()
    const raw = this.text.slice(start, this.position - 1)
    const name = this.isEncoded ? unescape(raw) : raw
    // Readers that cannot hold half a surrogate pair take all such names for the same one.
    if (this.isEncoded && !name.isWellFormed())
      throw this.fault('a lone surrogate in a member name')
    this.space()
    if (this.text.charCodeAt(this.position) !== 0x3a) throw this.fault('a colon is missing')
    this.position++
    return name
  }

  private array(depth: number): readonly Span[] {
    if (depth > MAX_DEPTH) throw this.fault(`nested deeper than ${MAX_DEPTH}`)
    this.position++
    const items: Span[] = []
    if (depth === 1) this.items = items
    this.space()
    if (this.text.charCodeAt(this.position) === 0x5d) {
      this.position++
      return items
    }
    for (;;) {
      this.space()
      const start = this.position
      this.value(depth + 1)
      if (depth === 1) this.recordItem(items, { start, end: this.position })
      if (this.isLast(0x5d)) return items
    }
  }

  private recordItem(items: Span[], item: Span): void {
    if (items.length === MAX_MEMBERS) {
      throw this.fault(`more than ${MAX_MEMBERS} items in the outer array`)
    }
    items.push(item)
  }

  /** Steps over a comma (false) or the closing bracket (true). */
  private isLast(closing: number): boolean {
    this.space()
    const code = this.text.charCodeAt(this.position)
    if (code !== 0x2c && code !== closing) throw this.fault('a comma or closing bracket is missing')
    this.position++
    return code === closing
  }

  /** Steps past the closing quote; `position` is behind the opening one. */
  private string(): void {
    const { text } = this
    this.isEncoded = false
    let from = this.position
    for (;;) {
      const code = text.charCodeAt(this.position)
      if (code === QUOTE) {
        this.position++
        return
      }
      if (code === BACKSLASH) {
        this.escape()
        from = this.position
      } else if (code >= 0x20) {
        if (code > 0x7f) this.isEncoded = true
        this.position++
        if (this.isPlain && this.position - from > SHORT_STRING) from = this.leap()
      } else throw this.fault(this.unfinished(code))
    }
  }

  private unfinished(code: number): string {
    return Number.isNaN(code)
      ? 'the text ends inside a string'
      : `a control character (0x${code.toString(16).padStart(2, '0')}) stands unescaped in a string`
  }

  /**
   * Inside a long string of plain text: goes to its next quote or backslash by native search
   * (64 KiB of one string: 2 us against 40 by characters; `npm run bench -- scan`). What has been
   * found is remembered, so that no stretch of text is searched twice.
   */
  private leap(): number {
    const { text, position } = this
    if (this.nextBackslash < position) this.nextBackslash = place(text, '\\', position)
    if (this.nextQuote < position) this.nextQuote = place(text, '"', position)
    this.isEncoded = true
    this.position = Math.min(this.nextQuote, this.nextBackslash)
    return this.position
  }

  private escape(): void {
    this.isEncoded = true
    const code = this.text.charCodeAt(this.position + 1)
    if (code === 0x75) {
      for (let digit = 2; digit < 6; digit++) {
        if (!isHex(this.text.charCodeAt(this.position + digit)))
          throw this.fault('a bad \\u escape')
      }
      this.position += 6
    } else if (ESCAPES.has(code)) this.position += 2
    else throw this.fault('a bad escape')
  }

  private number(): void {
    if (this.text.charCodeAt(this.position) === 0x2d) this.position++
    if (this.text.charCodeAt(this.position) === 0x30) this.position++
    else this.digits()
    if (this.text.charCodeAt(this.position) === 0x2e) {
      this.position++
      this.digits()
    }
    const code = this.text.charCodeAt(this.position)
    if (code === 0x65 || code === 0x45) {
      const sign = this.text.charCodeAt(++this.position)
      if (sign === 0x2b || sign === 0x2d) this.position++
      this.digits()
    }
  }

  private digits(): void {
    const start = this.position
    while (isDigit(this.text.charCodeAt(this.position))) this.position++
    if (this.position === start) throw this.fault('a digit is missing')
  }

  private literal(code: number): void {
    const word = code === 0x74 ? 'true' : code === 0x66 ? 'false' : 'null'
    if (!this.text.startsWith(word, this.position)) throw this.fault('a value is missing')
    this.position += word.length
  }
}

const outcome = (scan: Scan): Result<Scanned, Malformed> => {
  try {
    return ok(scan.outermost())
  } catch (error) {
    if (error instanceof ScanFault) return fail({ reason: error.message, offset: error.offset })
    throw error
  }
}

/** Scans one JSON text. `isPlain`: the caller knows that no byte is below 0x20. */
export const scan = (text: string, isPlain: boolean): Result<Scanned, Malformed> =>
  outcome(new Scan(text, isPlain, false))

/** What can be seen of a text, whether or not it is one JSON text. */
export interface Seen {
  readonly scanned: Result<Scanned, Malformed>
  /** Members of the outermost object, or items of the array, up to the fault. */
  readonly members: readonly Member[]
  readonly items: readonly Span[]
  /** The first name that stands twice in an object: here that is no fault. */
  readonly twin: string | undefined
  /** Where something follows the first value, which is whole. */
  readonly follows: number | undefined
  readonly isPlain: boolean
}

/** Scans a text of which something may be wrong, to see what. `isPlain` as above, where the caller knows. */
export const scanLoosely = (text: string, isPlain = !CONTROL.test(text)): Seen => {
  const scan = new Scan(text, isPlain, true)
  const scanned = outcome(scan)
  const { members, items, twin, follows } = scan
  return { scanned, members, items, twin, follows, isPlain }
}
