// Bytes → lines, each bounded; a line is valid only during the call. What is not whole yet is copied.
// A line over the bound ends the stream: nobody could say whose answer it was.

import type { Lease } from './budget.ts'
import { free } from './freed.ts'
import { Gathered } from './gathered.ts'

const NEWLINE = 0x0a

export class Lines {
  private readonly pending = new Gathered()
  private readonly maxBytes: number
  private readonly onLine: (line: Buffer) => void
  private readonly lease: Lease
  private isSkipping = false

  /** The lease is for the line that is not whole; while it waits no further chunk should come. */
  constructor(maxBytes: number, lease: Lease, onLine: (line: Buffer) => void) {
    this.maxBytes = maxBytes
    this.lease = lease
    this.onLine = onLine
  }

  /** Takes a chunk and calls back for each whole line; false once a line is over the bound. */
  push(chunk: Buffer): boolean {
    let start = this.isSkipping ? chunk.indexOf(NEWLINE) + 1 : 0
    if (this.isSkipping && start === 0) return true
    this.isSkipping = false
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start)
      if (end === -1) break
      if (this.pending.length + end - start > this.maxBytes) return false
      this.emit(chunk.subarray(start, end))
      start = end + 1
    }
    if (this.pending.length + chunk.length - start > this.maxBytes) return false
    // The caller reads its next chunk into the same memory.
    if (start < chunk.length) {
      this.pending.add(chunk.subarray(start))
      this.lease.reads(this.pending.length, this.maxBytes)
    }
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

  private emit(last: Buffer): void {
    if (this.pending.length === 0) {
      this.onLine(last)
      return
    }
    this.pending.add(last)
    this.hand()
  }

  private hand(): void {
    const line = this.pending.take()
    // What becomes of it is counted where it goes.
    this.lease.release()
    this.onLine(line)
    free(line)
  }
}
