// The held bench: what it costs a server that speaks HTTP that the shim holds it on loopback. The same server twice,
// once by itself and once under `shim exec --loopback`; the shim's own time is charged too.

import type { Bench, BenchContext } from '../bench.ts'
import {
  cellsNamed,
  CROWD_CELL,
  FULL_PACE,
  LARGE_CELL,
  MAIN_CELL,
  QUICK_PACE,
} from '../bridge/cells.ts'
import { buildEchoServer, buildSidecar, startFloor, startHeldFloor } from '../bridge/contenders.ts'
import { coresApart, describeCores } from '../bridge/cores.ts'
import { play } from '../bridge/matches.ts'
import { planOf, type RoundPlan } from '../bridge/rounds.ts'
import { toFigures, toSameBudgets } from '../bridge/summary.ts'
import type { Report } from '../report.ts'

const CELLS = [MAIN_CELL, CROWD_CELL, LARGE_CELL]
const RIVAL = 'unheld'
const PLAN: RoundPlan = { least: 4, most: 12, withinMs: 120_000 }

const run = async (context: BenchContext): Promise<Report> => {
  const started = { echo: buildEchoServer(), cores: coresApart() }
  buildSidecar()
  const cells = cellsNamed(CELLS, context.cells)
  const match = {
    cells,
    rival: RIVAL,
    plan: planOf(context, PLAN),
    ours: () => startHeldFloor(started),
    theirs: () => startFloor(started, ['--any']),
  }
  const pace = context.quick ? QUICK_PACE : FULL_PACE
  const { results, faults } = await play(match, { pace, cores: started.cores }, context)
  return {
    figures: toFigures(results),
    budgets: toSameBudgets(results, cells, 'of the same server that nothing holds'),
    faults,
  }
}

export const heldBench: Bench = {
  name: 'held',
  summary: 'a server over HTTP that the shim holds on loopback, beside the same one by itself',
  conditions: () => describeCores(coresApart()),
  run,
}
