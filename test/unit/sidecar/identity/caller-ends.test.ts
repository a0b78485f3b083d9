// When the processes of callers end that have something of them.

import { expect, test } from '@jest/globals'
import { CallerEnds } from '../../../../sidecar/identity/caller-ends.ts'

const IDLE = { sinceMs: 0, isListening: true }

const processOf = (key: string, more: object = {}) => {
  const ends: string[] = []
  return {
    caller: { key, environment: {} },
    idle: IDLE,
    giveUp: (why: string): unknown => ends.push(why),
    ends,
    ...more,
  }
}

test('a process ends with the last token of its caller that came', () => {
  const ends = new CallerEnds()
  const [ada, eve] = [processOf('ada'), processOf('eve')]
  ends.note({ key: 'ada' }, 100)
  ends.note({ key: 'eve' }, 100)
  ends.note({ key: 'ada' }, 300)
  // One that ends sooner takes nothing away.
  ends.note({ key: 'ada' }, 200)
  ends.sweep(99, [ada, eve])
  expect([ada.ends, eve.ends]).toEqual([[], []])
  ends.sweep(100, [ada, eve])
  ends.sweep(299, [ada])
  expect([ada.ends, eve.ends]).toEqual([[], ['expired']])
  ends.sweep(300, [ada])
  expect(ada.ends).toEqual(['expired'])
})

test('what is in flight is finished first', () => {
  const ends = new CallerEnds()
  ends.note({ key: 'ada' }, 100)
  const busy = processOf('ada', { idle: undefined })
  ends.sweep(500, [busy])
  expect(busy.ends).toEqual([])
  ends.sweep(600, [{ ...busy, idle: IDLE }])
  expect(busy.ends).toEqual(['expired'])
})

test('a process that has nothing of a caller is left alone, and one of a caller who is not known is not', () => {
  const ends = new CallerEnds()
  const plain = processOf('ada', { caller: { key: 'ada' } })
  const nobodys = processOf('', { caller: undefined })
  const unknown = processOf('eve')
  ends.sweep(100, [plain, nobodys, unknown])
  expect([plain.ends, nobodys.ends, unknown.ends]).toEqual([[], [], ['expired']])
})

test('so many callers are known, and of more the first is taken for gone', () => {
  const ends = new CallerEnds()
  for (let count = 0; count < 8193; count++) ends.note({ key: `${count}` }, 1000)
  const [first, second] = [processOf('0'), processOf('1')]
  ends.sweep(1, [first, second])
  expect([first.ends, second.ends]).toEqual([['expired'], []])
})
