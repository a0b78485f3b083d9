import { describe, expect, test } from '@jest/globals'
import { DueKeys } from '../../../../webhook/controller/due-keys.ts'
import { chanceOf } from '../../../support/chance.ts'

const taken = (keys: DueKeys, nowMs: number): readonly number[] => {
  const found: number[] = []
  for (let due = keys.take(nowMs); due; due = keys.take(nowMs)) found.push(due.untilMs)
  return found
}

const filled = (times: readonly number[]): DueKeys => {
  const keys = new DueKeys()
  for (const untilMs of times) keys.add({ key: `k${untilMs}`, untilMs })
  return keys
}

describe('keys that wait for their times', () => {
  test.each<[string, readonly number[]]>([
    ['none', []],
    ['one', [5]],
    ['in their order', [1, 2, 3, 4, 5, 6, 7]],
    ['the other way round', [7, 6, 5, 4, 3, 2, 1]],
    ['some of one time', [3, 1, 3, 2, 1, 3]],
  ])('%s', (_name, times) => {
    const keys = filled(times)
    expect(keys.first?.untilMs).toBe(times.length === 0 ? undefined : Math.min(...times))
    expect(taken(keys, Infinity)).toEqual([...times].toSorted((one, other) => one - other))
    expect(keys.size).toBe(0)
  })

  test.each(Array.from({ length: 50 }, (_none, seed) => seed))(
    'come out in order, whatever is added meanwhile: seed %d',
    (seed) => {
      const chance = chanceOf(seed)
      const keys = new DueKeys()
      let there: number[] = []
      for (let round = 0; round < 40; round += 1) {
        for (let many = chance(20); many > 0; many -= 1) {
          const untilMs = chance(100)
          keys.add({ key: 'k', untilMs })
          there.push(untilMs)
        }
        const nowMs = chance(100)
        const due = there.filter((untilMs) => untilMs <= nowMs)
        expect(taken(keys, nowMs)).toEqual(due.toSorted((one, other) => one - other))
        there = there.filter((untilMs) => untilMs > nowMs)
        expect(keys.size).toBe(there.length)
      }
    },
  )

  test('what nobody wants any more is let go of', () => {
    const keys = filled([5, 3, 9, 1, 7])
    keys.keep(({ untilMs }) => untilMs > 4)
    expect(keys.size).toBe(3)
    expect(taken(keys, Infinity)).toEqual([5, 7, 9])
  })
})
