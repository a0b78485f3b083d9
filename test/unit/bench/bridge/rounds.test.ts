import { describe, expect, test } from '@jest/globals'
import {
  errorsOf,
  needsAnother,
  planOf,
  type Round,
  type RoundPlan,
} from '../../../bench/bridge/rounds.ts'

const PLAN: RoundPlan = { least: 4, most: 8, withinMs: 1000 }

/** Rounds with these ratios of calls, whose CPU is alike unless told otherwise. */
const rounds = (calls: readonly number[], cpu: readonly number[] = []): Round[] =>
  calls.map((one, index) => ({ calls: one, cpu: cpu[index] ?? 1 }))

describe('rounds of a cell', () => {
  test.each([
    { name: 'none yet', done: [], expected: true },
    { name: 'alike, but too few', done: rounds([1, 1, 1]), expected: true },
    { name: 'alike', done: rounds([1, 1, 1, 1]), expected: false },
    { name: 'nearly alike', done: rounds([0.99, 1, 1.01, 1]), expected: false },
    { name: 'apart', done: rounds([0.9, 1, 1.1, 1]), expected: true },
    { name: 'alike in calls only', done: rounds([1, 1, 1, 1], [1, 1.2, 1, 1.2]), expected: true },
    {
      name: 'apart, as often as they may be',
      done: rounds([0.9, 1.1, 0.9, 1.1, 0.9, 1.1, 0.9, 1.1]),
      expected: false,
    },
    {
      name: 'as far apart as four that are not known, and more of them',
      done: rounds([0.98, 1.01, 0.98, 1.01, 0.98, 1.01, 0.98, 1.01].slice(0, 7)),
      expected: false,
    },
  ])('$name: another is needed: $expected', ({ done, expected }) => {
    expect(needsAnother(PLAN, done)).toBe(expected)
  })

  test('four as far apart as that are too few', () => {
    expect(needsAnother(PLAN, rounds([0.98, 1.01, 0.98, 1.01]))).toBe(true)
  })

  test('one round says nothing of its error', () => {
    expect(errorsOf(rounds([1]))).toEqual({ calls: undefined, cpu: undefined })
  })

  test.each([
    { name: 'a smoke run', quick: true, rounds: 5, least: 1, most: 1 },
    { name: 'a number that was asked for', quick: false, rounds: 5, least: 5, most: 5 },
    { name: 'nothing was asked for', quick: false, rounds: undefined, least: 4, most: 8 },
  ])('$name: at least $least, at most $most', ({ quick, rounds, least, most }) => {
    expect(planOf({ quick, rounds }, PLAN)).toMatchObject({ least, most })
  })
})
