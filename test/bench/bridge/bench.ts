// The bridge bench: our sidecar beside the bare node:http floor and the npm bridges, then what its
// sessions and its start cost; or, cell by cell, beside another build of itself.

import type { Bench, BenchContext } from '../bench.ts'
import { judge, type Report } from '../report.ts'
import { median } from '../statistics.ts'
import {
  cellsNamed,
  FULL,
  FULL_PACE,
  MAIN_CELL,
  PEER_CELLS,
  QUICK,
  QUICK_PACE,
  type Cell,
  type Pace,
} from './cells.ts'
import {
  buildEchoServer,
  buildSidecar,
  distOf,
  OUR_DIST,
  startFloor,
  startMcpProxy,
  startSidecar,
  startSupergateway,
  type Started,
  type Contender,
} from './contenders.ts'
import { ANY_CORE, coresApart, describeCores } from './cores.ts'
import { play, warmUp, type Match, type Results } from './matches.ts'
import { exactly, planOf, type RoundPlan } from './rounds.ts'
import { measureSessions } from './sessions.ts'
import { measureShares } from './shares.ts'
import { toBudgets, toBuildBudgets, toFigures } from './summary.ts'

const STARTS = 5
/** A round of all cells takes 50 s. */
const PLAN: RoundPlan = { least: 4, most: 16, withinMs: 330_000 }
const SHARED_PLAN: RoundPlan = { ...PLAN, withinMs: 60_000 }

const shared = { 'process-model': 'shared' } as const

const ours = (started: Started, dist: string, isShared: boolean): Promise<Contender> =>
  startSidecar({ ...started, dist, settings: isShared ? shared : {} })

/** Every match of a run: the cells beside the other build, or beside the floor and its peers. */
const matchesOf = (started: Started, cells: readonly Cell[], context: BenchContext): Match[] => {
  const before = context.against === undefined ? undefined : distOf(context.against)
  const match = (isShared: boolean): Match => ({
    cells: cells.filter((cell) => cell.isShared === isShared),
    rival: before === undefined ? 'floor' : 'before',
    plan: planOf(context, isShared ? SHARED_PLAN : PLAN),
    ours: () => ours(started, OUR_DIST, isShared),
    theirs: () =>
      before === undefined
        ? startFloor(started, isShared ? ['--shared'] : [])
        : ours(started, before, isShared),
  })
  const own = match(false)
  // Far from their limit.
  const peer = {
    ...own,
    cells: own.cells.filter((cell) => PEER_CELLS.includes(cell)),
    plan: exactly(1),
  }
  const peers = [
    { ...peer, rival: 'supergateway', theirs: () => startSupergateway(started) },
    { ...peer, rival: 'mcp-proxy', theirs: () => startMcpProxy(started) },
  ]
  const all = [own, match(true), ...(before === undefined ? peers : [])]
  return all.filter((one) => one.cells.length > 0)
}

const paceOf = ({ quick }: BenchContext): Pace => (quick ? QUICK_PACE : FULL_PACE)

const measureLoad = async (started: Started, context: BenchContext): Promise<Report> => {
  const cells = cellsNamed(context.quick ? QUICK : FULL, context.cells)
  const played: Results[] = []
  for (const match of matchesOf(started, cells, context)) {
    const load = { pace: paceOf(context), cores: started.cores }
    played.push(await play(match, load, context))
  }
  const results = played.flatMap((one) => one.results)
  const isBuilds = context.against !== undefined
  return {
    figures: toFigures(results),
    budgets: isBuilds ? toBuildBudgets(results, cells) : toBudgets(results, cells),
    faults: played.flatMap(({ faults }) => faults),
  }
}

const measureStart = async (echo: string, times: number): Promise<Report> => {
  const starts = []
  for (let time = 0; time < times; time += 1) {
    const sidecar = await startSidecar({ echo, dist: OUR_DIST, settings: {} })
    starts.push(sidecar.start)
    await sidecar.stop()
  }
  const listening = median(starts.map(({ listeningMs }) => listeningMs)) ?? 0
  const ready = median(starts.map(({ readyMs }) => readyMs))
  return {
    figures: [
      { figure: 'sidecar start to listening', value: listening, unit: 'ms' },
      { figure: 'sidecar start to ready, first child included', value: ready ?? 0, unit: 'ms' },
    ],
    budgets: [judge('sidecar start to ready', ready, { atMost: 300 }, 'ms')],
    faults: [],
  }
}

/** On a sidecar of its own that has only seen small calls, as most have. */
const measureFresh = async (echo: string, context: BenchContext): Promise<Report> => {
  const sidecar = await startSidecar({ echo, dist: OUR_DIST, settings: {} })
  try {
    await warmUp(sidecar, MAIN_CELL, { pace: paceOf(context), cores: ANY_CORE }, context.signal)
    return await measureSessions(sidecar, context)
  } finally {
    await sidecar.stop()
  }
}

const run = async (context: BenchContext): Promise<Report> => {
  const echo = buildEchoServer()
  buildSidecar()
  const cores = coresApart()
  const parts = [await measureLoad({ echo, cores }, context)]
  if (context.against === undefined && context.cells.length === 0) {
    parts.push(await measureShares({ echo, cores }, paceOf(context), context))
    parts.push(await measureStart(echo, context.quick ? 1 : STARTS))
    parts.push(await measureFresh(echo, context))
  }
  return {
    figures: parts.flatMap(({ figures }) => figures),
    budgets: parts.flatMap(({ budgets }) => budgets),
    faults: parts.flatMap(({ faults }) => faults),
  }
}

/** Calls per second, latency, CPU and memory of the bridge against the floor and its peers. */
export const bridgeBench: Bench = {
  name: 'bridge',
  summary: 'our sidecar beside a bare node:http bridge, supergateway and mcp-proxy',
  conditions: () => describeCores(coresApart()),
  run,
}
