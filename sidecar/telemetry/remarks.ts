// Takes note of what a peer sends that is not as it should be: each kind is counted, and logged when it is first seen.

import type { Log } from '../../shared/log.ts'
import {
  ODDITIES,
  TOLERANCES,
  type Oddity,
  type Remarks,
  type Tolerance,
} from '../mcp/tolerance.ts'
import type { Metrics } from './metrics.ts'

/** `seen` is this process's: who comes again says nothing new. */
export const createRemarks = (log: Log, { tolerated }: Pick<Metrics, 'tolerated'>): Remarks => {
  const seen = new Set<Tolerance | Oddity>()
  const isFirst = (what: Tolerance | Oddity): boolean => !seen.has(what) && seen.add(what).has(what)
  return {
    tolerated: (what) => {
      tolerated(what)
      if (isFirst(what)) log.info('tolerated', { what, why: TOLERANCES[what] })
    },
    odd: (what, text, process) => {
      if (!isFirst(what)) return
      const { says, fix } = ODDITIES[what]
      log.warn(says, { process, seen: text, fix })
    },
  }
}
