// A manifest's bytes as text, and back: UTF-8, or UTF-16 where a mark at the front says so, as kubectl decides it. Bytes
// that are neither are refused with their place: kubectl puts question marks there in silence. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be'

export interface Source {
  /** Without the mark. */
  readonly text: string
  readonly encoding: Encoding
  readonly hasMark: boolean
}

const MARKS: readonly (readonly [Encoding, Buffer])[] = [
  ['utf-16le', Buffer.from([0xff, 0xfe])],
  ['utf-16be', Buffer.from([0xfe, 0xff])],
  ['utf-8', Buffer.from([0xef, 0xbb, 0xbf])],
]

const decoderOf = (encoding: Encoding): InstanceType<typeof TextDecoder> =>
  new TextDecoder(encoding, { fatal: true, ignoreBOM: true })

const decodes = (bytes: Uint8Array, encoding: Encoding): boolean => {
  try {
    decoderOf(encoding).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}

/** How many bytes from the start are right: halving finds it, since what is wrong stays wrong. */
const goodLength = (bytes: Uint8Array, encoding: Encoding): number => {
  let [good, bad] = [0, bytes.length]
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (decodes(bytes.subarray(0, middle), encoding)) good = middle
    else bad = middle
  }
  return good
}

const badPlace = (bytes: Uint8Array, encoding: Encoding): string => {
  const good = bytes.subarray(0, goodLength(bytes, encoding))
  // Without the bytes of a character that was begun: the first of them is the one that is wrong.
  const before = new TextDecoder(encoding, { ignoreBOM: true }).decode(good, { stream: true })
  const lines = before.split('\n')
  const wrong = Buffer.byteLength(before, encoding === 'utf-8' ? 'utf8' : 'utf16le')
  const hex = (bytes[wrong] ?? 0).toString(16).padStart(2, '0')
  return `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}: the byte 0x${hex} is no ${encoding.toUpperCase()}`
}

/** The text of a manifest's bytes, or where they are none. */
export const decodeSource = (bytes: Buffer): Result<Source, string> => {
  const [encoding, mark] = MARKS.find(([, start]) =>
    bytes.subarray(0, start.length).equals(start),
  ) ?? ['utf-8' as const, undefined]
  const body = bytes.subarray(mark?.length ?? 0)
  try {
    return ok({ text: decoderOf(encoding).decode(body), encoding, hasMark: mark !== undefined })
  } catch {
    return fail(`${badPlace(body, encoding)}; save it as UTF-8`)
  }
}

/** The bytes of a text in the encoding of the manifest that it comes from. */
export const encodeSource = (text: string, { encoding, hasMark }: Omit<Source, 'text'>): Buffer => {
  if (text === '') return Buffer.alloc(0)
  const body = Buffer.from(text, encoding === 'utf-8' ? 'utf8' : 'utf16le')
  if (encoding === 'utf-16be') body.swap16()
  const mark = MARKS.find(([name]) => name === encoding)?.[1]
  return hasMark && mark ? Buffer.concat([mark, body]) : body
}
