// Starts our sidecar and a rival, lets them be called by turns in one cell after the other, and stops
// them whatever happens.

import { execFile } from 'node:child_process'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { messageOf } from '../../../shared/message.ts'
import type { BenchContext } from '../bench.ts'
import { residentKib } from '../process-cost.ts'
import { cellName, MEMORY_CELL, type Cell, type Pace } from './cells.ts'
import type { Contender } from './contenders.ts'
import type { Cores } from './cores.ts'
import type { Load } from './load.ts'
import { compare, type Comparison, type Pair } from './pairs.ts'
import { errorsOf, needsAnother, type Round, type RoundErrors, type RoundPlan } from './rounds.ts'

/** Our sidecar against one rival in some cells, through which the same two processes go. */
export type Match = {
  readonly cells: readonly Cell[]
  readonly rival: string
  /** How often both start anew: what Node compiles, and how, differs by 2 % from one process to the next. */
  readonly plan: RoundPlan
  readonly ours: () => Promise<Contender>
  readonly theirs: () => Promise<Contender>
}

export type Result = Comparison & {
  readonly cell: Cell
  readonly rival: string
  readonly rounds: number
  /** By how much another run's medians may well differ. */
  readonly errors: RoundErrors
  /** The most after a round, and after a rest where the cell is the one that memory is judged by. */
  readonly residentMib: { readonly ours: number; readonly theirs: number }
}

const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url))
// Opening 64 sessions of a bridge that starts slowly takes so long at worst.
const SETUP_LIMIT_MS = 60_000
/** A window lasts until its last call is answered: on a busy machine longer than meant. */
const SLOWEST = 10
const REST_MS = 5000
const MIB = 1024

/** How long the load runs, and where. */
export type Manner = { readonly pace: Pace; readonly cores: Cores }

const generate = async (load: Load, cores: Cores, signal: AbortSignal): Promise<Pair[]> => {
  const windows = 2 * (load.warmupPairs + load.pairs)
  const line = [...cores.others, process.execPath, LOAD, JSON.stringify(load)]
  const [program = '', ...args] = line
  const { stdout } = await promisify(execFile)(program, args, {
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
  { pace, cores }: Manner,
  signal: AbortSignal,
): Promise<void> => {
  await generate({ ...cell, ...pace, ours: contender, theirs: contender }, cores, signal)
}

type Sample = {
  readonly pairs: readonly Pair[]
  readonly medians: Round
  readonly residentMib: Result['residentMib']
}

const sample = async (
  cell: Cell,
  load: Pace & Pick<Load, 'ours' | 'theirs'>,
  { cores, signal }: { readonly cores: Cores; readonly signal: AbortSignal },
): Promise<Sample> => {
  const pairs = await generate({ ...cell, ...load }, cores, signal)
  if (cell === MEMORY_CELL) await after(REST_MS)
  const residentMib = {
    ours: residentKib(load.ours.pids) / MIB,
    theirs: residentKib(load.theirs.pids) / MIB,
  }
  const { calls, cpu } = compare(pairs)
  return { pairs, medians: { calls: calls.median, cpu: cpu.median }, residentMib }
}

const toResult = (cell: Cell, rival: string, samples: readonly Sample[]): Result => ({
  cell,
  rival,
  ...compare(samples.flatMap(({ pairs }) => pairs)),
  rounds: samples.length,
  errors: errorsOf(samples.map(({ medians }) => medians)),
  residentMib: {
    ours: Math.max(...samples.map(({ residentMib }) => residentMib.ours)),
    theirs: Math.max(...samples.map(({ residentMib }) => residentMib.theirs)),
  },
})

export type Results = { readonly results: readonly Result[]; readonly faults: readonly string[] }

/** A cell that fails is left out from then on, and one that is known well enough. */
export const play = async (
  match: Match,
  { pace, cores }: Manner,
  { signal, progress }: BenchContext,
): Promise<Results> => {
  const { cells, rival, plan } = match
  const samples = new Map<Cell, Sample[]>()
  const faults = new Map<Cell, string>()
  const playCell = async (cell: Cell, load: Parameters<typeof sample>[1]): Promise<void> => {
    const title = `${cellName(cell)}, beside ${rival}`
    try {
      const one = await sample(cell, load, { cores, signal })
      samples.set(cell, [...(samples.get(cell) ?? []), one])
      const { calls, cpu } = one.medians
      const said = `calls/s ${calls.toFixed(3)}, CPU per call ${cpu.toFixed(3)}`
      progress(`${title.padEnd(50)} ${said}`)
    } catch (error) {
      if (signal.aborted) throw error
      faults.set(cell, `${title}: ${lastLine(error)}`)
    }
  }
  const isOpen = (cell: Cell): boolean => {
    const rounds = (samples.get(cell) ?? []).map(({ medians }) => medians)
    return !faults.has(cell) && needsAnother(plan, rounds)
  }
  const startedAt = performance.now()
  for (let round = 1; performance.now() - startedAt <= plan.withinMs; round += 1) {
    const open = cells.filter(isOpen)
    if (open.length === 0) break
    progress(`beside ${rival}, round ${round}, ${open.length} cells`)
    await withBoth(match, async (ours, theirs) => {
      let warmupPairs = pace.firstWarmupPairs
      for (const cell of open) {
        await playCell(cell, { ...pace, warmupPairs, ours, theirs })
        warmupPairs = pace.warmupPairs
      }
    })
  }
  return {
    results: [...samples].map(([cell, all]) => toResult(cell, rival, all)),
    faults: [...faults.values()],
  }
}
