// What a tar asks of whoever parses it, held to bounds before it is parsed: words stand before an entry, of which a parser makes
// an object however many there are, and a size that is none has it wait for ever. Whoever pushes an image writes both. It goes
// from header to header as the parser does, and refuses what the two could read in two ways.

import type { Bytes } from './decompress.ts'
import { ImageError } from './image-error.ts'

const BLOCK = 512
const [SIZE_AT, SIZE_LENGTH] = [124, 12]
const [SUM_AT, SUM_LENGTH] = [148, 8]
const TYPE_AT = 156

/** Of a long path, or of the attributes of one entry. */
const MAX_WORDS_BYTES = 131_072
const MAX_ATTRIBUTES = 1000

/** Words before an entry, by the header's type: attributes of the next, of all that follow, or a path. */
const WORDS = new Map<number | undefined, 'next' | 'all' | 'path'>([
  [0x78, 'next'],
  [0x67, 'all'],
  [0x4b, 'path'],
  [0x4c, 'path'],
  [0x4e, 'path'],
])
/** The parser reads no content of one, whatever its size. */
const DIRECTORY = 0x35
const [NEWLINE, EQUALS] = [0x0a, 0x3d]

const fault = (what: string): ImageError =>
  new ImageError(`a layer is no tar that can be read: ${what}`)

const tooMuch = (found: string, most: number): ImageError =>
  new ImageError(`a layer has ${found} before an entry, and ${most} is the most`)

const NO_NUMBER = 'the size of an entry is no number'

const padded = (size: number): number => Math.ceil(size / BLOCK) * BLOCK

/** A tar ends with blocks of nothing; a parser does not look at the sum of one. */
const isBlank = (block: Uint8Array): boolean =>
  block.every((byte, at) => byte === 0 || (at >= SUM_AT && at < SUM_AT + SUM_LENGTH))

const OCTAL = /^ *([0-7]*)[ \0]*$/
/** What comes before the number where it is one in binary. */
const BINARY = 0x80
const BINARY_BYTES = 6

const sizeIn = (block: Buffer): number => {
  const field = block.subarray(SIZE_AT, SIZE_AT + SIZE_LENGTH)
  const at = SIZE_LENGTH - BINARY_BYTES
  if (field[0] === BINARY && field.subarray(1, at).every((byte) => byte === 0)) {
    return field.readUIntBE(at, BINARY_BYTES)
  }
  const digits = OCTAL.exec(field.toString('latin1'))?.[1]
  if (digits === undefined) throw fault(NO_NUMBER)
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}

interface Attribute {
  /** Of all of it. */
  readonly length: number
  readonly name: string
  readonly value: string
}

/** The first of them: `LENGTH NAME=VALUE` and the end of a line. */
const firstOf = (words: Buffer): Attribute => {
  const digits = /^([1-9]\d{0,5}) /.exec(words.toString('latin1', 0, 8))?.[1] ?? ''
  const [length, equals] = [Number(digits), words.indexOf(EQUALS)]
  if (words[length - 1] !== NEWLINE || equals === -1 || equals >= length) {
    throw fault('an attribute of an entry is cut')
  }
  const name = words.toString('latin1', digits.length + 1, equals)
  return { length, name, value: words.toString('latin1', equals + 1, length - 1) }
}

/** The size that attributes give an entry in its header's place. */
const sizeAmong = (words: Buffer): number | undefined => {
  let [size, count]: [number | undefined, number] = [undefined, 0]
  let rest = words
  while (rest.length > 0) {
    const { length, name, value } = firstOf(rest)
    count += 1
    if (count > MAX_ATTRIBUTES) throw tooMuch('more attributes', MAX_ATTRIBUTES)
    if (name === 'size') {
      if (!/^\d{1,15}$/.test(value)) throw fault(NO_NUMBER)
      size = Number(value)
    }
    rest = rest.subarray(length)
  }
  return size
}

interface Words {
  readonly isOfAll: boolean
  readonly bytes: Buffer
  filled: number
}

class Headers {
  private readonly block = Buffer.alloc(BLOCK)
  private filled = 0
  /** Until the next header. */
  private left = 0
  private words: Words | undefined
  private sizeOfAll: number | undefined
  private sizeOfNext: number | undefined

  /** Goes on through the tar; throws where it asks for too much. */
  pass(chunk: Uint8Array): void {
    let rest = chunk
    while (rest.length > 0) {
      rest = rest.subarray(this.left > 0 ? this.passContent(rest) : this.passHeader(rest))
    }
  }

  private passContent(rest: Uint8Array): number {
    const length = Math.min(this.left, rest.length)
    const { words } = this
    if (words) {
      const own = rest.subarray(0, Math.min(length, words.bytes.length - words.filled))
      words.bytes.set(own, words.filled)
      words.filled += own.length
    }
    this.left -= length
    if (this.left === 0 && words) this.endWords(words)
    return length
  }

  private passHeader(rest: Uint8Array): number {
    const own = rest.subarray(0, BLOCK - this.filled)
    this.block.set(own, this.filled)
    this.filled = (this.filled + own.length) % BLOCK
    if (this.filled === 0 && !isBlank(this.block)) this.begin(sizeIn(this.block))
    return own.length
  }

  private begin(said: number): void {
    const kind = WORDS.get(this.block[TYPE_AT])
    if (kind === undefined) {
      const size = this.sizeOfNext ?? said
      this.sizeOfNext = undefined
      this.left = this.block[TYPE_AT] === DIRECTORY ? 0 : padded(size)
      return
    }
    // The parser would take the next entry's content for them.
    if (said === 0) throw fault('words before an entry are none')
    if (said > MAX_WORDS_BYTES) throw tooMuch(`words of ${said} bytes`, MAX_WORDS_BYTES)
    this.left = padded(said)
    this.words =
      kind === 'path'
        ? undefined
        : { isOfAll: kind === 'all', bytes: Buffer.alloc(said), filled: 0 }
  }

  private endWords({ isOfAll, bytes }: Words): void {
    this.words = undefined
    const size = sizeAmong(bytes)
    if (isOfAll) this.sizeOfAll = size
    else this.sizeOfNext = size ?? this.sizeOfAll
  }
}

/** The same bytes, as far as they ask for no more than they may. */
export async function* inTarBounds(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const headers = new Headers()
  for await (const chunk of bytes) {
    headers.pass(chunk)
    yield chunk
  }
}
