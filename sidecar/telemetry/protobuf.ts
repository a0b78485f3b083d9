// Protocol Buffers, as much of writing them as spans take: fields behind each other in bytes that grow. Pure.

const FIRST_BYTES = 4096
const VARINT = 0
const EIGHT_BYTES = 1
const LENGTH = 2
const FOUR_BYTES = 5
/** Of a varint: seven bits, and whether more follow. */
const SEVEN_BITS = 0x80
const MAX_VARINT_BYTES = 8
/** A length of this many bytes, as those of most messages within messages are, moves nothing when it is known. */
const USUAL_LENGTH_BYTES = 2
/** No text of so many characters has a longer length than one byte. */
const SHORT_TEXT = 42

const varintBytes = (value: number): number => {
  let bytes = 1
  for (let rest = value; rest >= SEVEN_BITS; rest = Math.floor(rest / SEVEN_BITS)) bytes++
  return bytes
}

/** What a field of texts or messages takes: its tag, its length, and what is in it. */
export const fieldBytes = (field: number, length: number): number =>
  varintBytes(field * 8) + varintBytes(length) + length

export class Protobuf {
  length = 0
  private buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)

  /** What has been written; valid until more is. */
  get bytes(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  /** Where whole, not negative numbers stand. */
  number(field: number, value: number): void {
    this.tag(field, VARINT)
    this.varint(value)
  }

  fixed32(field: number, value: number): void {
    this.tag(field, FOUR_BYTES)
    this.room(4)
    this.length = this.buffer.writeUInt32LE(value, this.length)
  }

  fixed64(field: number, value: bigint): void {
    this.tag(field, EIGHT_BYTES)
    this.room(8)
    this.length = this.buffer.writeBigUInt64LE(value, this.length)
  }

  double(field: number, value: number): void {
    this.tag(field, EIGHT_BYTES)
    this.room(8)
    this.length = this.buffer.writeDoubleLE(value, this.length)
  }

  /** `bytes`: of its UTF-8, where that is known. */
  text(field: number, text: string, bytes?: number): void {
    this.tag(field, LENGTH)
    if (text.length <= SHORT_TEXT) {
      this.room(1 + 3 * text.length)
      const written = this.buffer.write(text, this.length + 1)
      this.buffer[this.length] = written
      this.length += 1 + written
      return
    }
    const length = bytes ?? Buffer.byteLength(text)
    this.varint(length)
    this.room(length)
    this.length += this.buffer.write(text, this.length)
  }

  /** Bytes of which there is the hexadecimal text. */
  hex(field: number, hex: string): void {
    const length = hex.length / 2
    this.tag(field, LENGTH)
    this.varint(length)
    this.room(length)
    this.length += this.buffer.write(hex, this.length, 'hex')
  }

  /** Fields that have been written elsewhere. */
  append(fields: Uint8Array): void {
    this.room(fields.length)
    this.buffer.set(fields, this.length)
    this.length += fields.length
  }

  /** Begins a message within a message, or bytes that are there already; its tag and its length, where that is known. */
  head(field: number, length: number): void {
    this.tag(field, LENGTH)
    this.varint(length)
  }

  /** Begins a message within a message; what this returns ends it. */
  begin(field: number): number {
    this.tag(field, LENGTH)
    this.room(USUAL_LENGTH_BYTES)
    this.length += USUAL_LENGTH_BYTES
    return this.length
  }

  end(began: number): void {
    const length = this.length - began
    const taken = varintBytes(length)
    const start = began - USUAL_LENGTH_BYTES
    if (taken !== USUAL_LENGTH_BYTES) {
      this.room(taken)
      this.buffer.copyWithin(start + taken, began, this.length)
    }
    this.length = start
    this.varint(length)
    this.length = start + taken + length
  }

  private tag(field: number, type: number): void {
    this.varint(field * 8 + type)
  }

  private varint(value: number): void {
    this.room(MAX_VARINT_BYTES)
    let rest = value
    while (rest >= SEVEN_BITS) {
      this.buffer[this.length++] = (rest % SEVEN_BITS) + SEVEN_BITS
      rest = Math.floor(rest / SEVEN_BITS)
    }
    this.buffer[this.length++] = rest
  }

  private room(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.buffer.length, this.length + bytes))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }
}
