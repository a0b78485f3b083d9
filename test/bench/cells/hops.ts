// What it costs a call that its session is held by another replica than the one that takes it: calls of the same sessions at
// their holder and by way of the other replica, by turns.

import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeKeys } from '../../support/workload.ts'
import type { BenchContext } from '../bench.ts'
import { Callers, type Calls } from '../bridge/callers.ts'
import type { Pace } from '../bridge/cells.ts'
import { OUR_DIST, startSidecar, type Sidecar, type Started } from '../bridge/contenders.ts'
import { inFolder } from '../in-folder.ts'
import { judge, type Report } from '../report.ts'
import { median, quartiles } from '../statistics.ts'
import { siblings } from './siblings.ts'

const PROGRAM = fileURLToPath(new URL('./replica.ts', import.meta.url))
const SERVICE = 'echo-headless.bench.svc'
const ROUNDS = 3
const PAIRS = 15
const QUICK_PAIRS = 2
/** Milliseconds at p50. */
const MOST_MS = 1

/** Medians of one window at the holder and of its neighbour by way of the other replica, in milliseconds. */
type Pair = { readonly held: number; readonly hopped: number }

const fail = (error: Error): never => {
  throw error
}

const callsOf = (connections: number): Calls => ({ era: 'legacy', shape: '100 B', connections })

const measurePair = async (
  [holder, other]: readonly Sidecar[],
  calls: Calls,
  { pace: { windowMs, firstWarmupPairs }, pairs }: { readonly pace: Pace; readonly pairs: number },
): Promise<readonly Pair[]> => {
  const here = await Callers.open({ url: holder?.url ?? '' }, calls, fail)
  const there = await here.byWayOf(other?.url ?? '', calls, fail)
  const p50 = async (callers: Callers): Promise<number> =>
    median(await callers.callFor(windowMs)) ?? Number.NaN
  const all: Pair[] = []
  for (let index = 0; index < firstWarmupPairs + pairs; index += 1) {
    const pair = { held: await p50(here), hopped: await p50(there) }
    if (index >= firstWarmupPairs) all.push(pair)
  }
  await there.close()
  await here.close()
  return all
}

const startReplicas = async (started: Started, keys: string): Promise<readonly Sidecar[]> => {
  // Of its own, so that nobody else on this machine has their port.
  const hosts = siblings(`127.${randomInt(1, 250)}.${randomInt(1, 250)}.0`)
  const all: Sidecar[] = []
  for (const host of hosts) {
    const replicas = { service: SERVICE, keys }
    const document = { replicas }
    const options = { dist: OUR_DIST, program: PROGRAM, host, settings: {}, document }
    all.push(await startSidecar({ ...started, ...options }))
  }
  return all
}

const toFigure = (connections: number, pairs: readonly Pair[]) => {
  const added = quartiles(pairs.map(({ held, hopped }) => hopped - held))
  return {
    callers: connections,
    'at its holder, p50 ms': median(pairs.map(({ held }) => held)) ?? Number.NaN,
    'by another replica, p50 ms': median(pairs.map(({ hopped }) => hopped)) ?? Number.NaN,
    'hop ms': added?.median ?? Number.NaN,
    quartiles: `${added?.lower.toFixed(2)} to ${added?.upper.toFixed(2)}`,
  }
}

/** The one at a time is judged: eight keep both replicas' one core busy, and wait for each other. */
const CALLERS = [1, 8] as const

export const measureHops = (started: Started, pace: Pace, context: BenchContext): Promise<Report> =>
  inFolder(async ({ rounds = ROUNDS, quick, progress }, folder) => {
    const keys = join(folder, 'keys')
    writeKeys(keys)
    const plan = { pace, pairs: quick ? QUICK_PAIRS : PAIRS }
    const pairs = new Map<number, Pair[]>(CALLERS.map((callers) => [callers, []]))
    for (let round = 0; round < (quick ? 1 : rounds); round += 1) {
      progress(`hops: round ${round + 1}`)
      const replicas = await startReplicas(started, keys)
      for (const callers of CALLERS) {
        pairs.get(callers)?.push(...(await measurePair(replicas, callsOf(callers), plan)))
      }
      await Promise.all(replicas.map(({ stop }) => stop()))
    }
    const figures = [...pairs].map(([callers, all]) => toFigure(callers, all))
    const name = 'a call by way of another replica: over the same at its holder, p50'
    const budgets = [judge(name, figures[0]?.['hop ms'], { atMost: MOST_MS }, 'ms')]
    return { figures, budgets, faults: [] }
  })(context)
