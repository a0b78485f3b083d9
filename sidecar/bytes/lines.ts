// Bytes → lines, each bounded; a line is valid only during the call. What is not whole yet is copied.
// A line over the bound ends the stream: nobody could say whose answer it was.

import { Gathered } from './gathered.ts'

const NEWLINE = 0x0a

export class Lines {
  private readonly pending = new Gathered()
  private readonly maxBytes: number
  private readonly onLine: (line: Buffer) => void

  constructor(maxBytes: number, onLine: (line: Buffer) => void) {
    this.maxBytes = maxBytes
    this.onLine = onLine
  }

  /** Takes a chunk and calls back for each whole line; false once a line is over the bound. */
  push(chunk: Buffer): boolean {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start)
      if (end === -1) break
      if (this.pending.length + end - start > this.maxBytes) return false
      this.emit(chunk.subarray(start, end))
      start = end + 1
    }
    if (this.pending.length + chunk.length - start > this.maxBytes) return false
    // The caller reads its next chunk into the same memory.
    if (start < chunk.length) this.pending.add(chunk.subarray(start))
    return true
  }

  /** What came after the last line end, e.g. a final answer without one. */
  flush(): void {
    if (this.pending.length > 0) this.onLine(this.pending.take())
  }

  private emit(last: Buffer): void {
    if (this.pending.length === 0) {
      this.onLine(last)
      return
    }
    this.pending.add(last)
    this.onLine(this.pending.take())
  }
}
