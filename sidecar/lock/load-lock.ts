// The tool lock, where there is one: else nothing of it is loaded.

import type { LockParts, StartedLock } from './start-lock.ts'

/** Rejects with everything that is wrong with the lock. */
export const loadLock = async (
  path: string | undefined,
  parts: LockParts,
): Promise<StartedLock | undefined> => {
  if (path === undefined) return undefined
  const { startLock } = await import('./start-lock.ts')
  return startLock(path, parts)
}
