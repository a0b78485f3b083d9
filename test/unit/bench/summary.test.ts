import { describe, expect, test } from '@jest/globals'
import { MAIN_CELL, SHARED_CELL, type Cell } from '../../bench/bridge/cells.ts'
import type { Sample } from '../../bench/bridge/rounds.ts'
import { toBudgets, toFigures } from '../../bench/bridge/summary.ts'

type Costs = Partial<Omit<Sample, 'cell' | 'contender'>>

const sample = (cell: Cell, contender: string, costs: Costs = {}): Sample => ({
  cell,
  contender,
  callsPerSecond: 10_000,
  p50Ms: 0.5,
  p99Ms: 2,
  cpuPerCall: 60,
  ...costs,
})

const round = (ours: Costs, floor: Costs = {}): Sample[] => [
  sample(MAIN_CELL, 'outrigger', ours),
  sample(MAIN_CELL, 'floor', floor),
  sample(MAIN_CELL, 'supergateway', { callsPerSecond: 2500 }),
  sample(MAIN_CELL, 'mcp-proxy', { callsPerSecond: 2000 }),
  sample(SHARED_CELL, 'outrigger', ours),
  sample(SHARED_CELL, 'floor', floor),
]

const verdicts = (samples: readonly Sample[]): (readonly [number | undefined, boolean])[] =>
  toBudgets(samples).map(({ value, ok }) => [value, ok] as const)

describe('budgets of the bridge bench', () => {
  test.each([
    {
      name: 'as good as the floor: all are kept',
      samples: round({}),
      expected: [
        [1, true],
        [4, true],
        [1, true],
        [0, true],
        [0, true],
        [1, true],
      ],
    },
    {
      name: 'half as fast at double the cost: all are missed',
      samples: round({ callsPerSecond: 5000, p50Ms: 1, p99Ms: 4.5, cpuPerCall: 120 }),
      expected: [
        [0.5, false],
        [2, false],
        [2, false],
        [0.5, false],
        [2.5, false],
        [0.5, false],
      ],
    },
    {
      name: 'a slow round of the machine is in both terms',
      samples: [
        ...round({}),
        ...round({ callsPerSecond: 1000 }, { callsPerSecond: 1000 }),
        ...round({}),
      ],
      expected: [
        [1, true],
        [4, true],
        [1, true],
        [0, true],
        [0, true],
        [1, true],
      ],
    },
    {
      name: 'nothing measured: none is kept',
      samples: [],
      expected: [
        [undefined, false],
        [undefined, false],
        [undefined, false],
        [undefined, false],
        [undefined, false],
        [undefined, false],
      ],
    },
  ])('$name', ({ samples, expected }) => {
    expect(verdicts(samples)).toEqual(expected)
  })
})

test('figures are medians over the rounds, a row for each cell and bridge', () => {
  const speeds = [100, 300, 200]
  const samples = speeds.map((callsPerSecond) => sample(MAIN_CELL, 'floor', { callsPerSecond }))
  expect(toFigures(samples)).toEqual([
    {
      connections: 8,
      body: '100 B',
      era: 'legacy',
      children: 'own',
      bridge: 'floor',
      'calls/s': 200,
      'p50 ms': 0.5,
      'p99 ms': 2,
      'CPU us/call': 60,
    },
  ])
})
