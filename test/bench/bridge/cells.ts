// What the bridge bench measures: each cell is one load on a pair of contenders. Pure.

import type { Load } from './load.ts'
import type { Era, Shape } from './requests.ts'

export type Cell = {
  /** Whether all sessions share one child. */
  readonly isShared: boolean
  readonly era: Era
  readonly connections: number
  readonly shape: Shape
}

export type Pace = Pick<Load, 'windowMs' | 'warmupPairs' | 'pairs'> & {
  /** In the first cell of two new processes. */
  readonly firstWarmupPairs: number
}

const cell = (era: Era, connections: number, shape: Shape): Cell => ({
  isShared: false,
  era,
  connections,
  shape,
})

/** The cell that most budgets are about. */
export const MAIN_CELL: Cell = cell('legacy', 8, '100 B')
export const MODERN_CELL: Cell = cell('modern', 8, '100 B')
/** The cells of one caller. */
export const LONE_CELL: Cell = cell('legacy', 1, '100 B')
export const MODERN_LONE_CELL: Cell = cell('modern', 1, '100 B')
/** The cells of many callers. */
export const CROWD_CELL: Cell = cell('legacy', 64, '100 B')
export const MODERN_CROWD_CELL: Cell = cell('modern', 64, '100 B')
/** The cell of the shared process model. */
export const SHARED_CELL: Cell = { ...CROWD_CELL, isShared: true }

export const LARGE_CELL: Cell = cell('legacy', 8, '64 KiB string')
/** The cell whose messages have thousands of members. */
export const MEMBERS_CELL: Cell = cell('legacy', 8, '64 KiB members')
/** The cell that takes the most memory. */
export const MEMORY_CELL: Cell = cell('legacy', 64, '64 KiB string')

/** The npm bridges are measured here, and nowhere else: they are far away, and legacy only at speed. */
export const PEER_CELLS: readonly Cell[] = [MAIN_CELL]

/** Every cell of a full run, the main one first. */
export const FULL: readonly Cell[] = [
  MAIN_CELL,
  LONE_CELL,
  CROWD_CELL,
  MODERN_CELL,
  MODERN_LONE_CELL,
  MODERN_CROWD_CELL,
  SHARED_CELL,
  cell('legacy', 1, '64 KiB string'),
  LARGE_CELL,
  cell('modern', 8, '64 KiB string'),
  MEMBERS_CELL,
  cell('legacy', 8, '64 KiB JSON text'),
  // Last: giving memory back drops compiled code.
  MEMORY_CELL,
]

/** The cells of a smoke run: every kind of request once. */
export const QUICK: readonly Cell[] = [MAIN_CELL, MODERN_CELL, SHARED_CELL, LARGE_CELL]

/** A call of ours costs a third more in the first windows and is still uneven for 8 s: Node compiles. */
export const FULL_PACE: Pace = { windowMs: 300, firstWarmupPairs: 13, warmupPairs: 2, pairs: 4 }
export const QUICK_PACE: Pace = { windowMs: 100, firstWarmupPairs: 1, warmupPairs: 1, pairs: 1 }

/** The name of a cell, in the report and on the command line. */
export const cellName = ({ isShared, era, connections, shape }: Cell): string =>
  `${connections} x ${shape}, ${era}${isShared ? ', shared child' : ''}`

/** The cells whose names contain one of the parts, each of which must name one; all where there is none. */
export const cellsNamed = (cells: readonly Cell[], parts: readonly string[]): readonly Cell[] => {
  const isNamed = (part: string) => (one: Cell) => cellName(one).includes(part)
  const unknown = parts.find((part) => !cells.some(isNamed(part)))
  if (unknown !== undefined) {
    const names = cells.map((one) => `  ${cellName(one)}`).join('\n')
    throw new Error(`--cell '${unknown}': is in no cell's name; they are\n${names}`)
  }
  if (parts.length === 0) return cells
  return cells.filter((one) => parts.some((part) => isNamed(part)(one)))
}
