// Ids of messages' spans. Of most messages, whose traces are not recorded, nothing else is made.

import { randomFillSync } from 'node:crypto'
import { flagsOf } from './trace-context.ts'
import type { TraceContext } from './trace.ts'

const TRACE_LENGTH = 32
const SPAN_LENGTH = 16
/** So many random bytes are asked for at a time, and made text of together. */
const POOL_BYTES = 3072

export class TraceIds {
  private readonly bytes = Buffer.alloc(POOL_BYTES)
  private pool = ''
  private used = 0

  /** Of a message that is the parent's child, or begins a trace. */
  next(parent: TraceContext | undefined, isRecorded: boolean): TraceContext {
    return {
      traceId: parent?.traceId ?? this.id(TRACE_LENGTH),
      spanId: this.id(SPAN_LENGTH),
      flags: flagsOf(isRecorded, parent),
      state: parent?.state,
    }
  }

  private id(length: number): string {
    if (this.used + length > this.pool.length) {
      this.pool = randomFillSync(this.bytes).toString('hex')
      this.used = 0
    }
    const start = this.used
    this.used += length
    return this.pool.slice(start, this.used)
  }
}
