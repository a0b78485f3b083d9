// From comparisons to figures and budgets. Pure.

import { judge, type Budget, type Figure } from '../report.ts'
import {
  cellName,
  CROWD_CELL,
  LONE_CELL,
  MAIN_CELL,
  MEMBERS_CELL,
  MEMORY_CELL,
  MODERN_CELL,
  MODERN_CROWD_CELL,
  MODERN_LONE_CELL,
  SHARED_CELL,
  type Cell,
} from './cells.ts'
import type { Result } from './matches.ts'
import type { Comparison } from './pairs.ts'

const PEERS = ['supergateway', 'mcp-proxy'] as const

const errorText = (error: number | undefined): string => error?.toFixed(3) ?? ''

/** Two tables: what either did, and how ours compares, with the quartiles of the neighbours' ratios. */
export const toFigures = (results: readonly Result[]): Figure[] => [
  ...results.map(({ cell, rival, ours, theirs, residentMib }) => ({
    cell: cellName(cell),
    beside: rival,
    'calls/s': Math.round(ours.callsPerSecond),
    theirs: Math.round(theirs.callsPerSecond),
    'CPU us/call': ours.cpuPerCall,
    'theirs ': theirs.cpuPerCall,
    'RSS MiB': Math.round(residentMib.ours),
    'theirs  ': Math.round(residentMib.theirs),
  })),
  ...results.map(({ cell, rival, calls, cpu, rounds, errors, p50AddedMs, p99AddedMs }) => ({
    cell: cellName(cell),
    beside: rival,
    rounds,
    'calls/s ratio': calls.median,
    '±': errorText(errors.calls),
    q1: calls.lower,
    q3: calls.upper,
    'CPU ratio': cpu.median,
    '± ': errorText(errors.cpu),
    'q1 ': cpu.lower,
    'q3 ': cpu.upper,
    'p50 added ms': p50AddedMs,
    'p99 added ms': p99AddedMs,
  })),
]

type Rule = {
  readonly cell: Cell
  readonly name: string
  readonly value: (beside: (rival: string) => Result | undefined) => number | undefined
  readonly limit: { readonly atLeast: number } | { readonly atMost: number }
  readonly unit: string
}

const floor =
  (value: (comparison: Comparison) => number): Rule['value'] =>
  (beside) => {
    const result = beside('floor')
    return result && value(result)
  }

const overBetterPeer: Rule['value'] = (beside) => {
  const ratios = PEERS.flatMap((peer) => beside(peer)?.calls.median ?? [])
  return ratios.length === PEERS.length ? Math.min(...ratios) : undefined
}

const besideFloor = (cell: Cell, callsAtLeast: number, cpuAtMost = 1.18): Rule[] => [
  {
    cell,
    name: 'calls/s',
    value: floor(({ calls }) => calls.median),
    limit: { atLeast: callsAtLeast },
    unit: 'of the floor',
  },
  {
    cell,
    name: 'CPU per call',
    value: floor(({ cpu }) => cpu.median),
    limit: { atMost: cpuAtMost },
    unit: 'of the floor',
  },
]

const latencyBesideFloor = (cell: Cell): Rule[] => [
  {
    cell,
    name: 'p50 added',
    value: floor(({ p50AddedMs }) => p50AddedMs),
    limit: { atMost: 0.3 },
    unit: 'ms over the floor',
  },
  {
    cell,
    name: 'p99 added',
    value: floor(({ p99AddedMs }) => p99AddedMs),
    limit: { atMost: 2 },
    unit: 'ms over the floor',
  },
]

const RULES: readonly Rule[] = [
  ...besideFloor(MAIN_CELL, 0.85),
  {
    cell: MAIN_CELL,
    name: 'calls/s',
    value: overBetterPeer,
    limit: { atLeast: 3 },
    unit: 'times the better npm bridge',
  },
  ...latencyBesideFloor(MAIN_CELL),
  ...besideFloor(LONE_CELL, 0.85),
  ...besideFloor(CROWD_CELL, 0.9, 1.1),
  ...besideFloor(MODERN_CELL, 0.85),
  ...latencyBesideFloor(MODERN_CELL),
  ...besideFloor(MODERN_LONE_CELL, 0.85),
  ...besideFloor(MODERN_CROWD_CELL, 0.9, 1.1),
  ...besideFloor(MEMBERS_CELL, 0.85),
  {
    cell: SHARED_CELL,
    name: 'calls/s',
    value: floor(({ calls }) => calls.median),
    limit: { atLeast: 0.8 },
    unit: 'of a floor that shares one',
  },
  {
    cell: MEMORY_CELL,
    name: 'RSS after the load',
    value: (beside) => beside('floor')?.residentMib.ours,
    limit: { atMost: 96 },
    unit: 'MiB',
  },
]

/** The budgets of those cells that were to be measured; what then was not is missed. */
export const toBudgets = (results: readonly Result[], cells: readonly Cell[]): Budget[] =>
  RULES.filter(({ cell }) => cells.includes(cell)).map(({ cell, name, value, limit, unit }) => {
    const beside = (rival: string): Result | undefined =>
      results.find((one) => one.cell === cell && one.rival === rival)
    return judge(`${cellName(cell)}: ${name}`, value(beside), limit, unit)
  })

/** By how much the one may be worse than the other. */
const TOLERANCE = 0.03

/** Every cell of two that should be the same: no slower and no dearer than noise explains. */
export const toSameBudgets = (
  results: readonly Result[],
  cells: readonly Cell[],
  unit: string,
): Budget[] =>
  cells.flatMap((cell) => {
    const result = results.find((one) => one.cell === cell)
    const name = cellName(cell)
    const limits = { calls: { atLeast: 1 - TOLERANCE }, cpu: { atMost: 1 + TOLERANCE } }
    return [
      judge(`${name}: calls/s`, result?.calls.median, limits.calls, unit),
      judge(`${name}: CPU per call`, result?.cpu.median, limits.cpu, unit),
    ]
  })

export const toBuildBudgets = (results: readonly Result[], cells: readonly Cell[]): Budget[] =>
  toSameBudgets(results, cells, 'of the build before')
