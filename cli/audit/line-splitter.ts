// Bytes as they come, to lines. What is longer than any record is passed over, and counted: nobody has to keep it.

/** A record has a bound of its own. */
const MAX_LINE_BYTES = 16 * 1024 * 1024
const LINE_END = 0x0a

export class LineSplitter {
  /** Lines that were too long. */
  passedOver = 0
  private parts: Buffer[] = []
  private length = 0

  /** The lines that these bytes complete. */
  take(bytes: Buffer): readonly string[] {
    const lines: string[] = []
    let rest = bytes
    for (let end = rest.indexOf(LINE_END); end !== -1; end = rest.indexOf(LINE_END)) {
      this.keep(rest.subarray(0, end))
      lines.push(...this.end())
      rest = rest.subarray(end + 1)
    }
    this.keep(rest)
    return lines
  }

  /** What stands behind the last line's end, where nothing more is to come. */
  end(): readonly string[] {
    const { parts, length } = this
    this.parts = []
    this.length = 0
    if (length > MAX_LINE_BYTES) this.passedOver++
    return length > MAX_LINE_BYTES || length === 0 ? [] : [Buffer.concat(parts).toString()]
  }

  private keep(bytes: Buffer): void {
    this.length += bytes.length
    if (this.length > MAX_LINE_BYTES) this.parts = []
    else if (bytes.length > 0) this.parts.push(Buffer.from(bytes))
  }
}
