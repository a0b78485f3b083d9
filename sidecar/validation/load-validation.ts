// The check of arguments, where it is wanted: else nothing of it is loaded.

import type { VettingPart } from '../conversation/vetting.ts'
import type { ValidationParts } from './start-validation.ts'

export const loadValidation = async (
  isWanted: boolean,
  parts: ValidationParts,
): Promise<VettingPart | undefined> => {
  if (!isWanted) return undefined
  const { startValidation } = await import('./start-validation.ts')
  return startValidation(parts)
}
