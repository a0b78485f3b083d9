// From events to a sink: records wait in a bounded queue, get their place in the chain when it is their turn, and go out
// several in one write: what must be out before a call goes on takes along what waits. A write that fails is made again where it stopped, once a second, so that no byte of a record
// comes twice. Fails closed where nothing may be lost: `reserve` says no, and the caller refuses its call.

import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import { membersOf, type Chain, type Link } from '../../shared/audit/chain.ts'
import type { Lease } from '../bytes/budget.ts'
import type { Rotated, Sink } from './sink.ts'

export interface WriterOptions {
  readonly sink: Sink
  readonly chain: Chain
  /** For what waits. */
  readonly lease: Lease
  readonly log: Log
  /** Monotonic milliseconds, and those since 1970. */
  readonly now: () => number
  readonly wallMs: () => number
  readonly sleep: (delayMs: number) => Promise<unknown>
  /** So long a record that nobody waits for may wait for others. */
  readonly gatherMs: number
}

const BATCH_BYTES = 256 * 1024
const RETRY_MS = 1000
/** A write that takes so long stands for one that fails, until it is done. */
const STALL_MS = 5000
const CLOSE_STEP_MS = 20
/** What a record's place in the chain adds to what it says. */
const CHAINED_BYTES = 640

interface Waiting {
  readonly members: string
  readonly timeMs: number
  readonly bytes: number
  /** Hears whether it is out. */
  readonly done: ((isOut: boolean) => void) | undefined
}

interface Taken {
  readonly records: readonly Waiting[]
  readonly bytes: number
}

/** What is being written: records that have their place already. */
interface Batch {
  rest: Buffer
  readonly records: readonly Waiting[]
  readonly bytes: number
  readonly last: Link
  /** Another file begins with it. */
  rotated: Rotated | undefined
}

export class Writer {
  /** Records that are out, and those that were lost for want of room. */
  readonly counts = { written: 0, dropped: 0 }
  /** The last record that is out. */
  written: Link | undefined
  private readonly options: WriterOptions
  private queue: Waiting[] = []
  private batch: Batch | undefined
  private held = 0
  private reserved = 0
  private scheduled: 'now' | 'later' | undefined
  /** Since when a write has been under way. */
  private busyMs: number | undefined
  /** When a write that has failed is made again; until one is out, `hasFailed`. */
  private retryMs: number | undefined
  private hasFailed = false
  private isStalled = false
  private isClosed = false

  constructor(options: WriterOptions) {
    this.options = options
  }

  /** Whether nothing goes out now. */
  get isFailing(): boolean {
    return this.hasFailed || this.isStalled
  }

  /** How long the oldest record that is not out has waited. */
  get lagMs(): number {
    const [oldest] = this.batch?.records ?? this.queue
    return oldest ? Math.max(this.options.wallMs() - oldest.timeMs, 0) : 0
  }

  /** Room for a record that is to come; false where there is none. */
  reserve(bytes: number): boolean {
    if (!this.options.lease.keep(this.held + this.reserved + bytes)) return false
    this.reserved += bytes
    return true
  }

  /** Puts what a record says into the queue; returns its bytes, or 0 where there is no room: then it is lost, and counted. */
  add(members: string, reserved = 0): number {
    const bytes = this.push(members, reserved, undefined)
    if (bytes > 0) this.schedule('later')
    return bytes
  }

  /** The same; whether it is out, or a promise of that: false where it fails or takes too long. */
  addNow(members: string): boolean | Promise<boolean> {
    let out: boolean | undefined
    let tell = (isOut: boolean): void => void (out = isOut)
    if (this.push(members, 0, (isOut) => tell(isOut)) === 0) return false
    this.writeAtOnce()
    if (out !== undefined) return out
    this.schedule('now')
    return new Promise((resolve) => {
      tell = resolve
    })
  }

  sweep(nowMs: number): void {
    const { busyMs, retryMs } = this
    if (busyMs !== undefined && nowMs - busyMs >= STALL_MS && !this.isStalled) {
      this.isStalled = true
      this.options.log.error('audit records are not written: the write takes too long')
      this.tellWaiting(false)
    }
    if (retryMs !== undefined && nowMs >= retryMs) {
      this.retryMs = undefined
      this.schedule('now')
    }
  }

  /** Takes nothing more and waits until everything is out, at most for so long; resolves with how many records are not. */
  async close(leftMs: number): Promise<number> {
    const { now, sleep, sink } = this.options
    this.isClosed = true
    const endMs = now() + leftMs
    while ((this.isWaiting || this.busyMs !== undefined) && now() < endMs) {
      if (this.busyMs === undefined) {
        this.retryMs = undefined
        this.schedule('now')
      }
      await sleep(CLOSE_STEP_MS)
    }
    const lost = this.queue.length + (this.batch?.records.length ?? 0)
    // A write that never ends would keep its file open for ever.
    if (this.busyMs === undefined) await sink.close()
    return lost
  }

  private push(members: string, reserved: number, done: Waiting['done']): number {
    if (this.isClosed) return 0
    const bytes = members.length + CHAINED_BYTES
    this.reserved -= reserved
    const hasRoom = this.options.lease.keep(this.held + this.reserved + bytes)
    if (!hasRoom && reserved === 0) {
      this.counts.dropped++
      return 0
    }
    this.held += bytes
    this.queue.push({ members, timeMs: this.options.wallMs(), bytes, done })
    return bytes
  }

  private get isWaiting(): boolean {
    return this.queue.length > 0 || this.batch !== undefined
  }

  /** What comes in one turn of the event loop goes out together, and with it what nobody waits for. */
  private schedule(when: 'now' | 'later'): void {
    if (this.scheduled === 'now' || this.scheduled === when) return
    this.scheduled = when
    const { gatherMs } = this.options
    if (when === 'now' || gatherMs === 0) setImmediate(() => this.begin())
    else setTimeout(() => this.begin(), gatherMs)
  }

  private begin(): void {
    this.scheduled = undefined
    this.writeAtOnce()
    if (!this.isWaiting || this.busyMs !== undefined || this.retryMs !== undefined) return
    this.busyMs = this.options.now()
    void this.writeAll()
  }

  /** Writes what waits before it returns, where the sink takes it so. What goes wrong, the slow way finds out. */
  private writeAtOnce(): void {
    const { sink, wallMs } = this.options
    const { atOnce } = sink
    if (!atOnce || this.batch || this.busyMs !== undefined || this.isFailing) return
    while (this.queue.length > 0 && atOnce.takes(Math.min(this.held, BATCH_BYTES), wallMs())) {
      const batch = this.chained(this.takeQueue())
      this.batch = batch
      try {
        batch.rest = batch.rest.subarray(atOnce.write(batch.rest))
      } catch {
        return
      }
      if (batch.rest.length > 0) return
      this.isOut(batch)
    }
  }

  private async writeAll(): Promise<void> {
    try {
      while (this.isWaiting) {
        this.batch ??= await this.nextBatch()
        await this.writeBatch(this.batch)
      }
      this.busyMs = undefined
    } catch (error) {
      this.busyMs = undefined
      this.failed(messageOf(error))
    }
    this.isStalled = false
  }

  private async writeBatch(batch: Batch): Promise<void> {
    while (batch.rest.length > 0) {
      this.busyMs = this.options.now()
      try {
        const bytes = await this.options.sink.write(batch.rest)
        batch.rest = batch.rest.subarray(bytes)
      } finally {
        // Also where the disk is full: then this makes room.
        await this.prune(batch)
      }
    }
    if (this.hasFailed) this.options.log.info('audit records are written again')
    this.hasFailed = false
    this.isOut(batch)
  }

  private isOut(batch: Batch): void {
    this.batch = undefined
    this.written = batch.last
    this.counts.written += batch.records.length
    this.held -= batch.bytes
    this.options.lease.keep(this.held + this.reserved)
    for (const { done } of batch.records) done?.(true)
  }

  private async prune(batch: Batch): Promise<void> {
    const { rotated } = batch
    if (!rotated) return
    batch.rotated = undefined
    try {
      await rotated.prune()
    } catch (error) {
      this.options.log.warn('old audit files cannot be taken away', { why: messageOf(error) })
    }
  }

  private async nextBatch(): Promise<Batch> {
    const { sink, wallMs } = this.options
    const taken = this.takeQueue()
    try {
      return this.chained(taken, await sink.rotate(taken.bytes, wallMs()))
    } catch (error) {
      this.queue = [...taken.records, ...this.queue]
      throw error
    }
  }

  /** Gives records their places. */
  private chained({ records, bytes }: Taken, rotated?: Rotated): Batch {
    const { chain, wallMs } = this.options
    let text = ''
    if (rotated) {
      const { file, oldest = { instance: chain.instance, seq: chain.last.seq + 1 } } = rotated
      text = chain.line(membersOf({ event: 'rotation', file, oldest }), wallMs())
    }
    for (const { members, timeMs } of records) text += chain.line(members, timeMs)
    return { rest: Buffer.from(text), records, bytes, last: chain.last, rotated }
  }

  private takeQueue(): Taken {
    let [bytes, count] = [0, 0]
    for (const one of this.queue) {
      if (bytes >= BATCH_BYTES) break
      bytes += one.bytes
      count++
    }
    return { records: this.queue.splice(0, count), bytes }
  }

  private failed(why: string): void {
    if (!this.isFailing) this.options.log.error('audit records cannot be written', { why })
    this.hasFailed = true
    this.retryMs = this.options.now() + RETRY_MS
    this.tellWaiting(false)
  }

  /** Those who wait for a record to be out wait no longer; the records stay. */
  private tellWaiting(isOut: boolean): void {
    for (const { done } of [...(this.batch?.records ?? []), ...this.queue]) done?.(isOut)
  }
}
