// The check of arguments, where it is wanted: else nothing of it is loaded.

import type { VettingPart } from '../conversation/vetting.ts'

export const loadValidation = async (
  isWanted: boolean,
  now: () => number,
): Promise<VettingPart | undefined> => {
  if (!isWanted) return undefined
  const { startValidation } = await import('./start-validation.ts')
  return startValidation(now)
}
