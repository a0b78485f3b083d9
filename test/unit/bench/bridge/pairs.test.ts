import { describe, expect, test } from '@jest/globals'
import { compare, type Pair, type Window } from '../../../bench/bridge/pairs.ts'

const window = (callsPerSecond: number, cpuPerCall: number): Window => ({
  callsPerSecond,
  cpuPerCall,
  p50Ms: 1000 / callsPerSecond,
  p99Ms: 4000 / callsPerSecond,
})

const pair = (ours: Window, theirs: Window): Pair => ({ ours, theirs })

describe('two contenders in neighbouring windows', () => {
  test.each([
    {
      name: 'alike',
      pairs: [pair(window(100, 50), window(100, 50))],
      calls: { lower: 1, median: 1, upper: 1 },
      cpu: { lower: 1, median: 1, upper: 1 },
    },
    {
      name: 'ours at half the speed and double the cost',
      pairs: [pair(window(50, 100), window(100, 50))],
      calls: { lower: 0.5, median: 0.5, upper: 0.5 },
      cpu: { lower: 2, median: 2, upper: 2 },
    },
    {
      name: 'a machine that slows down by half between the pairs',
      pairs: [
        pair(window(80, 60), window(100, 50)),
        pair(window(40, 120), window(50, 100)),
        pair(window(20, 240), window(25, 200)),
      ],
      calls: { lower: 0.8, median: 0.8, upper: 0.8 },
      cpu: { lower: 1.2, median: 1.2, upper: 1.2 },
    },
    {
      name: 'one window of five disturbed',
      pairs: [
        pair(window(90, 55), window(100, 50)),
        pair(window(90, 55), window(100, 50)),
        pair(window(1, 5000), window(100, 50)),
        pair(window(90, 55), window(100, 50)),
        pair(window(90, 55), window(100, 50)),
      ],
      calls: { lower: 0.9, median: 0.9, upper: 0.9 },
      cpu: { lower: 1.1, median: 1.1, upper: 1.1 },
    },
    {
      name: 'pairs that differ',
      pairs: [0.7, 0.9, 0.8, 1, 0.6].map((ratio) =>
        pair(window(100 * ratio, 50 / ratio), window(100, 50)),
      ),
      calls: { lower: 0.7, median: 0.8, upper: 0.9 },
      cpu: { lower: 1 / 0.9, median: 1 / 0.8, upper: 1 / 0.7 },
    },
  ])('$name', ({ pairs, calls, cpu }) => {
    const comparison = compare(pairs)
    const shown = [calls.lower, calls.median, calls.upper, cpu.lower, cpu.median, cpu.upper]
    const { calls: ours, cpu: cost } = comparison
    const found = [ours.lower, ours.median, ours.upper, cost.lower, cost.median, cost.upper]
    found.forEach((value, index) => expect(value).toBeCloseTo(shown[index] ?? Number.NaN, 12))
  })

  test('latency is what ours adds within a pair, its median over the pairs', () => {
    const slow = pair(window(50, 50), window(100, 50))
    const { p50AddedMs, p99AddedMs } = compare([slow, slow, pair(window(10, 50), window(10, 50))])
    expect(p50AddedMs).toBe(10)
    expect(p99AddedMs).toBe(40)
  })

  test('either has the medians of its own windows', () => {
    const { ours, theirs } = compare([
      pair(window(10, 1), window(40, 4)),
      pair(window(20, 2), window(50, 5)),
      pair(window(30, 3), window(60, 6)),
    ])
    expect([ours.callsPerSecond, ours.cpuPerCall]).toEqual([20, 2])
    expect([theirs.callsPerSecond, theirs.cpuPerCall]).toEqual([50, 5])
  })

  test('nothing measured is not a number, which no budget takes', () => {
    expect(compare([]).calls.median).toBeNaN()
  })
})
