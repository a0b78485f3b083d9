// Spans that have ended wait here for the collector, as bytes, and go there several in one request, one request after the
// other. What is too much, and what the collector does not take, is dropped and counted; nobody waits.

import { connectionWords } from '../../shared/connection-words.ts'
import type { Log } from '../../shared/log.ts'
import { Protobuf } from './protobuf.ts'
import { writeSpan, type EndedSpan } from './span-bytes.ts'

/** Spans that wait for the collector, and their bytes; further ones are dropped. */
const MAX_WAITING = 2048
const MAX_WAITING_BYTES = 4 * 1024 * 1024
/** A request has no more, but for what its last span has. */
const BATCH = 512
const BATCH_BYTES = 1024 * 1024
const BATCH_DELAY_MS = 1000

/** Sends the bytes of so many spans; resolves with how many of them the collector rejects, rejects where none are there. */
export type SendSpans = (spans: Buffer, count: number) => Promise<number>

export interface SpanQueueOptions {
  readonly send: SendSpans
  readonly onDropped: (spans: number) => void
  readonly log: Log
}

interface Batch {
  readonly spans: Protobuf
  count: number
}

const isFull = ({ spans, count }: Batch): boolean => count >= BATCH || spans.length >= BATCH_BYTES

export class SpanQueue {
  private readonly options: SpanQueueOptions
  /** The oldest first; the last takes what comes. */
  private batches: Batch[] = []
  private waiting = 0
  private waitingBytes = 0
  private sending: Promise<void> | undefined
  private isFailing = false
  private timer: NodeJS.Timeout | undefined

  constructor(options: SpanQueueOptions) {
    this.options = options
  }

  add(span: EndedSpan): void {
    if (this.waiting >= MAX_WAITING || this.waitingBytes >= MAX_WAITING_BYTES) {
      this.options.onDropped(1)
      return
    }
    const batch = this.open()
    const before = batch.spans.length
    writeSpan(batch.spans, span)
    batch.count++
    this.waiting++
    this.waitingBytes += batch.spans.length - before
    if (isFull(batch)) void this.begin()
    else this.wait()
  }

  /** Sends all that waits. */
  async flush(): Promise<void> {
    clearTimeout(this.timer)
    this.timer = undefined
    while (this.sending || this.batches.length > 0) await this.begin()
  }

  private open(): Batch {
    const last = this.batches.at(-1)
    if (last && !isFull(last)) return last
    const batch = { spans: new Protobuf(), count: 0 }
    this.batches.push(batch)
    return batch
  }

  /** What has come goes out after a while. */
  private wait(): void {
    if (this.timer || this.sending) return
    this.timer = setTimeout(() => {
      this.timer = undefined
      void this.begin()
    }, BATCH_DELAY_MS)
    // Nothing is kept running for it.
    this.timer.unref()
  }

  /** The oldest batch goes out, unless one is on its way. */
  private begin(): Promise<void> | undefined {
    if (this.sending) return this.sending
    const batch = this.batches.shift()
    this.sending = batch && this.sendAlone(batch)
    return this.sending
  }

  private async sendAlone({ spans, count }: Batch): Promise<void> {
    this.waiting -= count
    this.waitingBytes -= spans.length
    await this.send(spans.bytes, count)
    this.sending = undefined
    const [next] = this.batches
    if (next && isFull(next)) void this.begin()
    else if (next) this.wait()
  }

  private async send(spans: Buffer, count: number): Promise<void> {
    const { send, onDropped, log } = this.options
    try {
      const rejected = await send(spans, count)
      if (rejected > 0) onDropped(Math.min(rejected, count))
      this.isFailing = false
    } catch (error) {
      onDropped(count)
      if (!this.isFailing) {
        log.warn('spans cannot be sent; they are dropped', { error: connectionWords(error) })
      }
      this.isFailing = true
    }
  }
}
