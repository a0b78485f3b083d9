// What one server process writes to stderr, a line at a time. A line is bounded, and what the shim had to drop is told.

import { StringDecoder } from 'node:string_decoder'

/** Longer lines come in several. */
const MAX_LINE = 4096

export class StderrLines {
  private readonly onLine: (line: string) => void
  private readonly decoder = new StringDecoder('utf8')
  private pending = ''

  constructor(onLine: (line: string) => void) {
    this.onLine = onLine
  }

  /** `dropped`: bytes that came before these and are lost. */
  push(bytes: Buffer, dropped: number): void {
    if (dropped > 0) {
      this.end()
      this.onLine(`(${dropped} bytes were dropped here: it wrote faster than 64 KiB a second)`)
    }
    const lines = (this.pending + this.decoder.write(bytes)).split('\n')
    this.pending = lines.pop() ?? ''
    for (const line of lines) this.line(line)
    while (this.pending.length > MAX_LINE) {
      this.onLine(this.pending.slice(0, MAX_LINE))
      this.pending = this.pending.slice(MAX_LINE)
    }
  }

  /** What is left counts as a line. */
  end(): void {
    const rest = this.pending + this.decoder.end()
    this.pending = ''
    this.line(rest)
  }

  private line(line: string): void {
    const text = line.trimEnd()
    if (text !== '') this.onLine(text)
  }
}
