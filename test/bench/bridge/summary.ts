// From samples to figures and budgets. Pure. Ratios are taken within a round, then the median: what
// else the machine did in that round is in both of its terms.

import { judge, median, type Budget, type Figure } from '../report.ts'
import { MAIN_CELL, SHARED_CELL, type Cell } from './cells.ts'
import type { Sample } from './rounds.ts'

type Quantity = 'callsPerSecond' | 'p50Ms' | 'p99Ms' | 'cpuPerCall'

const PEERS = ['supergateway', 'mcp-proxy'] as const

const key = ({ group, era, connections, shape }: Cell): string =>
  [group, era, connections, shape].join()

const valuesOf = (
  samples: readonly Sample[],
  cell: Cell,
  contender: string,
  quantity: Quantity,
): number[] =>
  samples
    .filter((one) => one.contender === contender && key(one.cell) === key(cell))
    .map((one) => one[quantity])

/** One row a cell and contender, medians over the rounds. */
export const toFigures = (samples: readonly Sample[]): Figure[] => {
  const rows = Map.groupBy(samples, ({ cell, contender }) => `${key(cell)},${contender}`)
  return [...rows.values()].flatMap((all) => {
    const [first] = all
    if (first === undefined) return []
    const middle = (quantity: Quantity): number => median(all.map((one) => one[quantity])) ?? 0
    return [
      {
        connections: first.cell.connections,
        body: first.cell.shape,
        era: first.cell.era,
        children: first.cell.group === 'shared' ? 'one shared' : 'own',
        bridge: first.contender,
        'calls/s': Math.round(middle('callsPerSecond')),
        'p50 ms': middle('p50Ms'),
        'p99 ms': middle('p99Ms'),
        'CPU us/call': middle('cpuPerCall'),
      },
    ]
  })
}

type Combine = (ours: number, theirs: number) => number

const compare = (
  samples: readonly Sample[],
  cell: Cell,
  other: string,
  [quantity, combine]: readonly [Quantity, Combine],
): number | undefined => {
  const theirs = valuesOf(samples, cell, other, quantity)
  const pairs = valuesOf(samples, cell, 'outrigger', quantity).flatMap((ours, round) => {
    const their = theirs[round]
    return their === undefined ? [] : [combine(ours, their)]
  })
  return median(pairs)
}

const ratio: Combine = (ours, theirs) => ours / theirs
const added: Combine = (ours, theirs) => ours - theirs

const overBetterPeer = (samples: readonly Sample[]): number | undefined => {
  const ratios = PEERS.flatMap(
    (peer) => compare(samples, MAIN_CELL, peer, ['callsPerSecond', ratio]) ?? [],
  )
  return ratios.length === PEERS.length ? Math.min(...ratios) : undefined
}

/** The budgets that the load decides. */
export const toBudgets = (samples: readonly Sample[]): Budget[] => {
  const floor = (cell: Cell, quantity: Quantity, combine: Combine): number | undefined =>
    compare(samples, cell, 'floor', [quantity, combine])
  return [
    judge('calls/s', floor(MAIN_CELL, 'callsPerSecond', ratio), { atLeast: 0.85 }, 'of the floor'),
    judge('calls/s', overBetterPeer(samples), { atLeast: 3 }, 'times the better npm bridge'),
    judge('CPU per call', floor(MAIN_CELL, 'cpuPerCall', ratio), { atMost: 1.25 }, 'of the floor'),
    judge('p50 added', floor(MAIN_CELL, 'p50Ms', added), { atMost: 0.3 }, 'ms over the floor'),
    judge('p99 added', floor(MAIN_CELL, 'p99Ms', added), { atMost: 2 }, 'ms over the floor'),
    judge(
      'shared child, 64 sessions: calls/s',
      floor(SHARED_CELL, 'callsPerSecond', ratio),
      { atLeast: 0.8 },
      'of a floor that shares one',
    ),
  ]
}
