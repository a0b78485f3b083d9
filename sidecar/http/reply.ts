// The answer to one POST or GET, written once: JSON, or an event stream once something has to be
// streamed first. The only place that writes to a client. Its buffer is bounded: at the bound it asks its owner to
// hold the source, or ends the stream.

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { SMALL_BYTES, type Budget, type Holder, type Lease } from '../bytes/budget.ts'
import { FAULTS, faultText, type Fault, type FaultCode } from '../mcp/faults.ts'

/** An answer beyond what is small is written in pieces of so many bytes, each when the client has taken the last. */
const PIECE_BYTES = 256 * 1024
/** What a stream leaves unread is counted from here on. */
const COUNTED_BYTES = 4096

/** What an event stream may hold for a client that does not read, bytes. */
const MAX_BUFFERED_BYTES = 1024 * 1024

const JSON_TYPE = 'application/json'
const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

/** Hears what becomes of a reply. */
export interface ReplyWatcher {
  /** A fault is told in it, to the request of this id where that is known. */
  faulted(fault: Fault, idText: string | undefined): void
  /** It is complete, or its client has gone. */
  closed(): void
}

/** What its client takes: JSON or an event stream, as it comes, or one of them alone. */
export type ReplyForm = 'either' | 'json' | 'stream'

/** Hears what goes wrong in every reply. */
export interface ReplyWatch {
  faulted(reply: Reply, fault: Fault): void
  /** Its connection is broken off, and why. */
  cutOff(reply: Reply, why: string): void
}

export type ReplyState = 'waiting' | 'streaming' | 'done'

export class Reply implements Holder {
  readonly isRefusable = false
  private readonly response: ServerResponse
  private readonly extraHeaders: Record<string, string> = {}
  private current: ReplyState = 'waiting'
  private watchers: ReplyWatcher[] | undefined
  /** For what the client has not fetched. */
  private lease: Lease | undefined
  private readonly budget: Budget
  private readonly overseer: ReplyWatch
  private isReleasing = false
  /** The beginning of its session's id, and the number of the process that serves it, where these are known. */
  session: string | undefined
  process: number | undefined
  /** When bytes last went out, by the caller's clock; the keep-alive sweep compares it. */
  lastWriteMs: number
  /** Nothing comes before an answer that is `json`; one that is `stream` is the only event of its stream. */
  form: ReplyForm = 'either'
  /** Until when its caller may hear of anything (monotonic milliseconds): whoever sweeps it ends it then. */
  untilMs = Infinity
  /** Ids of the span that its request has, for the log; of a request that came alone. */
  span: { readonly traceId: string; readonly spanId: string } | undefined
  /** Hears of a fault that is told in it, where one request alone came. */
  operation: { end(code: FaultCode): void } | undefined
  /** Whether a client that asked by `Expect: 100-continue` has been told to send its body. */
  hasContinued = false

  constructor(response: ServerResponse, nowMs: number, budget: Budget, overseer: ReplyWatch) {
    this.response = response
    this.budget = budget
    this.overseer = overseer
    this.lastWriteMs = nowMs
  }

  get state(): ReplyState {
    // The connection may have gone while nobody had asked to hear of it.
    return this.response.destroyed ? 'done' : this.current
  }

  /** Whether its connection can serve a next request. */
  get keepsConnection(): boolean {
    return this.response.shouldKeepAlive && this.extraHeaders['connection'] === undefined
  }

  /** Calls back once when the client has gone before the answer was complete; at once where it has gone already. */
  onGone(callback: () => void): void {
    const closed = (): void => {
      const isEarly = this.current !== 'done'
      this.current = 'done'
      if (isEarly) callback()
    }
    if (this.response.destroyed) closed()
    else this.response.once('close', closed)
  }

  /** Adds a watcher; of a reply whose client has gone already it hears at once. */
  watch(watcher: ReplyWatcher): void {
    if (this.response.destroyed) watcher.closed()
    else if (this.watchers) this.watchers.push(watcher)
    else {
      const watchers = [watcher]
      this.watchers = watchers
      this.response.once('close', () => watchers.forEach((one) => one.closed()))
    }
  }

  /** Tells the watchers of a fault, also of one that goes out as part of a stream or batch. */
  noteFault(fault: Fault, idText: string | undefined): void {
    this.overseer.faulted(this, fault)
    this.operation?.end(fault.code)
    this.watchers?.forEach((watcher) => watcher.faulted(fault, idText))
  }

  /** A header of the answer, as long as that has not begun; undefined takes it back. */
  header(name: string, value: string | undefined): void {
    if (value === undefined) delete this.extraHeaders[name]
    else this.extraHeaders[name] = value
  }

  /** Tells a client that waits with its body to send it. */
  continue(): void {
    this.hasContinued = true
    this.response.writeContinue()
  }

  /**
   * Makes room for a whole answer before it is written; false where there is none, and the caller should hear that
   * instead. What is small, and what is part of a stream, is always written: its client fetches it or is cut off.
   */
  hasRoomFor(bytes: number): boolean {
    return this.state !== 'waiting' || bytes <= SMALL_BYTES || this.keep(bytes)
  }

  granted(): void {
    // An answer never waits for room.
  }

  /** It keeps others waiting for memory and does not read. */
  ended(): void {
    this.cut()
  }

  /** Answers to a batch as one JSON array, or an event each. */
  jsonArray(texts: readonly string[]): void {
    if (this.form === 'stream' && this.current === 'waiting') {
      for (const text of texts) this.event(text, this.lastWriteMs)
      this.end()
      return
    }
    const length = texts.reduce((sum, text) => sum + text.length + 1, 1)
    if (this.current !== 'waiting' || length <= SMALL_BYTES) {
      this.json(`[${texts.join(',')}]`)
      return
    }
    this.head(200, length)
    this.inPieces(['[', ...texts.flatMap((text, index) => (index === 0 ? text : [',', text])), ']'])
  }

  /** The whole answer as JSON (latin1 text), or as the last event where streaming has begun. */
  json(text: string, status = 200): void {
    if (this.form === 'stream' && status === 200) this.stream()
    if (this.current === 'streaming') this.lastEvent(text)
    if (this.current !== 'waiting') return
    this.head(status, text.length)
    if (text.length > SMALL_BYTES) this.inPieces([text])
    else {
      this.response.end(text, 'latin1')
      this.count(0)
    }
  }

  /** An answer without a body. */
  empty(status: number): void {
    if (this.current !== 'waiting') return
    this.current = 'done'
    this.response.writeHead(status, { 'content-length': 0, ...this.extraHeaders })
    this.response.end()
  }

  /** Another's answer as it comes; where that breaks off, so does this one. */
  pass(answer: IncomingMessage, headers: OutgoingHttpHeaders): void {
    const { response } = this
    answer.on('error', () => response.destroy())
    if (this.state !== 'waiting') {
      answer.destroy()
      return
    }
    this.current = 'done'
    response.writeHead(answer.statusCode ?? 502, { ...headers, ...this.extraHeaders })
    // A stream may say nothing for long, and its client wants to know that it is there.
    if (headers['content-type'] === STREAM_HEADERS['content-type']) response.flushHeaders()
    answer.pipe(response)
  }

  fault(fault: Fault, idText?: string): void {
    this.noteFault(fault, idText)
    for (const [name, value] of Object.entries(fault.headers ?? {})) this.header(name, value)
    this.json(faultText(fault, idText), FAULTS[fault.code].status)
  }

  /** Starts the event stream, unless that has been done. */
  stream(): void {
    if (this.current !== 'waiting') return
    this.current = 'streaming'
    this.response.writeHead(200, { ...STREAM_HEADERS, ...this.extraHeaders })
    this.response.flushHeaders()
  }

  /**
   * One event (latin1 text without line ends); with an id it can be resumed from. False when the
   * client reads too slowly and the source should pause until `onDrain`.
   */
  event(text: string, nowMs: number, id?: string): boolean {
    this.stream()
    if (this.current !== 'streaming') return true
    this.lastWriteMs = nowMs
    const prefix = id === undefined ? '' : `id: ${id}\n`
    this.response.write(`${prefix}data: ${text}\n\n`, 'latin1')
    this.count(COUNTED_BYTES)
    return this.response.writableLength < MAX_BUFFERED_BYTES
  }

  /** Counts anew what the client of an open stream has not fetched. */
  recount(): void {
    if (this.lease) this.count(0)
  }

  /** A comment that keeps idle connections open (2026-07-28, transports). */
  keepAlive(nowMs: number): void {
    if (this.form === 'json') return
    this.stream()
    if (this.current !== 'streaming') return
    this.lastWriteMs = nowMs
    this.response.write(': keep-alive\n\n')
  }

  /** Calls back once when the client has caught up, or has gone. */
  onDrain(callback: () => void): void {
    const { response } = this
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      callback()
    }
    response.on('drain', done)
    response.on('close', done)
  }

  /** Ends a stream without a further event; the client may resume or ask again. */
  end(): void {
    if (this.current === 'waiting') this.empty(204)
    if (this.current !== 'streaming') return
    this.current = 'done'
    this.response.end()
  }

  /** Its caller's right has ended: who listens may ask again, who waits for an answer has waited too long. */
  outlived(): void {
    if (this.current === 'streaming') this.end()
    else this.cut('its token has ended, and the time that a call has after that')
  }

  /** Its client has come back on another connection: what this one has not taken goes that way. */
  replaced(): void {
    if (this.response.writableLength > 0) this.cut()
    else this.end()
  }

  /** Breaks the connection off, and drops what the client has not fetched. */
  cut(why = 'it does not read what it is sent'): void {
    if (!this.response.destroyed) this.overseer.cutOff(this, why)
    this.current = 'done'
    this.response.destroy()
  }

  private lastEvent(text: string): void {
    this.current = 'done'
    this.response.end(`data: ${text}\n\n`, 'latin1')
    this.count(0)
  }

  /** Takes note of what has been written and not fetched, if it is more than so much. */
  private count(least: number): void {
    // A response that has gone says for ever what it had not sent.
    const bytes = this.response.destroyed ? 0 : this.response.writableLength
    if (bytes <= least && !this.lease) return
    if (bytes === 0) this.lease?.release()
    else if (this.keep(bytes)) this.releaseAtEnd()
    else this.cut()
  }

  /** Most replies never need a lease: what they write has left at once. */
  private keep(bytes: number): boolean {
    this.lease ??= this.budget.lease('answers', this)
    return this.lease.keep(bytes)
  }

  private releaseAtEnd(): void {
    if (this.isReleasing) return
    this.isReleasing = true
    if (this.response.destroyed) this.lease?.release()
    else this.response.once('close', () => this.lease?.release())
  }

  private head(status: number, length: number): void {
    this.current = 'done'
    this.response.writeHead(status, {
      'content-type': JSON_TYPE,
      'content-length': length,
      ...this.extraHeaders,
    })
  }

  private inPieces(texts: readonly string[]): void {
    const { response } = this
    if (!this.keep(texts.reduce((sum, text) => sum + text.length, 0))) {
      this.cut()
      return
    }
    this.releaseAtEnd()
    const pieces = piecesOf(texts)
    const more = (): void => {
      // It is others' turn between two pieces, also where the client takes all at once; it may have gone meanwhile.
      if (response.destroyed) return
      this.lease?.touch()
      for (let piece = pieces.next(); !piece.done; piece = pieces.next()) {
        if (response.write(piece.value, 'latin1')) continue
        response.once('drain', () => this.budget.inTurn(more))
        return
      }
      response.end()
    }
    more()
  }
}

const piecesOf = function* (texts: readonly string[]): Generator<string, void> {
  for (const text of texts) {
    for (let start = 0; start < text.length; start += PIECE_BYTES) {
      yield text.slice(start, start + PIECE_BYTES)
    }
  }
}
