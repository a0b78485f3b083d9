// The tool locks, where there are any: else nothing of them is loaded.

import type { LockParts, LockSources, StartedLocks } from './start-lock.ts'

/** Rejects with everything that is wrong with a lock. */
export const loadLocks = async (
  sources: LockSources,
  parts: LockParts,
): Promise<StartedLocks | undefined> => {
  if (sources.path === undefined && sources.base === undefined) return undefined
  const { startLocks } = await import('./start-lock.ts')
  return startLocks(sources, parts)
}
