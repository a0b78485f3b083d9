// The body of a POST, bounded, and read only as far as the budget has room for it. Beyond the bound nothing is kept;
// what is still to come is `unread.ts`'s.

import type { IncomingMessage } from 'node:http'
import { fail, ok, type Result } from '../../shared/result.ts'
import { SMALL_BYTES, type Budget, type Holder, type Lease } from '../bytes/budget.ts'
import { free } from '../bytes/freed.ts'
import { Whole } from '../bytes/whole.ts'
import { fault, noMemory, type Fault } from '../mcp/faults.ts'
import { readOneATurn } from './pace.ts'

/** A body, and its place in the budget until it has gone on. */
export interface Body {
  readonly bytes: Buffer
  /** Absent of what came in one piece: that was never waited for. */
  readonly lease: Lease | undefined
}

/** Undefined where the client has gone; the fault is for it. */
export type Read = Result<Body, Fault> | undefined

const tooLarge = ({ sizes: { requestBytes } }: Budget): Read =>
  fail(
    fault(
      'body-too-large',
      `the body is longer than ${requestBytes} bytes (outrigger.dev/max-request-size)`,
    ),
  )

/** Reads the whole body; calls back once. */
export const readBody = (
  request: IncomingMessage,
  budget: Budget,
  done: (read: Read) => void,
): void => {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > budget.sizes.requestBytes) done(tooLarge(budget))
  else new Reading(request, declared, budget, done).begin()
}

class Reading implements Holder {
  readonly isRefusable = true
  private readonly request: IncomingMessage
  private readonly declared: number
  private readonly budget: Budget
  private readonly done: (read: Read) => void
  private readonly body: Whole
  private lease: Lease | undefined

  constructor(
    request: IncomingMessage,
    declared: number,
    budget: Budget,
    done: (read: Read) => void,
  ) {
    this.request = request
    this.declared = declared
    this.body = new Whole(budget.sizes.requestBytes, declared)
    this.budget = budget
    this.done = done
  }

  begin(): void {
    const { request } = this
    request.on('error', this.onGone)
    request.on('close', this.onGone)
    request.on('end', this.onEnd)
    request.on('data', this.onData)
    // What its length says is asked for at once: of two that are half read none could go on.
    if (this.declared > SMALL_BYTES) this.hold(this.declared)
  }

  granted(): void {
    this.request.resume()
  }

  ended(): void {
    this.stop(fail(noMemory('this body', this.budget.bytes)))
    // What is read on is thrown away.
    this.request.resume()
  }

  private readonly onData = (piece: Buffer): void => {
    const { body, declared } = this
    const isAll = piece.length === declared
    if (!body.add(piece)) this.stop(tooLarge(this.budget))
    else if (!isAll) this.hold(Math.max(body.length, this.lease?.bytes ?? 0))
  }

  private readonly isReading = (): boolean => this.lease?.isWaiting === false

  private readonly onEnd = (): void => {
    const { lease, budget } = this
    this.leave()
    const go = (): void => this.done(ok({ bytes: this.body.take(), lease }))
    if (lease && lease.bytes > SMALL_BYTES) budget.inTurn(go)
    else go()
  }

  private readonly onGone = (): void => this.stop(undefined)

  /** Reads on only where there is room for so much. */
  private hold(bytes: number): void {
    // Of a declared body no more than that can come.
    const most = this.declared === 0 ? this.budget.sizes.requestBytes : this.declared
    this.lease ??= this.budget.lease('bodies', this)
    if (bytes <= SMALL_BYTES) {
      // Who is small waits for nobody: what many of them leave incomplete has its bound here.
      if (!this.lease.keep(bytes)) this.ended()
    } else if (this.lease.reads(bytes, most)) readOneATurn(this.request, this.isReading)
    else this.request.pause()
  }

  private leave(): void {
    const { request } = this
    request.off('error', this.onGone)
    request.off('close', this.onGone)
    request.off('end', this.onEnd)
    request.off('data', this.onData)
  }

  private stop(read: Read): void {
    this.leave()
    free(this.body.take())
    this.lease?.release()
    // It may break off behind us.
    this.request.on('error', () => undefined)
    this.done(read)
  }
}
