// A bench of several parts, each with cells that can be asked for by name.

import type { BenchContext } from './bench.ts'
import { buildSidecar } from './bridge/contenders.ts'
import type { Report } from './report.ts'

export interface Part {
  readonly cells: readonly string[]
  readonly measure: (
    context: BenchContext,
    folder: string,
    wanted: readonly string[],
  ) => Promise<Report>
}

/** Measures what is asked for of them, one after the other, on what is built now. */
export const measureParts =
  (all: readonly Part[]) =>
  async (context: BenchContext, folder: string): Promise<Report> => {
    const { cells } = context
    const isWanted = (name: string): boolean =>
      cells.length === 0 || cells.some((part) => name.includes(part))
    const parts = all.map((part) => ({ ...part, wanted: part.cells.filter(isWanted) }))
    if (parts.every(({ wanted }) => wanted.length === 0)) {
      throw new Error(`--cell: there are ${all.flatMap((part) => part.cells).join('; ')}`)
    }
    buildSidecar()
    const reports: Report[] = []
    for (const { measure, wanted } of parts) {
      if (wanted.length > 0) reports.push(await measure(context, folder, wanted))
    }
    return {
      figures: reports.flatMap(({ figures }) => figures),
      budgets: reports.flatMap(({ budgets }) => budgets),
      faults: reports.flatMap(({ faults }) => faults),
    }
  }
