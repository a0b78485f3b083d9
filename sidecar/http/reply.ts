// The answer to one POST or GET, written once: JSON, or an event stream once something has to be
// streamed first. The only place that writes to a client. Its buffer is bounded: at the bound it asks its owner to
// hold the source, or ends the stream.

import type { ServerResponse } from 'node:http'
import { FAULTS, faultText, type Fault } from '../mcp/faults.ts'

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

export type ReplyState = 'waiting' | 'streaming' | 'done'

export class Reply {
  private readonly response: ServerResponse
  private readonly extraHeaders: Record<string, string> = {}
  private current: ReplyState = 'waiting'
  private watchers: ReplyWatcher[] | undefined
  /** When bytes last went out, by the caller's clock; the keep-alive sweep compares it. */
  lastWriteMs: number
  /** Whether a client that asked by `Expect: 100-continue` has been told to send its body. */
  hasContinued = false

  constructor(response: ServerResponse, nowMs: number) {
    this.response = response
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

  /** The whole answer as JSON (latin1 text), or as the last event where streaming has begun. */
  json(text: string, status = 200): void {
    if (this.current === 'streaming') this.lastEvent(text)
    if (this.current !== 'waiting') return
    this.current = 'done'
    this.response.writeHead(status, {
      'content-type': JSON_TYPE,
      'content-length': text.length,
      ...this.extraHeaders,
    })
    this.response.end(text, 'latin1')
  }

  /** An answer without a body. */
  empty(status: number): void {
    if (this.current !== 'waiting') return
    this.current = 'done'
    this.response.writeHead(status, { 'content-length': 0, ...this.extraHeaders })
    this.response.end()
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
    return this.response.writableLength < MAX_BUFFERED_BYTES
  }

  /** A comment that keeps idle connections open (2026-07-28, transports). */
  keepAlive(nowMs: number): void {
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

  /** Breaks the connection off, and drops what a client that reads too slowly has not fetched. */
  cut(): void {
    this.current = 'done'
    this.response.destroy()
  }

  private lastEvent(text: string): void {
    this.current = 'done'
    this.response.end(`data: ${text}\n\n`, 'latin1')
  }
}
