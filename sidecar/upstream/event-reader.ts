// Bytes of a text/event-stream → its events' data and ids, bounded (HTML standard, server-sent events). Line ends
// may be LF, CR or CRLF; comments and other fields are skipped.

import { MAX_LINE_BYTES } from './child.ts'

export interface ServerEvent {
  readonly id: string | undefined
  /** UTF-8 bytes. */
  readonly data: Buffer
}

const LF = 0x0a
const CR = 0x0d

export class EventReader {
  private readonly onEvent: (event: ServerEvent) => void
  private rest: Buffer = Buffer.alloc(0)
  private data: Buffer[] = []
  private id: string | undefined

  constructor(onEvent: (event: ServerEvent) => void) {
    this.onEvent = onEvent
  }

  /** False once a line is over the bound. */
  push(chunk: Buffer): boolean {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    for (;;) {
      const end = this.lineEnd()
      if (end === -1) return this.rest.length <= MAX_LINE_BYTES
      this.line(this.rest.subarray(0, end))
      const isPair = this.rest[end] === CR && this.rest[end + 1] === LF
      this.rest = this.rest.subarray(end + (isPair ? 2 : 1))
    }
  }

  /** Where the first whole line ends; a CR at the very end waits for what follows it. */
  private lineEnd(): number {
    const lf = this.rest.indexOf(LF)
    const cr = this.rest.indexOf(CR)
    if (cr === -1 || (lf !== -1 && lf < cr)) return lf
    return cr + 1 < this.rest.length ? cr : -1
  }

  private line(line: Buffer): void {
    if (line.length === 0) {
      if (this.data.length > 0) this.onEvent({ id: this.id, data: joined(this.data) })
      this.data = []
      this.id = undefined
      return
    }
    const colon = line.indexOf(0x3a)
    const field = line.subarray(0, colon === -1 ? line.length : colon).toString('latin1')
    const start = line[colon + 1] === 0x20 ? colon + 2 : colon + 1
    const value = colon === -1 ? Buffer.alloc(0) : line.subarray(start)
    if (field === 'data') this.data.push(value)
    if (field === 'id') this.id = value.toString()
  }
}

const joined = (lines: readonly Buffer[]): Buffer => {
  const [first] = lines
  if (lines.length === 1 && first) return first
  return Buffer.concat(
    lines.flatMap((line, index) => (index === 0 ? [line] : [Buffer.from('\n'), line])),
  )
}
