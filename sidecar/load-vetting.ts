// What the server's words are held against, each where it is wanted: the tool lock, the schemas of its tools.

import type { SidecarConfig } from '../shared/sidecar-config.ts'
import { vettingOf, type Vetting } from './conversation/vetting.ts'
import { loadLocks } from './lock/load-lock.ts'
import type { LockParts } from './lock/start-lock.ts'
import { loadValidation } from './validation/load-validation.ts'

export interface StartedVetting {
  /** Undefined where what the server lists is not looked at. */
  readonly vetting: Vetting | undefined
  readonly close: () => void
}

/** Rejects with everything that is wrong with the lock. */
export const loadVetting = async (
  { toolLock, baseLock, settings }: SidecarConfig,
  parts: LockParts,
): Promise<StartedVetting> => {
  const locks = await loadLocks({ path: toolLock, base: baseLock }, parts)
  const validation = await loadValidation(settings['validate-arguments'], parts)
  return { vetting: vettingOf([...(locks?.locks ?? []), validation]), close: () => locks?.close() }
}
