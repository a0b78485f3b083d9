import { describe, expect, test } from '@jest/globals'
import { cellName, cellsNamed, FULL } from '../../../bench/bridge/cells.ts'

describe('cells by name', () => {
  test.each([
    { name: 'one', parts: ['8 x 100 B, legacy'], expected: ['8 x 100 B, legacy'] },
    {
      name: 'some',
      parts: ['100 B, modern'],
      expected: ['8 x 100 B, modern', '1 x 100 B, modern', '64 x 100 B, modern'],
    },
    {
      name: 'several parts, each cell once and in the bench’s order',
      parts: ['shared', '64 x 100 B'],
      expected: ['64 x 100 B, legacy', '64 x 100 B, modern', '64 x 100 B, legacy, shared child'],
    },
    { name: 'none: all', parts: [], expected: FULL.map(cellName) },
  ])('$name', ({ parts, expected }) => {
    expect(cellsNamed(FULL, parts).map(cellName)).toEqual(expected)
  })

  test('a part of no name is refused with the names', () => {
    expect(() => cellsNamed(FULL, ['modern', '9 x'])).toThrow(
      /--cell '9 x'.*\n {2}8 x 100 B, legacy/,
    )
  })

  test('no two cells have one name', () => {
    expect(new Set(FULL.map(cellName)).size).toBe(FULL.length)
  })
})
