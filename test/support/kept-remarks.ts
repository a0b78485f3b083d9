// Remarks that a test can read.

import type { Remarks, Tolerance } from '../../sidecar/mcp/tolerance.ts'

export type KeptRemarks = Remarks & { readonly tolerances: Tolerance[] }

export const keptRemarks = (): KeptRemarks => {
  const tolerances: Tolerance[] = []
  return { tolerances, tolerated: (what) => void tolerances.push(what) }
}
