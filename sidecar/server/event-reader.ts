// Bytes of a text/event-stream → its events, bounded (HTML standard, server-sent events). Line ends may be LF, CR or
// CRLF; a byte order mark, comments and other fields are skipped. Our own, for its bound: an event is kept as its bytes and
// no more. eventsource-parser keeps pieces and lines as strings of their own, so that a server that writes `data:` lines
// without end takes more memory than a sidecar may have (16 MiB of them: 94 MB of heap) long before its bound is met.

import { Gathered } from '../bytes/gathered.ts'

export interface ServerEvent {
  /** Fit to be sent back in a header; ids that are not are left out. */
  readonly id: string | undefined
  /** `message` where the server says nothing else. */
  readonly type: string
  /** UTF-8 bytes. */
  readonly data: Buffer
}

const LF = 0x0a
const CR = 0x0d
const ID = /^[\x20-\x7e]{1,256}$/
const RETRY = /^\d{1,9}$/
const MESSAGE = 'message'
/** Longer names than this no protocol has. */
const MAX_TYPE = 64
const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf)

/** Where a byte stands next; the end of the chunk where it does not. */
const place = (chunk: Buffer, byte: number, from: number): number => {
  const found = chunk.indexOf(byte, from)
  return found === -1 ? chunk.length : found
}

export class EventReader {
  /** From where the stream can be taken up again: the id of the last event that had one, with data or without. */
  lastId: string | undefined
  /** How long the server wants us to wait before that. */
  retryMs: number | undefined
  /** The longest event. */
  private readonly maxBytes: number
  private readonly onEvent: (event: ServerEvent) => void
  /** The line that has not ended yet. */
  private readonly pending = new Gathered()
  private readonly data = new Gathered()
  private hasData = false
  private id: string | undefined
  private type = MESSAGE
  private isAtStart = true
  /** The last chunk ended with CR: an LF that follows belongs to it. */
  private isAfterCr = false

  constructor(maxBytes: number, onEvent: (event: ServerEvent) => void) {
    this.maxBytes = maxBytes
    this.onEvent = onEvent
  }

  /** Bytes of the event that is not whole yet. */
  get length(): number {
    return this.pending.length + this.data.length
  }

  /** False once a line or an event is over the bound. */
  push(chunk: Buffer): boolean {
    if (chunk.length === 0) return true
    let start = this.isAfterCr && chunk[0] === LF ? 1 : 0
    this.isAfterCr = chunk[chunk.length - 1] === CR
    let lf = place(chunk, LF, start)
    let cr = place(chunk, CR, start)
    for (let end = Math.min(lf, cr); end < chunk.length; end = Math.min(lf, cr)) {
      this.pending.add(chunk.subarray(start, end))
      if (this.isOver()) return false
      this.line(this.pending.take())
      start = end + (end === cr && chunk[end + 1] === LF ? 2 : 1)
      if (lf < start) lf = place(chunk, LF, start)
      if (cr < start) cr = place(chunk, CR, start)
    }
    this.pending.add(chunk.subarray(start))
    return !this.isOver()
  }

  private isOver(): boolean {
    return this.length > this.maxBytes
  }

  private line(bytes: Buffer): void {
    const hasMark = this.isAtStart && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)
    this.isAtStart = false
    const line = hasMark ? bytes.subarray(3) : bytes
    if (line.length === 0) {
      this.dispatch()
      return
    }
    const colon = line.indexOf(0x3a)
    const field = line.subarray(0, colon === -1 ? line.length : colon).toString('latin1')
    const start = line[colon + 1] === 0x20 ? colon + 2 : colon + 1
    const value = colon === -1 ? Buffer.alloc(0) : line.subarray(start)
    if (field === 'data') this.append(value)
    else this.note(field, value.toString('latin1'))
  }

  private dispatch(): void {
    const { id, type, hasData } = this
    this.lastId = id ?? this.lastId
    this.id = undefined
    this.type = MESSAGE
    this.hasData = false
    if (hasData) this.onEvent({ id, type, data: this.data.take() })
  }

  private note(field: string, value: string): void {
    if (field === 'id') this.id = ID.exec(value)?.[0]
    if (field === 'event') this.type = value === '' ? MESSAGE : value.slice(0, MAX_TYPE)
    if (field === 'retry' && RETRY.test(value)) this.retryMs = Number(value)
  }

  private append(value: Buffer): void {
    if (this.hasData) this.data.add(Buffer.of(LF))
    this.hasData = true
    this.data.add(value)
  }
}
