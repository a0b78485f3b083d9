import { describe, expect, test } from '@jest/globals'
import { judge, renderBudgets, renderFigures } from '../../bench/report.ts'

describe('judge', () => {
  test.each([
    { name: 'at least, on the limit', value: 3, limit: { atLeast: 3 }, ok: true },
    { name: 'at least, below', value: 2.9, limit: { atLeast: 3 }, ok: false },
    { name: 'at most, on the limit', value: 3, limit: { atMost: 3 }, ok: true },
    { name: 'at most, above', value: 3.1, limit: { atMost: 3 }, ok: false },
    { name: 'not measured', value: undefined, limit: { atMost: 3 }, ok: false },
    { name: 'not a number', value: Number.NaN, limit: { atMost: 3 }, ok: false },
  ])('$name', ({ value, limit, ok }) => {
    expect(judge('it', value, limit, 'ms').ok).toBe(ok)
  })
})

test('figures with other columns start another table', () => {
  const figures = [
    { bridge: 'floor', 'calls/s': 12_345 },
    { bridge: 'outrigger', 'calls/s': 9 },
    { figure: 'RSS', value: 1.5, unit: 'MiB' },
  ]
  expect(renderFigures(figures)).toBe(
    [
      'bridge     calls/s',
      'floor       12,345',
      'outrigger        9',
      '',
      'figure  value  unit',
      'RSS      1.50  MiB',
    ].join('\n'),
  )
})

test('a missed budget stands out', () => {
  const budgets = [
    judge('calls/s', 0.9, { atLeast: 0.85 }, 'of the floor'),
    judge('RSS', undefined, { atMost: 96 }, 'MiB'),
  ]
  expect(renderBudgets(budgets)).toBe(
    [
      'budget             measured  limit  unit',
      'calls/s, at least      0.90   0.85  of the floor  ok',
      'RSS, at most              -     96  MiB           MISSED',
    ].join('\n'),
  )
})
