// The circuit breaker's table: in each state, what each event makes of it. Three failures in a row open it for 10 s.

import { describe, expect, test } from '@jest/globals'
import {
  closedForMs,
  CLOSED,
  entered,
  left,
  type Breaker,
} from '../../../../sidecar/guards/breaker.ts'
import { FAULTS, type FaultCode } from '../../../../sidecar/mcp/faults.ts'

const RULE = { failures: 3, pauseMs: 10_000 }
const NOW_MS = 5000
const last = 'server-exited'
const closed = (failures: number): Breaker => ({ state: 'closed', failures })
const open = (untilMs: number): Breaker => ({ state: 'open', untilMs, last })
const trying = (sinceMs: number): Breaker => ({ state: 'half-open', sinceMs, last })

describe('a request is over', () => {
  test.each<[string, Breaker, FaultCode | undefined, Breaker]>([
    ['closed: answered', closed(0), undefined, CLOSED],
    ['closed: answered after failures', closed(2), undefined, CLOSED],
    ['closed: failed', closed(0), last, closed(1)],
    ['closed: failed again', closed(1), 'request-timeout', closed(2)],
    ['closed: failed for the last time', closed(2), last, open(15_000)],
    ['closed: cancelled by its client', closed(2), 'request-cancelled', closed(2)],
    ['open: answered, what had begun before', open(9000), undefined, open(9000)],
    ['open: failed', open(9000), last, open(9000)],
    ['open: cancelled', open(9000), 'request-cancelled', open(9000)],
    ['half-open: answered', trying(4000), undefined, CLOSED],
    ['half-open: failed', trying(4000), last, open(15_000)],
    [
      'half-open: cancelled, so that the next one tries',
      trying(4000),
      'request-cancelled',
      trying(-Infinity),
    ],
  ])('%s', (_name, breaker, fault, after) => {
    expect(left(breaker, fault, RULE, NOW_MS)).toEqual(after)
  })

  test('what counts is what the server has done', () => {
    const codes = Object.keys(FAULTS).filter((code): code is FaultCode => code in FAULTS)
    const counted = codes.filter((code) => left(CLOSED, code, RULE, NOW_MS) !== CLOSED)
    expect(counted.sort()).toEqual([
      'request-timeout',
      'server-exited',
      'server-failed',
      'server-not-reading',
      'server-not-started',
      'unusable-answer',
    ])
  })
})

describe('a request comes', () => {
  test.each<[string, Breaker, waitMs: number, Breaker | undefined]>([
    ['closed', closed(2), 0, closed(2)],
    ['open', open(9000), 4000, undefined],
    ['open, and the pause is over', open(5000), 0, trying(NOW_MS)],
    ['half-open, and one tries', trying(4000), 9000, undefined],
    ['half-open, and who tried has found out nothing', trying(-Infinity), 0, trying(NOW_MS)],
    ['half-open, and who tries does not end', trying(-5000), 0, trying(NOW_MS)],
  ])('%s', (_name, breaker, waitMs, after) => {
    expect(closedForMs(breaker, RULE, NOW_MS)).toBe(waitMs)
    if (after) expect(entered(breaker, NOW_MS)).toEqual(after)
  })
})
