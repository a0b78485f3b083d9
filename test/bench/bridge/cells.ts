// What the bridge bench measures: each cell is one load on one group of contenders. Pure.

import type { Load } from './load.ts'
import { SHAPES, type Era, type Shape } from './requests.ts'

export type Group = 'bridges' | 'shared'

export type Cell = {
  /** `bridges` runs on all contenders, `shared` on the pair that shares one child. */
  readonly group: Group
  readonly era: Era
  readonly connections: number
  readonly shape: Shape
  /** Leaves out contenders that only speak the legacy era at speed. */
  readonly only?: readonly string[]
}

export type Pace = Pick<Load, 'warmupMs' | 'measureMs'>

const CONNECTIONS = [1, 8, 64] as const
const legacy = (connections: number, shape: Shape): Cell => ({
  group: 'bridges',
  era: 'legacy',
  connections,
  shape,
})

/** The cell that most budgets are about. */
export const MAIN_CELL: Cell = legacy(8, '100 B')
/** The cell of the shared process model. */
export const SHARED_CELL: Cell = { ...legacy(64, '100 B'), group: 'shared' }

const MODERN_CELL: Cell = { ...MAIN_CELL, era: 'modern', only: ['outrigger', 'floor'] }

/** Every cell of a full run, the main one first. */
export const FULL: readonly Cell[] = [
  MAIN_CELL,
  legacy(1, '100 B'),
  legacy(64, '100 B'),
  MODERN_CELL,
  SHARED_CELL,
  ...CONNECTIONS.map((connections) => legacy(connections, '64 KiB string')),
  ...SHAPES.filter((shape) => shape === '64 KiB members' || shape === '64 KiB JSON text').map(
    (shape) => legacy(8, shape),
  ),
]

/** The cells of a smoke run: every kind of request once. */
export const QUICK: readonly Cell[] = [
  MAIN_CELL,
  MODERN_CELL,
  SHARED_CELL,
  legacy(8, '64 KiB string'),
]

/** What has been idle since its last turn may have dropped compiled code; Node needs a second of load to be fast again. */
export const FULL_PACE: Pace = { warmupMs: 1500, measureMs: 2000 }
export const QUICK_PACE: Pace = { warmupMs: 200, measureMs: 500 }

/** A name for progress lines. */
export const cellName = ({ group, era, connections, shape }: Cell): string =>
  `${connections} x ${shape}, ${era}${group === 'shared' ? ', shared child' : ''}`
