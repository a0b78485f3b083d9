// Takes note of what a peer sends that is not as it should be: each kind is counted, and logged when it is first seen.

import type { Log } from '../../shared/log.ts'
import { TOLERANCES, type Remarks, type Tolerance } from '../mcp/tolerance.ts'
import type { Metrics } from './metrics.ts'

/** `seen` is this process's: a client that comes again says nothing new. */
export const createRemarks = (log: Log, { tolerated }: Pick<Metrics, 'tolerated'>): Remarks => {
  const seen = new Set<Tolerance>()
  return {
    tolerated: (what) => {
      tolerated(what)
      if (seen.has(what)) return
      seen.add(what)
      log.info('tolerated', { what, why: TOLERANCES[what] })
    },
  }
}
