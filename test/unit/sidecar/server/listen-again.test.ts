// A server that refuses the listening stream: who is asked again, and when.

import { describe, expect, test } from '@jest/globals'
import { listenAgain, pauseAfter, type Refused } from '../../../../sidecar/server/listen-again.ts'

const refused = (status: number, more: Partial<Refused> = {}): Refused => ({
  status,
  retryAfter: undefined,
  isResumed: false,
  forwards: false,
  ...more,
})
const LATER = { pauseMs: 1000, isAnew: false }
const ANEW = { pauseMs: 1000, isAnew: true }

describe('a server that refuses the listening stream', () => {
  test.each([
    ['it has none', refused(405), undefined],
    ['it has no such path', refused(404), undefined],
    ['it does not understand', refused(400), undefined],
    ['it never will', refused(501), undefined],
    ['it says something else', refused(200), undefined],
    ['it sends one elsewhere', refused(307), undefined],
    ['it still has the one that broke', refused(409), LATER],
    ['too often', refused(429), LATER],
    [
      'too often, and says until when',
      refused(429, { retryAfter: '7' }),
      { ...LATER, pauseMs: 7000 },
    ],
    ['it is not there yet', refused(503), LATER],
    ['its proxy does not reach it', refused(502), LATER],
    ['it fails', refused(500), LATER],
    ['it wants credentials that nobody has', refused(401), undefined],
    ['it wants other credentials', refused(401, { forwards: true }), LATER],
    ['it forbids it to this caller', refused(403, { forwards: true }), LATER],
    ['it does not know the event any more', refused(400, { isResumed: true }), ANEW],
    ['the same by another word', refused(404, { isResumed: true }), ANEW],
    ['it is busy, whatever the event', refused(503, { isResumed: true }), LATER],
    ['it has none any more', refused(405, { isResumed: true }), undefined],
  ])('%s', (_name, one, again) => {
    expect(listenAgain(one, 0)).toEqual(again)
  })
})

test.each([
  ['at first', 0, undefined, 1000],
  ['then twice as long', 3, undefined, 8000],
  ['a minute at most', 6, undefined, 60_000],
  ['however often', 100_000, undefined, 60_000],
  ['as long as it asks for', 0, '30', 30_000],
  ['not longer than a minute', 0, '86400', 60_000],
  ['not shorter than it would', 3, '0', 8000],
  ['a date is not read', 0, 'Sun, 29 Nov 2026 08:00:00 GMT', 1000],
  ['nor nonsense', 0, '-1', 1000],
])('the pause: %s', (_name, misses, retryAfter, ms) => {
  expect(pauseAfter(misses, retryAfter)).toBe(ms)
})
