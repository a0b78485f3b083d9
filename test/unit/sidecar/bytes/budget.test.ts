// Who may hold how much, who waits, who goes on, and who is ended for it. The whole is 64 MiB: kept events have 16 of
// them, what is small 16, what is large 16, and one large holder at a time 16 more.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { Budget, SMALL_BYTES, type Kind, type Lease } from '../../../../sidecar/bytes/budget.ts'

const MIB = 1024 * 1024

let budget: Budget
let told: string[]
let freed: number[]

beforeEach(async () => {
  // What the last test has let go is served before.
  await nextTurn()
  told = []
  freed = []
  budget = new Budget(64 * MIB, (bytes) => void freed.push(bytes))
  budget.sweep(0)
})

const holder = (name: string, kind: Kind = 'bodies', isRefusable = true): Lease =>
  budget.lease(kind, {
    isRefusable,
    granted: () => void told.push(`${name} goes on`),
    ended: () => void told.push(`${name} is ended`),
  })

describe('what is asked for', () => {
  test.each<[string, readonly number[], readonly boolean[]]>([
    ['one of any size', [16], [true]],
    ['several within the part of the large', [4, 4, 4, 4], [true, true, true, true]],
    ['one more, which the last part is lent to', [4, 4, 4, 4, 4], [true, true, true, true, true]],
    ['a second one more waits', [4, 4, 4, 4, 4, 4], [true, true, true, true, true, false]],
    ['two of the largest', [16, 16, 16], [true, true, false]],
    ['behind who waits nobody large goes first', [16, 16, 16, 1], [true, true, false, false]],
  ])('%s', (_name, mib, granted) => {
    expect(mib.map((one, index) => holder(`${index}`).ask(one * MIB))).toEqual(granted)
  })

  test('what is small never waits for what is large', () => {
    for (let count = 0; count < 10; count++) holder(`${count}`).ask(16 * MIB)
    const small = Array.from({ length: 64 }, (_, count) => holder(`small ${count}`))
    expect(small.map((lease) => lease.ask(SMALL_BYTES))).not.toContain(false)
  })

  test('a limit smaller than the largest message lets one at a time through', async () => {
    budget = new Budget(16 * MIB)
    const first = holder('first', 'lines')
    const second = holder('second', 'lines')
    expect([first.ask(16 * MIB), second.ask(16 * MIB)]).toEqual([true, false])
    first.release()
    await nextTurn()
    expect(told).toEqual(['second goes on'])
  })

  test('is told by kind, and nothing is left of it', () => {
    const leases = [holder('a'), holder('b', 'lines'), holder('c', 'lines')]
    for (const lease of leases) lease.ask(MIB)
    expect([budget.of('bodies'), budget.of('lines'), budget.of('answers')]).toEqual([
      MIB,
      2 * MIB,
      0,
    ])
    for (const lease of leases) lease.release()
    for (const lease of leases) lease.release()
    expect([budget.of('bodies'), budget.of('lines')]).toEqual([0, 0])
    expect(freed).toEqual([MIB, MIB, MIB])
  })
})

describe('a text that grows', () => {
  test('is counted as it is while it is small, then by room that doubles before it is filled', () => {
    const lease = holder('a')
    const seen = [1, 64 * 1024, 130 * 1024, 200 * 1024, 300 * 1024, 4 * MIB].map((bytes) => {
      lease.reads(bytes, 4 * MIB)
      return lease.bytes / 1024
    })
    expect(seen).toEqual([1 / 1024, 64, 194, 388, 388, 4096])
  })

  test('two that each hold half of what they need never wait for each other', async () => {
    const [first, second] = [holder('first', 'lines'), holder('second', 'lines')]
    first.reads(7 * MIB, 16 * MIB)
    second.reads(7 * MIB, 16 * MIB)
    expect(first.reads(14 * MIB, 16 * MIB)).toBe(true)
    expect(second.reads(14 * MIB, 16 * MIB)).toBe(false)
    first.release()
    await nextTurn()
    expect(told).toEqual(['second goes on'])
  })
})

describe('what was admitted already', () => {
  test('is kept in the parts of what is large, and never waits', () => {
    const answers = Array.from({ length: 3 }, () => budget.lease('answers'))
    expect(answers.map((lease) => lease.keep(16 * MIB))).toEqual([true, true, false])
    expect(budget.waits).toBe(0)
  })

  test('may be larger than these where it is alone', () => {
    const answers = [budget.lease('answers'), budget.lease('answers')]
    expect(answers.map((lease) => lease.keep(40 * MIB))).toEqual([true, false])
  })

  test('what is small is kept while there is any room', () => {
    for (const kind of ['answers', 'inputs'] as const) budget.lease(kind).keep(16 * MIB)
    const small = Array.from({ length: 257 }, () => budget.lease('bodies').keep(SMALL_BYTES))
    expect([small.lastIndexOf(true), small.indexOf(false)]).toEqual([255, 256])
  })

  test('kept events have their part and no more', () => {
    const [first, second] = [budget.lease('events'), budget.lease('events')]
    expect([first.keep(12 * MIB), second.keep(5 * MIB), second.keep(4 * MIB)]).toEqual([
      true,
      false,
      true,
    ])
    expect(holder('a').ask(16 * MIB)).toBe(true)
  })

  test('a reader is held up by what its answers take', () => {
    const answer = budget.lease('answers')
    answer.keep(20 * MIB)
    const line = holder('line', 'lines')
    expect(line.ask(MIB)).toBe(false)
  })
})

describe('who waits', () => {
  test('goes on in order when there is room, not before the next turn', async () => {
    const first = holder('first')
    first.ask(16 * MIB)
    holder('second').ask(16 * MIB)
    const waiting = ['third', 'fourth', 'fifth'].map((name) => holder(name))
    for (const lease of waiting) lease.ask(8 * MIB)
    first.release()
    expect(told).toEqual([])
    await nextTurn()
    expect(told).toEqual(['third goes on'])
    expect(budget.waits).toBe(2)
  })

  test('and has gone is not waited for', async () => {
    const first = holder('first')
    first.ask(16 * MIB)
    holder('second').ask(16 * MIB)
    const gone = holder('gone')
    gone.ask(16 * MIB)
    gone.release()
    first.release()
    await nextTurn()
    expect([told, budget.waits]).toEqual([[], 0])
  })

  test('too long and can be refused is ended, others hold up their peers', () => {
    holder('first').ask(16 * MIB)
    holder('second').ask(16 * MIB)
    holder('body').ask(4 * MIB)
    holder('line', 'lines', false).ask(4 * MIB)
    budget.sweep(900)
    expect(told).toEqual([])
    budget.sweep(10_000)
    expect(told).toContain('body is ended')
    expect(told).not.toContain('line is ended')
  })
})

describe('who keeps others waiting without getting on', () => {
  test.each<[string, number, readonly string[]]>([
    ['has some time', 4999, []],
    ['is ended then, the largest first', 5000, ['large is ended']],
  ])('%s', (_name, afterMs, expected) => {
    const small = holder('smaller')
    small.ask(4 * MIB)
    holder('large').ask(16 * MIB)
    holder('moving').ask(MIB)
    holder('waiting', 'lines', false).ask(16 * MIB)
    budget.sweep(afterMs)
    expect(told).toEqual(expected)
    expect(budget.ends.bodies).toBe(expected.length)
  })

  test('who has got on meanwhile is left', () => {
    const moving = holder('moving')
    moving.ask(16 * MIB)
    holder('stalled').ask(8 * MIB)
    holder('waiting', 'lines', false).ask(16 * MIB)
    budget.sweep(4000)
    moving.touch()
    budget.sweep(6000)
    expect(told).toEqual(['stalled is ended'])
  })

  test.each<[string, number, readonly string[]]>([
    ['the small that cannot wait are refused: the stalled make room', 5000, ['stalled is ended']],
    ['nobody has been refused for a while', 6000, []],
  ])('%s', (_name, afterMs, expected) => {
    holder('stalled', 'answers').keep(40 * MIB)
    for (let count = 0; count < 192; count++) budget.lease('answers').keep(SMALL_BYTES)
    budget.sweep(5000)
    expect(holder('small').keep(1)).toBe(false)
    budget.sweep(afterMs)
    expect(told).toEqual(expected)
  })

  test('where nobody waits, nobody is ended', () => {
    holder('a').ask(16 * MIB)
    budget.sweep(60_000)
    expect(told).toEqual([])
  })

  test('what is small is not ended for what is large', () => {
    holder('small').ask(SMALL_BYTES)
    const answer = budget.lease('answers')
    answer.keep(32 * MIB)
    holder('waiting', 'lines', false).ask(16 * MIB)
    budget.sweep(9000)
    expect(told).toEqual([])
  })
})

describe('work on what is large', () => {
  test('is done one in a turn', async () => {
    for (const name of ['a', 'b']) budget.inTurn(() => void told.push(name))
    expect(told).toEqual([])
    await nextTurn()
    expect(told).toEqual(['a'])
    await nextTurn()
    expect(told).toEqual(['a', 'b'])
  })
})
