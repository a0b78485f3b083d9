// Who somebody is, as verified: on record so that no two are one. Pure.

import { createHash } from 'node:crypto'

/** Of a longer one the digest of the whole stands behind so much. SPIFFE IDs have 2,048 at most, subjects of OpenID Connect 255. */
const MAX_LENGTH = 1024

export const identifier = (text: string): string => {
  if (text.length <= MAX_LENGTH) return text.toWellFormed()
  const digest = createHash('sha256').update(text).digest('base64url')
  return `${text.slice(0, MAX_LENGTH).toWellFormed()}[cut: sha256 ${digest}]`
}
