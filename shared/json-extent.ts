// How much JSON holds, from its bytes: what parsing it would cost is known before that begins. Pure.

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]

// `{` and `[`, `}` and `]` differ in one bit, which no other byte of JSON outside of strings shares.
export const isOpening = (byte: number | undefined): boolean =>
  byte !== undefined && (byte | 0x20) === 0x7b
export const isClosing = (byte: number | undefined): boolean =>
  byte !== undefined && (byte | 0x20) === 0x7d
export const isQuote = (byte: number | undefined): boolean => byte === QUOTE

/** The index of the quote that ends the string which begins at `start`, or the length. */
export const endOfString = (bytes: Uint8Array, start: number): number => {
  let index = start + 1
  while (index < bytes.length && bytes[index] !== QUOTE) {
    index += bytes[index] === BACKSLASH ? 2 : 1
  }
  return index
}

export interface Bounds {
  /** Members and items, all together. */
  readonly values: number
  /** Lists and mappings in one another. */
  readonly depth: number
}

export interface Extent {
  /** As far as it was counted. */
  readonly values: number
  /** Which bound is passed first; undefined where none is. */
  readonly passed: keyof Bounds | undefined
}

/** Counts as far as the bounds reach. */
export const extentOf = (bytes: Uint8Array, bounds: Bounds): Extent => {
  let [values, level] = [0, 0]
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index]
    if (byte === QUOTE) index = endOfString(bytes, index)
    else if (byte === COMMA) values += 1
    else if (isOpening(byte)) {
      level += 1
      if (!isClosing(bytes[index + 1])) values += 1
    } else if (isClosing(byte)) level -= 1
    if (values > bounds.values) return { values, passed: 'values' }
    if (level > bounds.depth) return { values, passed: 'depth' }
  }
  return { values, passed: undefined }
}
