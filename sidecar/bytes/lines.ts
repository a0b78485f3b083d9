// Bytes → lines, each bounded; a line is valid only during the call. What is not whole yet is copied. Of a line over the
// bound its beginning and its end are handed out, which may say whose answer it was; the rest is thrown away unread.
//
// A large line, and what comes after very many small ones, is handed out in a later turn of the event loop, one thing in
// a turn: of a server that writes what costs most, everybody else's calls would wait for seconds (64 KiB of line ends:
// 220 ms; `npm run bench -- pressure`).

import { SMALL_BYTES, type Lease } from './budget.ts'
import { free } from './freed.ts'
import { Gathered } from './gathered.ts'

const NEWLINE = 0x0a
/** What is handed out of a line over the bound, on either side. */
const PART_BYTES = 1024
/** More of one line is not thrown away either: whoever writes it writes no lines. */
const MAX_SKIPPED_BYTES = 256 * 1024 * 1024
/** Handed out of one chunk before others have their turn: more than a server's answers to all that it is asked at once. */
const LINES_A_TURN = 512

export interface LineOwner {
  line(line: Buffer): void
  overlong(part: Buffer, which: 'beginning' | 'end'): void
  /** Everything that has come has been handed out: more may come. */
  idle(): void
}

/** What is handed out in a later turn. */
interface Parked {
  /** A large line; undefined where it is only for its many lines that the rest has to wait. */
  readonly line: Buffer | undefined
  /** What came behind it in its chunk: less than that. */
  readonly rest: Buffer
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
  private parked: Parked | undefined

  /** The lease is for the line that is not whole; while it waits, and while this is busy, no further chunk should come. */
  constructor(maxBytes: number, lease: Lease, owner: LineOwner) {
    this.maxBytes = maxBytes
    this.lease = lease
    this.owner = owner
  }

  /** Whether something that has come is handed out later. */
  get isBusy(): boolean {
    return this.parked !== undefined
  }

  /** The line that is not whole; valid until the next chunk. */
  get unfinished(): Buffer {
    return this.pending.bytes
  }

  /** Takes a chunk and calls back for each whole line; false where a line seems to have no end. */
  push(chunk: Buffer): boolean {
    this.settle()
    return this.take(chunk)
  }

  /** Hands out at once what was to be handed out later. */
  settle(): void {
    while (this.parked) this.handParked(this.parked)
  }

  /** What came after the last line end, e.g. a final answer without one. */
  flush(): void {
    this.settle()
    if (this.pending.length > 0) this.hand(this.pending.take())
  }

  /** Gives up the line that is not whole: the rest of it is not kept either. */
  skip(): void {
    free(this.pending.take())
    this.lease.release()
    this.isSkipping = true
  }

  private take(chunk: Buffer): boolean {
    let start = 0
    let lines = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.whole(chunk.subarray(start, end))
      start = end + 1
      if (line && line.length > SMALL_BYTES) return this.park(line, chunk.subarray(start))
      if (line) this.hand(line)
      if (lines++ === LINES_A_TURN) return this.park(undefined, chunk.subarray(start))
    }
    return start === chunk.length || this.keep(chunk.subarray(start))
  }

  /** The caller reads its next chunk into the same memory. */
  private keep(rest: Buffer): boolean {
    if (this.isSkipping) return this.throwAway(rest)
    if (this.pending.length + rest.length > this.maxBytes) {
      this.beginOverlong(rest)
      return this.throwAway(rest)
    }
    this.pending.add(rest)
    this.lease.reads(this.pending.length, this.maxBytes)
    return true
  }

  /** The line that ends with this piece, in a memory of its own where it is large; undefined where it is not kept. */
  private whole(last: Buffer): Buffer | undefined {
    if (!this.isSkipping && this.pending.length + last.length <= this.maxBytes) {
      if (this.pending.length === 0 && last.length <= SMALL_BYTES) return last
      this.pending.add(last)
      return this.pending.take()
    }
    if (!this.isSkipping) this.beginOverlong(last)
    this.endOfSkipped(last)
    return undefined
  }

  private park(line: Buffer | undefined, rest: Buffer): boolean {
    const parked = { line, rest: Buffer.from(rest) }
    this.parked = parked
    this.lease.inTurn(() => {
      // It may have been handed out meanwhile.
      if (this.parked !== parked) return
      this.handParked(parked)
      if (!this.parked) this.owner.idle()
    })
    return true
  }

  private handParked({ line, rest }: Parked): void {
    this.parked = undefined
    if (line) this.hand(line)
    this.take(rest)
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

  private hand(line: Buffer): void {
    // What becomes of it is counted where it goes.
    this.lease.release()
    this.owner.line(line)
    free(line)
  }
}
