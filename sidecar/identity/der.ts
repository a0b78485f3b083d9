// As much of DER (X.690) as a certificate's extensions need: elements of a definite length, each within the one around it.
// Pure; what is no DER is undefined.

export interface Element {
  readonly tag: number
  readonly value: Buffer
}

const LONG = 0x80
/** No certificate is longer than four bytes of length can say. */
const MAX_LENGTH_BYTES = 4

interface Extent {
  readonly start: number
  readonly end: number
}

const extentAt = (bytes: Buffer, offset: number): Extent | undefined => {
  const first = bytes[offset + 1]
  if (first === undefined) return undefined
  const count = first & LONG ? first & ~LONG : 0
  if (first === LONG || count > MAX_LENGTH_BYTES || offset + 2 + count > bytes.length)
    return undefined
  const length = count === 0 ? first : bytes.readUIntBE(offset + 2, count)
  const start = offset + 2 + count
  return start + length <= bytes.length ? { start, end: start + length } : undefined
}

/** The elements that a text of DER consists of, and nothing behind them. */
export const elementsOf = (bytes: Buffer): readonly Element[] | undefined => {
  const elements: Element[] = []
  for (let offset = 0; offset < bytes.length;) {
    const tag = bytes[offset]
    const extent = extentAt(bytes, offset)
    // Tags of several bytes stand in no certificate.
    if (tag === undefined || (tag & 0x1f) === 0x1f || !extent) return undefined
    elements.push({ tag, value: bytes.subarray(extent.start, extent.end) })
    offset = extent.end
  }
  return elements
}

/** The elements within the only one. */
export const elementsIn = (bytes: Buffer, tag: number): readonly Element[] | undefined => {
  const all = elementsOf(bytes)
  const [only] = all ?? []
  return all?.length === 1 && only?.tag === tag ? elementsOf(only.value) : undefined
}
