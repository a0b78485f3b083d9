// The head of what a parent proxy answers to CONNECT, in whatever pieces it comes: each byte is copied once and looked at once,
// bounded, and what follows the head is the tunnel's own. Pure.

/** A head may be as long as one that Node reads. */
export const MAX_HEAD_BYTES = 16 * 1024
const END = Buffer.from('\r\n\r\n')

export interface WholeHead {
  /** Undefined where it is no HTTP, or has no end within the bound. */
  readonly status: string | undefined
  /** What came behind it. */
  readonly rest: Buffer
}

const STATUS = /^HTTP\/1\.[01] (\d{3})[ \r]/

export class ParentHead {
  private readonly bytes = Buffer.allocUnsafe(MAX_HEAD_BYTES)
  private used = 0

  /** Undefined while it has not come to its end. */
  add(piece: Buffer): WholeHead | undefined {
    const { bytes, used } = this
    const taken = piece.copy(bytes, used)
    this.used += taken
    // Its end may have begun in the piece before.
    const from = Math.max(0, used - END.length + 1)
    const end = bytes.subarray(from, this.used).indexOf(END)
    if (end !== -1) return this.whole(piece.subarray(from + end + END.length - used))
    return this.used < MAX_HEAD_BYTES
      ? undefined
      : { status: undefined, rest: piece.subarray(taken) }
  }

  private whole(rest: Buffer): WholeHead {
    const [, status] = STATUS.exec(this.bytes.toString('latin1', 0, this.used)) ?? []
    return { status, rest }
  }
}
