// Whose the CPU time of our sidecar under load is, by a profile of one more load: what is added to a call is seen in it.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BenchContext } from '../bench.ts'
import type { Figure, Report } from '../report.ts'
import { cellName, MAIN_CELL, MODERN_CELL, type Cell, type Pace } from './cells.ts'
import { OUR_DIST, startSidecar, type Started } from './contenders.ts'
import { warmUp } from './matches.ts'
import { sharesOf, type Shares } from './profile.ts'

type Load = { readonly cell: Cell; readonly pace: Pace; readonly signal: AbortSignal }

const profile = async (started: Started, { cell, pace, signal }: Load): Promise<Shares> => {
  const directory = mkdtempSync(join(tmpdir(), 'outrigger-profile-'))
  const nodeFlags = ['--cpu-prof', `--cpu-prof-dir=${directory}`]
  try {
    const sidecar = await startSidecar({ ...started, dist: OUR_DIST, settings: {}, nodeFlags })
    try {
      await warmUp(sidecar, cell, { pace, cores: started.cores }, signal)
    } finally {
      await sidecar.drain()
    }
    const [name = 'no profile'] = readdirSync(directory)
    return sharesOf(readFileSync(join(directory, name), 'utf8'))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** In the main cell of either era. */
export const measureShares = async (
  started: Started,
  pace: Pace,
  { signal, progress }: BenchContext,
): Promise<Report> => {
  const figures: Figure[] = []
  for (const cell of [MAIN_CELL, MODERN_CELL]) {
    progress(`${cellName(cell)}, profiled`)
    const { ours, node, native, collection } = await profile(started, { cell, pace, signal })
    figures.push({
      'CPU time of': cellName(cell),
      'our JavaScript': ours,
      "Node's": node,
      native,
      'garbage collection': collection,
    })
  }
  return { figures, budgets: [], faults: [] }
}
