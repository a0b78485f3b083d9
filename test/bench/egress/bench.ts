// The egress bench: the proxy beside others, what confinement and the observer cost, and that calls that reach nothing cost what they
// did.

import type { Bench, BenchContext } from '../bench.ts'
import { buildSidecar } from '../bridge/contenders.ts'
import { coresApart, describeCores } from '../bridge/cores.ts'
import { inFolder } from '../in-folder.ts'
import type { Report } from '../report.ts'
import { BRIDGE_CELLS, measureBridge } from './bridging.ts'
import { CONNECT_CELL, measureConnects } from './connects.ts'
import { measureObserver, OBSERVER_CELL } from './observing.ts'
import { measureProxies, PROXY_CELLS } from './proxies.ts'

interface Part {
  readonly cells: readonly string[]
  readonly measure: (
    context: BenchContext,
    folder: string,
    wanted: readonly string[],
  ) => Promise<Report>
}

const PARTS: readonly Part[] = [
  { cells: PROXY_CELLS, measure: measureProxies },
  { cells: [CONNECT_CELL], measure: (context) => measureConnects(context) },
  { cells: [OBSERVER_CELL], measure: (context) => measureObserver(context) },
  { cells: BRIDGE_CELLS, measure: (context, _folder, wanted) => measureBridge(context, wanted) },
]

const measure = async (context: BenchContext, folder: string): Promise<Report> => {
  const { cells } = context
  const isWanted = (name: string): boolean =>
    cells.length === 0 || cells.some((part) => name.includes(part))
  const parts = PARTS.map((part) => ({ ...part, wanted: part.cells.filter(isWanted) }))
  if (parts.every(({ wanted }) => wanted.length === 0)) {
    throw new Error(`--cell: there are ${PARTS.flatMap((part) => part.cells).join('; ')}`)
  }
  buildSidecar()
  const reports: Report[] = []
  for (const { measure: measurePart, wanted } of parts) {
    if (wanted.length > 0) reports.push(await measurePart(context, folder, wanted))
  }
  return {
    figures: reports.flatMap(({ figures }) => figures),
    budgets: reports.flatMap(({ budgets }) => budgets),
    faults: reports.flatMap(({ faults }) => faults),
  }
}

export const egressBench: Bench = {
  name: 'egress',
  summary: 'the egress proxy beside others, confinement, and calls that reach nothing',
  conditions: () => describeCores(coresApart()),
  run: inFolder(measure),
}
