// The token bucket at its edges: what is taken of 6 a minute, and how long the next one waits.

import { expect, test } from '@jest/globals'
import { FULL, take, waitMs } from '../../../../sidecar/guards/rate.ts'

const RATE = { amount: 6, periodMs: 60_000 }

type Step = readonly [nowMs: number, count: number, waitMs: number]

test.each<[string, readonly Step[]]>([
  ['one', [[0, 1, 0]]],
  ['as many as there are, at once', [[0, 6, 0]]],
  [
    'one by one, and one too many',
    [
      [0, 1, 0],
      [0, 1, 0],
      [0, 1, 0],
      [0, 1, 0],
      [0, 1, 0],
      [0, 1, 0],
      [0, 1, 10_000],
    ],
  ],
  [
    'one comes back each ten seconds',
    [
      [0, 6, 0],
      [9_999, 1, 1],
      [10_000, 1, 0],
      [10_000, 1, 10_000],
    ],
  ],
  [
    'several wait for as many',
    [
      [0, 6, 0],
      [0, 3, 30_000],
      [30_000, 3, 0],
    ],
  ],
  [
    'who is refused has taken nothing',
    [
      [0, 6, 0],
      [5_000, 1, 5_000],
      [5_000, 1, 5_000],
      [10_000, 1, 0],
    ],
  ],
  [
    'a long pause gives no more than there are',
    [
      [0, 6, 0],
      [86_400_000, 6, 0],
      [86_400_000, 1, 10_000],
    ],
  ],
  ['more than there ever are', [[0, 7, Infinity]]],
  [
    'a clock that goes back gives nothing',
    [
      [60_000, 6, 0],
      [0, 1, 70_000],
    ],
  ],
])('%s', (_name, steps) => {
  let bucket = FULL
  for (const [nowMs, count, wait] of steps) {
    expect(waitMs(bucket, RATE, count, nowMs)).toBe(wait)
    if (wait === 0) bucket = take(bucket, RATE, count, nowMs)
  }
})

test.each([
  ['a seventh', { amount: 7, periodMs: 1000 }],
  ['a millionth', { amount: 1_000_000, periodMs: 3_600_000 }],
])('no fraction is lost: %s', (_name, rate) => {
  const nowMs = 987_654_321.123
  let bucket = FULL
  for (let count = 0; count < Math.min(rate.amount, 10_000); count++) {
    expect(waitMs(bucket, rate, 1, nowMs)).toBe(0)
    bucket = take(bucket, rate, 1, nowMs)
  }
  if (rate.amount < 10_000) expect(waitMs(bucket, rate, 1, nowMs)).toBeGreaterThan(100)
})
