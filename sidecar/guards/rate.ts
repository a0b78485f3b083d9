// A token bucket as one number: when it will be full again, if nothing more is taken. Pure.

import type { Rate } from '../../shared/limits.ts'

/** In milliseconds of the caller's clock; what lies behind is full. */
export type Bucket = number

export const FULL: Bucket = -Infinity

/** What sums of fractions may be off by. */
const GRAIN_MS = 0.01

/** The bucket after so many more. */
export const take = (
  bucket: Bucket,
  { amount, periodMs }: Rate,
  count: number,
  nowMs: number,
): Bucket => Math.max(bucket, nowMs) + (count * periodMs) / amount

/** How long until so many are there; Infinity where it never holds as many. */
export const waitMs = (bucket: Bucket, rate: Rate, count: number, nowMs: number): number => {
  if (count > rate.amount) return Infinity
  const wait = take(bucket, rate, count, nowMs) - rate.periodMs - nowMs
  return wait > GRAIN_MS ? wait : 0
}
