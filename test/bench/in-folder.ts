// What most benches need around them: a folder of their own, which goes with them.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench, BenchContext } from './bench.ts'
import type { Report } from './report.ts'

type Measure = (context: BenchContext, folder: string) => Promise<Report>

/** The run of a bench that measures this build alone. */
export const inFolder =
  (measure: Measure): Bench['run'] =>
  async (context) => {
    if (context.against !== undefined) throw new Error('--against: bridge alone has it')
    const folder = mkdtempSync(join(tmpdir(), 'outrigger-bench-'))
    try {
      return await measure(context, folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
