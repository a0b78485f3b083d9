// The cells bench: clients of either era before a server of the other, beside clients of the server's own; how long a
// session takes to open; and what it costs a call to come to another replica than its session's.

import type { Bench, BenchContext } from '../bench.ts'
import {
  cellName,
  cellsNamed,
  CROWD_CELL,
  FULL_PACE,
  LONE_CELL,
  MAIN_CELL,
  MODERN_CELL,
  MODERN_CROWD_CELL,
  MODERN_LONE_CELL,
  QUICK_PACE,
  type Cell,
} from '../bridge/cells.ts'
import {
  buildEchoServer,
  buildSidecar,
  OUR_DIST,
  startSidecar,
  type Sidecar,
  type Started,
} from '../bridge/contenders.ts'
import { coresApart, describeCores } from '../bridge/cores.ts'
import { play, type Match, type Result } from '../bridge/matches.ts'
import type { Era } from '../bridge/requests.ts'
import { planOf, type RoundPlan } from '../bridge/rounds.ts'
import { toFigures } from '../bridge/summary.ts'
import { judge, type Budget, type Report } from '../report.ts'
import { measureHops } from './hops.ts'
import { measureOpenings } from './openings.ts'

/** Clients of one era before a server of the other. */
type Way = {
  /** Who needs no translation there. */
  readonly rival: string
  readonly server: Era
  readonly cells: readonly Cell[]
}

const WAYS: readonly Way[] = [
  {
    rival: 'legacy clients',
    server: 'legacy',
    cells: [MODERN_CELL, MODERN_LONE_CELL, MODERN_CROWD_CELL],
  },
  { rival: 'modern clients', server: 'modern', cells: [MAIN_CELL, LONE_CELL, CROWD_CELL] },
]
const PLAN: RoundPlan = { least: 4, most: 12, withinMs: 110_000 }
/** Of the calls of a client that needs no translation. */
const LEAST = 0.7

/** Without which nobody has spare processes. */
const ENFORCED = { 'egress-mode': 'enforce', egress: 'api.example.com:443' }

const startBefore = (started: Started, server: Era): Promise<Sidecar> =>
  startSidecar({
    cores: started.cores,
    echo: [started.echo, server],
    dist: OUR_DIST,
    settings: { 'translate-eras': 'true' },
  })

const startEnforced = (started: Started, hasSpare: boolean): Promise<Sidecar> =>
  startSidecar({
    ...started,
    dist: OUR_DIST,
    settings: { ...ENFORCED, ...(hasSpare ? { 'spare-processes': '1' } : {}) },
    document: { egress: { confinement: 'require', port: 0 } },
  })

const matchOf = (
  started: Started,
  { rival, server, cells }: Way,
  context: BenchContext,
  wanted: readonly Cell[],
): Match => ({
  cells: cells.filter((one) => wanted.includes(one)),
  rival,
  plan: planOf(context, PLAN),
  ours: () => startBefore(started, server),
  theirs: async () => ({ ...(await startBefore(started, server)), era: server }),
})

const budgetsOf = (results: readonly Result[], cells: readonly Cell[]): Budget[] =>
  cells.map((cell) => {
    const result = results.find((one) => one.cell === cell)
    const unit = 'of the same load in the era of the server'
    return judge(
      `${cellName(cell)}, translated: calls/s`,
      result?.calls.median,
      { atLeast: LEAST },
      unit,
    )
  })

const run = async (context: BenchContext): Promise<Report> => {
  const started: Started = { echo: buildEchoServer(), cores: coresApart() }
  buildSidecar()
  const wanted = cellsNamed(
    WAYS.flatMap(({ cells }) => cells),
    context.cells,
  )
  const load = { pace: context.quick ? QUICK_PACE : FULL_PACE, cores: started.cores }
  const results: Result[] = []
  const faults: string[] = []
  for (const way of WAYS) {
    const match = matchOf(started, way, context, wanted)
    if (match.cells.length === 0) continue
    const played = await play(match, load, context)
    results.push(...played.results)
    faults.push(...played.faults)
  }
  const start = (hasSpare: boolean): Promise<Sidecar> => startEnforced(started, hasSpare)
  const openings = await measureOpenings(start, context.quick)
  const hops = await measureHops(started, load.pace, context)
  return {
    figures: [...toFigures(results), ...openings.figures, ...hops.figures],
    budgets: [...budgetsOf(results, wanted), ...openings.budgets, ...hops.budgets],
    faults,
  }
}

export const cellsBench: Bench = {
  name: 'cells',
  summary: 'clients of either era before a server of the other, openings, hops between replicas',
  conditions: () => describeCores(coresApart()),
  run,
}
