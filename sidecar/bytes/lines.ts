// Bytes → lines, each bounded; a line is valid only during the call. What is not whole yet is copied. Of a line over the
// bound its beginning and its end are handed out, which may say whose answer it was; the rest is thrown away unread.

import type { Lease } from './budget.ts'
import { free } from './freed.ts'
import { Gathered } from './gathered.ts'

const NEWLINE = 0x0a
/** What is handed out of a line over the bound, on either side. */
const PART_BYTES = 1024
/** More of one line is not thrown away either: whoever writes it writes no lines. */
const MAX_SKIPPED_BYTES = 256 * 1024 * 1024

export interface LineOwner {
  line(line: Buffer): void
  overlong(part: Buffer, which: 'beginning' | 'end'): void
}

export class Lines {
  private readonly pending = new Gathered()
  private readonly maxBytes: number
  private readonly owner: LineOwner
  private readonly lease: Lease
  private isSkipping = false
  /** The end, so far, of a line over the bound. */
  private end: Buffer | undefined
  private skipped = 0

  /** The lease is for the line that is not whole; while it waits no further chunk should come. */
  constructor(maxBytes: number, lease: Lease, owner: LineOwner) {
    this.maxBytes = maxBytes
    this.lease = lease
    this.owner = owner
  }

  /** The line that is not whole; valid until the next chunk. */
  get unfinished(): Buffer {
    return this.pending.bytes
  }

  /** Takes a chunk and calls back for each whole line; false where a line seems to have no end. */
  push(chunk: Buffer): boolean {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const piece = chunk.subarray(start, end)
      if (this.isSkipping) this.endOfSkipped(piece)
      else if (this.pending.length + piece.length > this.maxBytes) {
        this.beginOverlong(piece)
        this.endOfSkipped(piece)
      } else this.emit(piece)
      start = end + 1
    }
    if (start === chunk.length) return true
    const rest = chunk.subarray(start)
    if (this.isSkipping) return this.throwAway(rest)
    if (this.pending.length + rest.length > this.maxBytes) {
      this.beginOverlong(rest)
      return this.throwAway(rest)
    }
    // The caller reads its next chunk into the same memory.
    this.pending.add(rest)
    this.lease.reads(this.pending.length, this.maxBytes)
    return true
  }

  /** What came after the last line end, e.g. a final answer without one. */
  flush(): void {
    if (this.pending.length > 0) this.hand()
  }

  /** Gives up the line that is not whole: the rest of it is not kept either. */
  skip(): void {
    free(this.pending.take())
    this.lease.release()
    this.isSkipping = true
  }

  private beginOverlong(piece: Buffer): void {
    const known = this.pending.length > 0 ? this.pending.bytes : piece
    this.owner.overlong(known.subarray(0, PART_BYTES), 'beginning')
    const end = Buffer.from(this.pending.bytes.subarray(-PART_BYTES))
    this.skip()
    this.end = end
    this.skipped = 0
  }

  /** Keeps the last of what is thrown away, where it is a line over the bound. */
  private throwAway(piece: Buffer): boolean {
    if (this.end === undefined) return true
    this.skipped += piece.length
    this.end = Buffer.concat([this.end, piece.subarray(-PART_BYTES)]).subarray(-PART_BYTES)
    return this.skipped <= MAX_SKIPPED_BYTES
  }

  private endOfSkipped(piece: Buffer): void {
    this.throwAway(piece)
    const { end } = this
    this.isSkipping = false
    this.end = undefined
    if (end) this.owner.overlong(end, 'end')
  }

  private emit(last: Buffer): void {
    if (this.pending.length === 0) {
      this.owner.line(last)
      return
    }
    this.pending.add(last)
    this.hand()
  }

  private hand(): void {
    const line = this.pending.take()
    // What becomes of it is counted where it goes.
    this.lease.release()
    this.owner.line(line)
    free(line)
  }
}
