// From events to a sink: records wait in a bounded queue, get their place in the chain when it is their turn, and go out
// several in one write: what must be out before calls of one turn of the event loop go on takes along what waits. A write
// that fails is made again where it stopped, once a second, so that no byte of a record comes twice. Fails closed where nothing may be lost: `reserve` says no, and the caller refuses its call.

import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import type { Chain, Link } from '../../shared/audit/chain.ts'
import type { Lease } from '../bytes/budget.ts'
import type { AtTurnEnd } from '../bytes/turn-end.ts'
import { Batches, type Batch, type Taken, type Waiting } from './batches.ts'
import type { Sink } from './sink.ts'
import { Turn } from './turn.ts'

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
  /** Calls back when this turn of the event loop ends. */
  readonly atTurnEnd?: AtTurnEnd | undefined
  /** So long a record that nobody waits for may wait for others. */
  readonly gatherMs: number
}

const BATCH_BYTES = 256 * 1024
const RETRY_MS = 1000
/** A write that takes so long stands for one that fails, until it is done. */
const STALL_MS = 5000
const CLOSE_STEP_MS = 20
/** At the end a write that has failed is made again sooner. */
const CLOSE_RETRY_MS = 200
/** What a record's place in the chain adds to what it says. */
const CHAINED_BYTES = 640

export class Writer {
  /** Records that are out, and those that were lost: for want of room, or rejected. */
  readonly counts = { written: 0, dropped: 0 }
  /** The last record that is out. */
  written: Link | undefined
  /** Why nothing goes out, as it was last. */
  why = 'it takes too long'
  private readonly options: WriterOptions
  private readonly atTurnEnd: AtTurnEnd
  private queue: Waiting[] = []
  private readonly batches: Batches
  private batch: Batch | undefined
  private held = 0
  private reserved = 0
  /** Of records that no write has taken yet, and the last that has not been told. */
  private turn: Turn | undefined
  private lastTurn: Turn | undefined
  /** Whether the queue is looked at when this turn ends, and by the clock. */
  private isDue = false
  private isTimed = false
  /** Since when a write has been under way. */
  private busyMs: number | undefined
  /** When a write that has failed is made again; until one is out, `hasFailed`. */
  private retryMs: number | undefined
  private hasFailed = false
  private isStalled = false
  private isClosed = false

  constructor(options: WriterOptions) {
    this.options = options
    this.batches = new Batches(options.chain, options.wallMs)
    this.atTurnEnd = options.atTurnEnd ?? setImmediate
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

  /** All records together may wait in so many bytes. */
  get roomBytes(): number {
    return this.options.lease.mostBytes
  }

  /** Counts a record that is not made, for it found no room. */
  lose(): void {
    this.counts.dropped++
  }

  /** Room for a record that is to come; false where there is none. */
  reserve(bytes: number): boolean {
    if (!this.options.lease.keep(this.held + this.reserved + bytes)) return false
    this.reserved += bytes
    return true
  }

  /** The record is not to come. */
  giveBack(bytes: number): void {
    this.reserved -= bytes
    this.options.lease.keep(this.held + this.reserved)
  }

  /** Whether all is out that came by `addNow`; absent where all of that has been told. */
  get isOut(): Promise<boolean> | undefined {
    return this.lastTurn?.isOut
  }

  /** Puts what a record says into the queue; returns its bytes, or 0 where there is no room: then it is lost, and counted. */
  add(members: string, reserved = 0): number {
    const bytes = this.push(members, reserved, undefined)
    if (bytes > 0) this.gather()
    return bytes
  }

  /**
   * The same, to go out when this turn of the event loop ends. Resolves with whether it is out, for all of the turn at
   * once: false where that fails or takes too long. Undefined where there is no room.
   */
  addNow(members: string): Promise<boolean> | undefined {
    const turn = this.turn ?? new Turn()
    if (this.push(members, 0, turn) === 0) return undefined
    turn.added()
    this.turn = turn
    this.lastTurn = turn
    this.schedule()
    return turn.isOut
  }

  sweep(nowMs: number): void {
    const { busyMs, retryMs } = this
    if (busyMs !== undefined && nowMs - busyMs >= STALL_MS && !this.isStalled) {
      this.isStalled = true
      this.options.log.error('audit records are not written: the write takes too long')
      this.giveUp()
    }
    if (retryMs !== undefined && nowMs >= retryMs) {
      this.retryMs = undefined
      this.schedule()
    }
  }

  /** Takes nothing more and waits until everything is out, at most for so long; resolves with how many records are not. */
  async close(leftMs: number): Promise<number> {
    const { now, sleep, sink } = this.options
    this.isClosed = true
    const endMs = now() + leftMs
    while ((this.isWaiting || this.busyMs !== undefined) && now() < endMs) {
      const { retryMs = -Infinity } = this
      if (this.busyMs === undefined && now() >= retryMs - RETRY_MS + CLOSE_RETRY_MS) {
        this.retryMs = undefined
        this.schedule()
      }
      await sleep(CLOSE_STEP_MS)
    }
    const lost = this.queue.length + (this.batch?.records.length ?? 0)
    // A write that never ends would keep its file open for ever.
    if (this.busyMs === undefined) await sink.close()
    return lost
  }

  private push(members: string, reserved: number, turn: Turn | undefined): number {
    if (this.isClosed) return 0
    const bytes = members.length + CHAINED_BYTES
    this.reserved -= reserved
    const hasRoom = this.options.lease.keep(this.held + this.reserved + bytes)
    if (!hasRoom && reserved === 0) {
      this.lose()
      return 0
    }
    this.held += bytes
    this.queue.push({ members, timeMs: this.options.wallMs(), bytes, turn })
    return bytes
  }

  private get isWaiting(): boolean {
    return this.queue.length > 0 || this.batch !== undefined
  }

  /** What has come goes out when this turn of the event loop ends. */
  private schedule(): void {
    if (this.isDue) return
    this.isDue = true
    this.atTurnEnd(this.endTurn)
  }

  private readonly endTurn = (): void => {
    this.isDue = false
    this.begin()
  }

  /** What has come goes out after a while, or with what has to be out before that. */
  private gather(): void {
    const { gatherMs } = this.options
    if (gatherMs === 0) this.schedule()
    else if (!this.isDue && !this.isTimed) {
      this.isTimed = true
      setTimeout(this.endGathering, gatherMs)
    }
  }

  private readonly endGathering = (): void => {
    this.isTimed = false
    this.begin()
  }

  private begin(): void {
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
      const batch = this.batches.inTurn(this.takeQueue())
      this.batch = batch
      try {
        batch.rest = batch.rest.subarray(atOnce.write(batch.rest))
      } catch {
        return
      }
      if (batch.rest.length > 0) return
      this.wentOut(batch)
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
    this.wentOut(batch)
  }

  private wentOut(batch: Batch): void {
    this.batch = undefined
    this.written = batch.last
    const { rejected = 0 } = this.options.sink
    this.counts.written += batch.records.length - rejected
    this.counts.dropped += rejected
    this.held -= batch.bytes
    this.options.lease.keep(this.held + this.reserved)
    for (const { turn } of batch.records) {
      if (turn?.out() === true && turn === this.lastTurn) this.lastTurn = undefined
    }
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
      return this.batches.of(taken, await sink.rotate(taken.bytes, wallMs()))
    } catch (error) {
      this.queue = [...taken.records, ...this.queue]
      throw error
    }
  }

  private takeQueue(): Taken {
    this.turn = undefined
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
    this.why = why
    this.hasFailed = true
    this.retryMs = this.options.now() + RETRY_MS
    this.giveUp()
  }

  /** Those who wait for records to be out wait no longer; the records stay. */
  private giveUp(): void {
    for (const { turn } of [...(this.batch?.records ?? []), ...this.queue]) turn?.failed()
    this.turn = undefined
    this.lastTurn = undefined
  }
}
