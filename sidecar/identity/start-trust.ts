// Verification, where callers are verified: else nothing of it is loaded.

import { NO_IDENTITY } from '../../shared/identity.ts'
import type { Trust, TrustOptions } from './trust.ts'

/** Undefined where everybody is let in; `port`: what is listened on, once it is. */
export const startTrust = async (
  options: TrustOptions,
  port: () => number,
): Promise<Trust | undefined> => {
  const { settings, issuers, trustDomains } = options.config
  // Whoever starts a sidecar says so in their own words first; here nobody can forget it.
  if (settings.auth !== 'none' && issuers.length === 0 && trustDomains.length === 0) {
    throw new Error(NO_IDENTITY)
  }
  if (settings.auth === 'none') return undefined
  const { createTrust } = await import('./trust.ts')
  return createTrust(options, port)
}
