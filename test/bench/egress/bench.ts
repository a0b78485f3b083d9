// The egress bench: the proxy beside others, what confinement and the observer cost, and that calls that reach nothing cost what they
// did.

import type { Bench } from '../bench.ts'
import { coresApart, describeCores } from '../bridge/cores.ts'
import { inFolder } from '../in-folder.ts'
import { measureParts, type Part } from '../parts.ts'
import { BRIDGE_CELLS, measureBridge } from './bridging.ts'
import { CONNECT_CELL, measureConnects } from './connects.ts'
import { measureObserver, OBSERVER_CELL } from './observing.ts'
import { measureProxies, PROXY_CELLS } from './proxies.ts'

const PARTS: readonly Part[] = [
  { cells: PROXY_CELLS, measure: measureProxies },
  { cells: [CONNECT_CELL], measure: (context) => measureConnects(context) },
  { cells: [OBSERVER_CELL], measure: (context) => measureObserver(context) },
  { cells: BRIDGE_CELLS, measure: (context, _folder, wanted) => measureBridge(context, wanted) },
]

export const egressBench: Bench = {
  name: 'egress',
  summary: 'the egress proxy beside others, confinement, and calls that reach nothing',
  conditions: () => describeCores(coresApart()),
  run: inFolder(measureParts(PARTS)),
}
