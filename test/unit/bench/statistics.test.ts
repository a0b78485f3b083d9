import { describe, expect, test } from '@jest/globals'
import { median, medianError, quartiles } from '../../bench/statistics.ts'

describe('median', () => {
  test.each([
    { name: 'nothing', values: [], expected: undefined },
    { name: 'one', values: [3], expected: 3 },
    { name: 'odd', values: [9, 1, 5], expected: 5 },
    { name: 'even', values: [4, 1, 3, 2], expected: 2.5 },
    { name: 'numbers that sort otherwise as text', values: [10, 9, 100], expected: 10 },
  ])('of $name', ({ values, expected }) => {
    expect(median(values)).toBe(expected)
  })
})

describe('quartiles', () => {
  test.each([
    { name: 'nothing', values: [], expected: undefined },
    { name: 'one', values: [3], expected: { lower: 3, median: 3, upper: 3 } },
    { name: 'two', values: [2, 1], expected: { lower: 1.25, median: 1.5, upper: 1.75 } },
    {
      name: 'places between',
      values: [4, 1, 3, 2],
      expected: { lower: 1.75, median: 2.5, upper: 3.25 },
    },
    {
      name: 'places that are taken',
      values: [5, 4, 3, 2, 1],
      expected: { lower: 2, median: 3, upper: 4 },
    },
    {
      name: 'one that is far off',
      values: [1, 1, 1, 1, 1000],
      expected: { lower: 1, median: 1, upper: 1 },
    },
  ])('of $name', ({ values, expected }) => {
    expect(quartiles(values)).toEqual(expected)
  })

  test('leave what they were given in its order', () => {
    const values = [3, 1, 2]
    quartiles(values)
    expect(values).toEqual([3, 1, 2])
  })
})

describe('the error of a median', () => {
  test.each([
    { name: 'one', values: [3], expected: undefined },
    { name: 'values that are alike', values: [2, 2, 2], expected: 0 },
    { name: 'two', values: [1, 3], expected: Math.sqrt(Math.PI / 2) },
    { name: 'four times as many, half', values: [1, 3, 1, 3, 1, 3, 1, 3], expected: 0.474 },
  ])('of $name', ({ values, expected }) => {
    const error = medianError(values)
    if (expected === undefined) expect(error).toBeUndefined()
    else expect(error).toBeCloseTo(expected, 3)
  })
})
