// The telemetry bench: what it costs that every call is on record, before the server sees it and when it is over, in a
// chain in a file; then what traces at 5 % cost on top, and what memory it all takes at rest.

import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import type { SidecarDocument } from '../../../shared/sidecar-config.ts'
import type { Bench, BenchContext } from '../bench.ts'
import {
  cellName,
  cellsNamed,
  FULL_PACE,
  MAIN_CELL,
  MODERN_CELL,
  QUICK_PACE,
} from '../bridge/cells.ts'
import {
  buildEchoServer,
  buildSidecar,
  OUR_DIST,
  startSidecar,
  type Contender,
  type Started,
} from '../bridge/contenders.ts'
import { coresApart, describeCores } from '../bridge/cores.ts'
import { play, type Match, type Result } from '../bridge/matches.ts'
import { planOf, type RoundPlan } from '../bridge/rounds.ts'
import { toFigures } from '../bridge/summary.ts'
import { inFolder } from '../in-folder.ts'
import { residentKib } from '../process-cost.ts'
import { judge, type Budget, type Report } from '../report.ts'
import { startDrain } from './drain.ts'

const CELLS = [MAIN_CELL, MODERN_CELL]
const PLAN: RoundPlan = { least: 4, most: 12, withinMs: 120_000 }
const SAMPLE_RATIO = 0.05
const REST_MS = 5000
const MIB = 1024
const NONE = 'nothing on record'
const RECORDS = 'records alone'

/** Every file anew: what was written before is looked at, and kept. */
const auditIn = (folder: string): SidecarDocument => ({
  audit: { file: join(mkdtempSync(join(folder, 'audit-')), 'audit.jsonl'), attempts: true },
})

const startOurs = (started: Started, document: SidecarDocument): Promise<Contender> =>
  startSidecar({ ...started, dist: OUR_DIST, settings: {}, document })

const LIMITS = {
  [NONE]: { calls: 0.9, cpu: 1.15 },
  [RECORDS]: { calls: 0.97, cpu: 1.03 },
} as const

const budgetsOf = (results: readonly Result[], cells: Match['cells']): readonly Budget[] =>
  [NONE, RECORDS].flatMap((rival) =>
    cells.flatMap((cell) => {
      const found = results.find((one) => one.cell === cell && one.rival === rival)
      const name = `${cellName(cell)}, beside ${rival}`
      const limits = rival === NONE ? LIMITS[NONE] : LIMITS[RECORDS]
      return [
        judge(`${name}: calls/s`, found?.calls.median, { atLeast: limits.calls }, 'times'),
        judge(`${name}: CPU per call`, found?.cpu.median, { atMost: limits.cpu }, 'times'),
      ]
    }),
  )

const measureRest = async (started: Started, document: SidecarDocument): Promise<Report> => {
  const sidecar = await startOurs(started, document)
  await after(REST_MS)
  const [own = 0] = sidecar.pids
  const mib = residentKib([own]) / MIB
  await sidecar.stop()
  const name = 'memory at rest, the sidecar alone'
  return {
    figures: [{ figure: name, value: mib, unit: 'MiB' }],
    budgets: [judge(name, mib, { atMost: 96 }, 'MiB')],
    faults: [],
  }
}

const measure = async (
  context: BenchContext,
  folder: string,
  endpoint: string,
): Promise<Report> => {
  const started = { echo: buildEchoServer(), cores: coresApart() }
  const cells = cellsNamed(CELLS, context.cells)
  const traces = { traces: { endpoint, sampleRatio: SAMPLE_RATIO } }
  const match = { cells, plan: planOf(context, PLAN) }
  const matches: readonly Match[] = [
    {
      ...match,
      rival: NONE,
      ours: () => startOurs(started, auditIn(folder)),
      theirs: () => startOurs(started, {}),
    },
    {
      ...match,
      rival: RECORDS,
      ours: () => startOurs(started, { ...auditIn(folder), ...traces }),
      theirs: () => startOurs(started, auditIn(folder)),
    },
  ]
  const manner = { pace: context.quick ? QUICK_PACE : FULL_PACE, cores: started.cores }
  const played = []
  for (const one of matches) played.push(await play(one, manner, context))
  const results = played.flatMap((one) => one.results)
  const rest = await measureRest(started, { ...auditIn(folder), ...traces })
  return {
    figures: [...toFigures(results), ...rest.figures],
    budgets: [...budgetsOf(results, cells), ...rest.budgets],
    faults: played.flatMap(({ faults }) => faults),
  }
}

const run = inFolder(async (context, folder) => {
  buildSidecar()
  const drain = await startDrain()
  try {
    return await measure(context, folder, drain.endpoint)
  } finally {
    drain.close()
  }
})

export const telemetryBench: Bench = {
  name: 'telemetry',
  summary: 'records of every call in a chained file, and traces at 5 %, beside a sidecar without',
  conditions: () => describeCores(coresApart()),
  run,
}
