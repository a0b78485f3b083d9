// Remarks that a test can read.

import type { Oddity, Remarks, Tolerance } from '../../sidecar/mcp/tolerance.ts'

export type KeptRemarks = Remarks & {
  readonly tolerances: Tolerance[]
  readonly oddities: (readonly [what: Oddity, text: string])[]
}

export const keptRemarks = (): KeptRemarks => {
  const tolerances: Tolerance[] = []
  const oddities: (readonly [Oddity, string])[] = []
  return {
    tolerances,
    oddities,
    tolerated: (what) => void tolerances.push(what),
    odd: (what, text) => void oddities.push([what, text]),
  }
}
