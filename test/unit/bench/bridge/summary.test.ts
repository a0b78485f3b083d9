import { describe, expect, test } from '@jest/globals'
import { FULL, MAIN_CELL, MODERN_CELL, PEER_CELLS, type Cell } from '../../../bench/bridge/cells.ts'
import type { Result } from '../../../bench/bridge/matches.ts'
import { compare } from '../../../bench/bridge/pairs.ts'
import { toBudgets, toBuildBudgets, toFigures } from '../../../bench/bridge/summary.ts'

type Costs = { readonly calls?: number; readonly cpu?: number; readonly ms?: number }

/** Ours against a rival of 10,000 calls a second at 60 us, at the ratios given. */
const result = (cell: Cell, rival: string, costs: Costs): Result => {
  const { calls = 1, cpu = 1, ms = 0 } = costs
  const theirs = { callsPerSecond: 10_000, cpuPerCall: 60, p50Ms: 0.5, p99Ms: 2 }
  const ours = {
    callsPerSecond: theirs.callsPerSecond * calls,
    cpuPerCall: theirs.cpuPerCall * cpu,
    p50Ms: theirs.p50Ms + ms,
    p99Ms: theirs.p99Ms + ms,
  }
  const errors = { calls: 0.01, cpu: undefined }
  const residentMib = { ours: 70 + 10 * ms, theirs: 100 }
  return { cell, rival, ...compare([{ ours, theirs }]), rounds: 1, errors, residentMib }
}

/** A full run at the same ratios in every cell. */
const run = (costs: Costs, besidePeers: number): Result[] => [
  ...FULL.map((cell) => result(cell, 'floor', costs)),
  ...PEER_CELLS.flatMap((cell) => [
    result(cell, 'supergateway', { calls: besidePeers }),
    result(cell, 'mcp-proxy', { calls: besidePeers + 1 }),
  ]),
]

const missed = (budgets: ReturnType<typeof toBudgets>): string[] =>
  budgets.filter(({ ok }) => !ok).map(({ name }) => name)

describe('budgets of the bridge bench', () => {
  test.each([
    { name: 'as good as the floor', results: run({}, 4), expected: [] },
    {
      name: 'enough for few callers, not for many',
      results: run({ calls: 0.87 }, 4),
      expected: ['64 x 100 B, legacy: calls/s, at least', '64 x 100 B, modern: calls/s, at least'],
    },
    {
      name: 'too dear for many callers, not for few',
      results: run({ cpu: 1.12 }, 4),
      expected: [
        '64 x 100 B, legacy: CPU per call, at most',
        '64 x 100 B, modern: CPU per call, at most',
      ],
    },
    {
      name: 'too dear',
      results: run({ cpu: 1.2 }, 4),
      expected: [
        '8 x 100 B, legacy: CPU per call, at most',
        '1 x 100 B, legacy: CPU per call, at most',
        '64 x 100 B, legacy: CPU per call, at most',
        '8 x 100 B, modern: CPU per call, at most',
        '1 x 100 B, modern: CPU per call, at most',
        '64 x 100 B, modern: CPU per call, at most',
        '8 x 64 KiB members, legacy: CPU per call, at most',
      ],
    },
    {
      name: 'too slow',
      results: run({ calls: 0.8 }, 4),
      expected: [
        '8 x 100 B, legacy: calls/s, at least',
        '1 x 100 B, legacy: calls/s, at least',
        '64 x 100 B, legacy: calls/s, at least',
        '8 x 100 B, modern: calls/s, at least',
        '1 x 100 B, modern: calls/s, at least',
        '64 x 100 B, modern: calls/s, at least',
        '8 x 64 KiB members, legacy: calls/s, at least',
      ],
    },
    {
      name: 'one npm bridge too near',
      results: run({}, 2.9),
      expected: ['8 x 100 B, legacy: calls/s, at least'],
    },
    {
      name: 'too late, and too large',
      results: run({ ms: 2.7 }, 4),
      expected: [
        '8 x 100 B, legacy: p50 added, at most',
        '8 x 100 B, legacy: p99 added, at most',
        '8 x 100 B, modern: p50 added, at most',
        '8 x 100 B, modern: p99 added, at most',
        '64 x 64 KiB string, legacy: RSS after the load, at most',
      ],
    },
  ])('$name', ({ results, expected }) => {
    expect(missed(toBudgets(results, FULL))).toEqual(expected)
  })

  test('nothing measured: none is kept', () => {
    const budgets = toBudgets([], FULL)
    expect(budgets.length).toBeGreaterThan(10)
    expect(missed(budgets)).toHaveLength(budgets.length)
  })

  test('a cell that was not asked for has none', () => {
    const names = toBudgets([], [MODERN_CELL]).map(({ name }) => name)
    expect(names).toHaveLength(4)
    for (const name of names) expect(name).toMatch(/^8 x 100 B, modern: /)
  })

  test('one npm bridge that could not be measured is no victory over it', () => {
    const results = run({}, 4).filter(({ rival }) => rival !== 'supergateway')
    expect(missed(toBudgets(results, FULL))).toEqual(['8 x 100 B, legacy: calls/s, at least'])
  })
})

describe('budgets of a build beside the one before', () => {
  test.each([
    { name: 'alike', costs: {}, expected: [true, true] },
    { name: 'better', costs: { calls: 1.2, cpu: 0.8 }, expected: [true, true] },
    { name: 'within 0.03', costs: { calls: 0.975, cpu: 1.025 }, expected: [true, true] },
    { name: 'slower', costs: { calls: 0.96 }, expected: [false, true] },
    { name: 'dearer', costs: { cpu: 1.04 }, expected: [true, false] },
  ])('$name', ({ costs, expected }) => {
    const results = [result(MAIN_CELL, 'before', costs)]
    expect(toBuildBudgets(results, [MAIN_CELL]).map(({ ok }) => ok)).toEqual(expected)
  })

  test('a cell that could not be measured is missed', () => {
    expect(toBuildBudgets([], [MAIN_CELL]).map(({ ok }) => ok)).toEqual([false, false])
  })
})

test('figures: what either did, then how ours compares', () => {
  const [did, compared, ...more] = toFigures([result(MAIN_CELL, 'floor', { calls: 0.5, cpu: 2 })])
  expect(more).toEqual([])
  expect(did).toEqual({
    cell: '8 x 100 B, legacy',
    beside: 'floor',
    'calls/s': 5000,
    theirs: 10_000,
    'CPU us/call': 120,
    'theirs ': 60,
    'RSS MiB': 70,
    'theirs  ': 100,
  })
  expect(compared).toEqual({
    cell: '8 x 100 B, legacy',
    beside: 'floor',
    rounds: 1,
    'calls/s ratio': 0.5,
    '±': '0.010',
    q1: 0.5,
    q3: 0.5,
    'CPU ratio': 2,
    '± ': '',
    'q1 ': 2,
    'q3 ': 2,
    'p50 added ms': 0,
    'p99 added ms': 0,
  })
})
