// Bytes → lines, each bounded; a line is valid only during the call. What is not whole yet is copied and joined once.
// A line over the bound ends the stream: nobody could say whose answer it was.

const NEWLINE = 0x0a

export class Lines {
  private chunks: Buffer[] = []
  private pending = 0
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
      if (this.pending + end - start > this.maxBytes) return false
      this.emit(chunk.subarray(start, end))
      start = end + 1
    }
    if (start < chunk.length) {
      // The caller reads its next chunk into the same memory.
      this.chunks.push(Buffer.from(chunk.subarray(start)))
      this.pending += chunk.length - start
    }
    return this.pending <= this.maxBytes
  }

  /** What came after the last line end, e.g. a final answer without one. */
  flush(): void {
    if (this.pending > 0) this.emit(Buffer.alloc(0))
  }

  private emit(last: Buffer): void {
    if (this.chunks.length === 0) {
      this.onLine(last)
      return
    }
    const line = Buffer.concat([...this.chunks, last])
    this.chunks = []
    this.pending = 0
    this.onLine(line)
  }
}
