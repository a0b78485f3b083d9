// Runs every cell on every contender, round by round, so that whatever else the machine does hits
// all alike. Owns the load generator's processes; starts no contender.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { messageOf } from '../../../shared/message.ts'
import type { BenchContext } from '../bench.ts'
import { cellName, type Cell, type Group, type Pace } from './cells.ts'
import type { Contender } from './contenders.ts'
import type { Load, LoadResult } from './load.ts'

/** One contender's figures in one cell of one round. */
export type Sample = {
  readonly cell: Cell
  readonly contender: string
  readonly callsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuPerCall: number
}

export type Rounds = { readonly samples: readonly Sample[]; readonly faults: readonly string[] }

const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url))
// Opening 64 sessions of a bridge that starts slowly takes this long at worst.
const SETUP_LIMIT_MS = 60_000

const generate = async (load: Load, signal: AbortSignal): Promise<LoadResult> => {
  const limit = load.warmupMs + load.measureMs + SETUP_LIMIT_MS
  const { stdout } = await promisify(execFile)(process.execPath, [LOAD, JSON.stringify(load)], {
    signal,
    timeout: limit,
  })
  return JSON.parse(stdout)
}

const toSample = (cell: Cell, contender: string, result: LoadResult): Sample => ({
  cell,
  contender,
  callsPerSecond: result.calls / result.seconds,
  p50Ms: result.p50Ms,
  p99Ms: result.p99Ms,
  cpuPerCall: result.cpuMicroseconds / result.calls,
})

const lastLine = (error: unknown): string => {
  const said = messageOf(error).trim()
  return said.slice(said.lastIndexOf('\n') + 1)
}

/** Every second round goes through the contenders backwards, so that none always comes first. */
const inTurn = <T>(items: readonly T[], round: number): readonly T[] =>
  round % 2 === 0 ? items : items.toReversed()

/** Measures; a contender that fails in a cell is left out of that cell from then on. */
export const runRounds = async (
  groups: Readonly<Record<Group, readonly Contender[]>>,
  cells: readonly Cell[],
  pace: Pace,
  context: BenchContext,
): Promise<Rounds> => {
  const samples: Sample[] = []
  const faults = new Map<string, string>()
  const measure = async (cell: Cell, { name, url, pids }: Contender): Promise<string> => {
    const key = `${name}, ${cellName(cell)}`
    if (faults.has(key)) return `${name} -`
    const { era, shape, connections } = cell
    try {
      const load: Load = { url, era, shape, connections, ...pace, pids }
      const sample = toSample(cell, name, await generate(load, context.signal))
      samples.push(sample)
      return `${name} ${Math.round(sample.callsPerSecond).toLocaleString('en-US')}/s`
    } catch (error) {
      if (context.signal.aborted) throw error
      faults.set(key, lastLine(error))
      return `${name} failed`
    }
  }
  for (let round = 0; round < context.rounds; round += 1) {
    for (const cell of cells) {
      const contenders = groups[cell.group].filter(({ name }) => cell.only?.includes(name) ?? true)
      const done: string[] = []
      for (const one of inTurn(contenders, round)) done.push(await measure(cell, one))
      const where = `round ${round + 1}/${context.rounds}`
      context.progress(`${where}  ${cellName(cell).padEnd(34)} ${done.join('  ')}`)
    }
  }
  return { samples, faults: [...faults].map(([key, why]) => `${key}: ${why}`) }
}
