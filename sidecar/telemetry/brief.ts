// What somebody else has written, as spans and records hold it: without secrets, and no longer than anybody reads. Pure.

import { withoutSecrets } from '../../shared/audit/secrets.ts'

/** Longest text, characters. */
const MAX_LENGTH = 256

/** Never with half a character, whoever cut it before. */
export const cut = (text: string): string => text.slice(0, MAX_LENGTH).toWellFormed()

/** Of a text so much is looked at for secrets. */
const MAX_CLEANED = 1024

/** The beginning of a text, without secrets: cleaned before it is cut, so that none is cut in two and not known. */
export const brief = (text: string): string => {
  const cleaned = withoutSecrets(text.slice(0, MAX_CLEANED).toWellFormed())
  if (text.length <= MAX_CLEANED) return cut(cleaned)
  // What stands close to where the looking ended may be a part of one.
  return cut(cleaned.slice(0, Math.max(cleaned.length - MAX_CLEANED + MAX_LENGTH, 0)))
}
