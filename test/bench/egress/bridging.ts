// What calls cost that reach nothing, where egress is enforced, beside a sidecar that knows nothing of it: nothing.

import type { SidecarDocument } from '../../../shared/sidecar-config.ts'
import type { BenchContext } from '../bench.ts'
import { cellName, FULL_PACE, MAIN_CELL, MODERN_CELL, QUICK_PACE } from '../bridge/cells.ts'
import { buildEchoServer, OUR_DIST, startSidecar } from '../bridge/contenders.ts'
import { coresApart } from '../bridge/cores.ts'
import { play } from '../bridge/matches.ts'
import { planOf, type RoundPlan } from '../bridge/rounds.ts'
import { toFigures, toSameBudgets } from '../bridge/summary.ts'
import type { Report } from '../report.ts'

const CELLS = [MAIN_CELL, MODERN_CELL]
export const BRIDGE_CELLS: readonly string[] = CELLS.map(cellName)
const PLAN: RoundPlan = { least: 4, most: 12, withinMs: 120_000 }
const ENFORCED = { 'egress-mode': 'enforce', egress: 'api.example.com:443' }
const DOCUMENT: SidecarDocument = { egress: { confinement: 'require', port: 0 } }

/** Those of the cells that are named. */
export const measureBridge = async (
  context: BenchContext,
  wanted: readonly string[],
): Promise<Report> => {
  const started = { echo: buildEchoServer(), cores: coresApart() }
  const cells = CELLS.filter((cell) => wanted.includes(cellName(cell)))
  const start = { ...started, dist: OUR_DIST }
  const match = {
    cells,
    rival: 'no egress',
    plan: planOf(context, PLAN),
    ours: () => startSidecar({ ...start, settings: ENFORCED, document: DOCUMENT }),
    theirs: () => startSidecar({ ...start, settings: {} }),
  }
  const pace = context.quick ? QUICK_PACE : FULL_PACE
  const { results, faults } = await play(match, { pace, cores: started.cores }, context)
  return {
    figures: toFigures(results),
    budgets: toSameBudgets(results, cells, 'of a sidecar without egress'),
    faults,
  }
}
