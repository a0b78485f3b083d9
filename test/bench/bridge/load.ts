// The load generator, a process of its own: keeps callers open to two contenders and lets them call by
// turns in short windows, so that both see the same machine. Never twice in a row: a bridge's second window is a
// tenth better than its first, and pairs would be of two kinds. Prints what it saw as JSON. The CPU time is read at a window's edges, when everything has been answered.
// usage: node load.ts JSON-OF-Load

import { setTimeout as after } from 'node:timers/promises'
import { cpuMicroseconds } from '../process-cost.ts'
import { Callers, type Called, type Calls } from './callers.ts'
import type { Pair, Window } from './pairs.ts'
import type { Era } from './requests.ts'

export type Side = Called & {
  /** What its callers speak; absent: as the cell says. */
  readonly era?: Era | undefined
  /** Processes whose CPU time is charged. */
  readonly pids: readonly number[]
}

export type Load = Calls & {
  readonly ours: Side
  readonly theirs: Side
  readonly windowMs: number
  /** Pairs of windows that are not reported: Node needs seconds of load to be fast. */
  readonly warmupPairs: number
  readonly pairs: number
}

/** After its last answer a bridge has its own work to end, which belongs to the window. */
const REST_MS = 5

const fail = (error: Error): never => {
  process.stderr.write(`load: ${error.message}\n`)
  process.exit(1)
}

const window = async (callers: Callers, { pids }: Side, ms: number): Promise<Window> => {
  const cpuBefore = cpuMicroseconds(pids)
  const startedAt = performance.now()
  const latencies = await callers.callFor(ms)
  const seconds = (performance.now() - startedAt) / 1000
  await after(REST_MS)
  const cpu = cpuMicroseconds(pids) - cpuBefore
  const calls = latencies.length
  const sorted = Float64Array.from(latencies).sort()
  const at = (share: number): number => sorted[Math.floor(share * (calls - 1))] ?? 0
  return {
    callsPerSecond: calls / seconds,
    cpuPerCall: cpu / calls,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  }
}

const main = async (load: Load): Promise<void> => {
  const open = (side: Side): Promise<Callers> =>
    Callers.open(side, { ...load, era: side.era ?? load.era }, fail)
  const [ours, theirs] = [await open(load.ours), await open(load.theirs)]
  const ourWindow = (): Promise<Window> => window(ours, load.ours, load.windowMs)
  const theirWindow = (): Promise<Window> => window(theirs, load.theirs, load.windowMs)
  const pairs: Pair[] = []
  for (let turn = 0; turn < load.warmupPairs + load.pairs; turn += 1) {
    const pair = { ours: await ourWindow(), theirs: await theirWindow() }
    if (turn >= load.warmupPairs) pairs.push(pair)
  }
  await Promise.all([ours.close(), theirs.close()])
  process.stdout.write(JSON.stringify(pairs))
}

await main(JSON.parse(process.argv[2] ?? '{}')).catch(fail)
