// Starts our sidecar and a rival for one cell, lets them call by turns, and stops them whatever happens.
// Each match has contenders of its own: a cell alone measures what it measures among the others.

import { execFile } from 'node:child_process'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { messageOf } from '../../../shared/message.ts'
import type { BenchContext } from '../bench.ts'
import { residentKib } from '../process-cost.ts'
import { cellName, MEMORY_CELL, type Cell, type Pace } from './cells.ts'
import type { Contender } from './contenders.ts'
import type { Load } from './load.ts'
import { compare, type Comparison, type Pair } from './pairs.ts'

/** One cell against one rival. */
export type Match = {
  readonly cell: Cell
  readonly rival: string
  /** How often both start anew: what Node compiles, and how, differs by 2 % from one process to the next. */
  readonly rounds: number
  readonly ours: () => Promise<Contender>
  readonly theirs: () => Promise<Contender>
}

export type Result = Pick<Match, 'cell' | 'rival'> &
  Comparison & {
    /** After the last round, and a rest where the cell is the one that memory is judged by. */
    readonly residentMib: { readonly ours: number; readonly theirs: number }
  }

const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url))
// Opening 64 sessions of a bridge that starts slowly takes so long at worst.
const SETUP_LIMIT_MS = 60_000
/** A window lasts until its last call is answered: on a busy machine longer than meant. */
const SLOWEST = 10
const REST_MS = 5000
const MIB = 1024

const generate = async (load: Load, signal: AbortSignal): Promise<Pair[]> => {
  const windows = 2 * (load.warmupPairs + load.pairs)
  const { stdout } = await promisify(execFile)(process.execPath, [LOAD, JSON.stringify(load)], {
    signal,
    timeout: SETUP_LIMIT_MS + SLOWEST * windows * load.windowMs,
  })
  return JSON.parse(stdout)
}

const lastLine = (error: unknown): string => {
  const said = messageOf(error).trim()
  return said.slice(said.lastIndexOf('\n') + 1)
}

const withBoth = async <T>(
  { ours, theirs }: Match,
  use: (ours: Contender, theirs: Contender) => Promise<T>,
): Promise<T> => {
  const our = await ours()
  try {
    const their = await theirs()
    try {
      return await use(our, their)
    } finally {
      await their.stop()
    }
  } finally {
    await our.stop()
  }
}

/** A moment of load, of which nothing is told. */
export const warmUp = async (
  contender: Contender,
  cell: Cell,
  { pace, signal }: { readonly pace: Pace; readonly signal: AbortSignal },
): Promise<void> => {
  await generate({ ...cell, ...pace, ours: contender, theirs: contender }, signal)
}

type Round = { readonly pairs: readonly Pair[]; readonly residentMib: Result['residentMib'] }

const playRound = (match: Match, pace: Pace, signal: AbortSignal): Promise<Round> =>
  withBoth(match, async (ours, theirs) => {
    const pairs = await generate({ ...match.cell, ...pace, ours, theirs }, signal)
    if (match.cell === MEMORY_CELL) await after(REST_MS)
    const residentMib = {
      ours: residentKib(ours.pids) / MIB,
      theirs: residentKib(theirs.pids) / MIB,
    }
    return { pairs, residentMib }
  })

/** Resolves with what went wrong where it did. */
export const play = async (
  match: Match,
  pace: Pace,
  { signal, progress }: BenchContext,
): Promise<Result | string> => {
  const { cell, rival, rounds } = match
  const title = `${cellName(cell)}, beside ${rival}`
  try {
    let last = await playRound(match, pace, signal)
    const pairs = [...last.pairs]
    for (let round = 1; round < rounds; round += 1) {
      last = await playRound(match, pace, signal)
      pairs.push(...last.pairs)
    }
    const comparison = compare(pairs)
    const { calls, cpu } = comparison
    const said = `calls/s ${calls.median.toFixed(3)}, CPU per call ${cpu.median.toFixed(3)}`
    progress(`${title.padEnd(50)} ${said}`)
    return { cell, rival, ...comparison, residentMib: last.residentMib }
  } catch (error) {
    if (signal.aborted) throw error
    return `${title}: ${lastLine(error)}`
  }
}
