// Ids of messages whose traces are not recorded: nothing else is made of them, and most messages are such.

import { randomFillSync } from 'node:crypto'
import { flagsOf } from './trace-context.ts'
import type { TraceContext } from './trace.ts'

const TRACE_BYTES = 16
const SPAN_BYTES = 8
/** So many ids' bytes are asked of the system at a time. */
const POOL_BYTES = 4096

export class TraceIds {
  private readonly pool = Buffer.alloc(POOL_BYTES)
  private used = POOL_BYTES

  /** Of a message that is the parent's child, or begins a trace. */
  next(parent: TraceContext | undefined): TraceContext {
    return {
      traceId: parent?.traceId ?? this.hex(TRACE_BYTES),
      spanId: this.hex(SPAN_BYTES),
      flags: flagsOf(false, parent),
      state: parent?.state,
    }
  }

  private hex(bytes: number): string {
    if (this.used + bytes > POOL_BYTES) {
      randomFillSync(this.pool)
      this.used = 0
    }
    const start = this.used
    this.used += bytes
    return this.pool.toString('hex', start, this.used)
  }
}
