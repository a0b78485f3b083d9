// The check of arguments, where it is wanted: else nothing of it is loaded.

import type { Vetting } from '../conversation/vetting.ts'

export const loadValidation = async (
  isWanted: boolean,
  now: () => number,
): Promise<Vetting | undefined> => {
  if (!isWanted) return undefined
  const { startValidation } = await import('./start-validation.ts')
  return startValidation(now)
}
