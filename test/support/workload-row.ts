// A workload as `outrigger status` lists it.

import type { Row } from '../../cli/status/status.ts'

/** One pod that is well. */
export const row = (name: string, missingCompanions?: readonly string[]): Row => ({
  namespace: 'tools',
  kind: 'Pod',
  name,
  state: 'inside',
  ready: 1,
  desired: 1,
  bare: 0,
  held: 0,
  accounts: ['default'],
  sidecars: [],
  missingCompanions,
  advice: undefined,
})
