// Bytes that arrive in pieces, as one buffer that grows by doubling: what they cost follows from their number, not
// from how finely a peer has cut them (a list of one-byte pieces costs a hundred times its bytes). It knows no bound.

import { free } from './freed.ts'
import { lend } from './spares.ts'

const LEAST_BYTES = 1024

export class Gathered {
  private readonly expected: number
  private buffer: Buffer = Buffer.alloc(0)
  private used = 0

  /** `expected`: how many bytes there will be, where that is known. */
  constructor(expected = 0) {
    this.expected = expected
  }

  get length(): number {
    return this.used
  }

  /** What is there; valid until more comes. */
  get bytes(): Buffer {
    return this.buffer.subarray(0, this.used)
  }

  /** Copies a piece behind what is there. */
  add(piece: Uint8Array): void {
    const needed = this.used + piece.length
    if (needed > this.buffer.length) {
      const bytes = Math.max(needed, this.expected || 2 * this.buffer.length, LEAST_BYTES)
      const larger = lend(bytes)
      larger.set(this.buffer.subarray(0, this.used))
      free(this.buffer)
      this.buffer = larger
    }
    this.buffer.set(piece, this.used)
    this.used = needed
  }

  /** Hands out everything, which is the caller's from then on, and begins anew. */
  take(): Buffer {
    const whole = this.buffer.subarray(0, this.used)
    this.buffer = Buffer.alloc(0)
    this.used = 0
    return whole
  }
}
