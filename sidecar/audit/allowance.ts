// How many bytes of records a caller may make, so that nobody fills the disk for all: those whom nobody knows have one
// allowance together, what they do beyond it is counted; a verified caller has one of their own, where the configuration
// says so. Pure.

import { FULL, take, waitMs, type Bucket } from '../guards/rate.ts'
import { Table } from '../guards/table.ts'

const MINUTE_MS = 60_000
/** So many callers are told apart. */
const MAX_CALLERS = 4096

interface Used {
  bucket: Bucket
}

export class Allowance {
  private readonly rate: { readonly amount: number; readonly periodMs: number }
  private readonly callers = new Table<Used>({
    most: MAX_CALLERS,
    create: () => ({ bucket: FULL }),
    isUsed: () => false,
  })

  constructor(bytesPerMinute: number) {
    this.rate = { amount: bytesPerMinute, periodMs: MINUTE_MS }
  }

  /** How long until a caller may have a record of so many bytes, milliseconds; 0: now. */
  waitMs(caller: string, bytes: number, nowMs: number): number {
    return waitMs(
      this.callers.of(caller).bucket,
      this.rate,
      Math.min(bytes, this.rate.amount),
      nowMs,
    )
  }

  /** Less than nothing: gives back what was taken too much. */
  take(caller: string, bytes: number, nowMs: number): void {
    const used = this.callers.of(caller)
    used.bucket = take(used.bucket, this.rate, bytes, nowMs)
  }
}
