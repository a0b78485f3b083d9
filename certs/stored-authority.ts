// The one authority that all replicas share, in a Secret that the manifests create empty. The first
// replica to write wins, by the Secret's resource version; the others read what it wrote. What is
// stored but cannot be used is an error, never silently replaced: it may be somebody's own.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { fail, ok, type Result } from '../shared/result.ts'
import type { Authority } from './x509.ts'

export interface StoredAuthority {
  /** Undefined while the Secret is empty. */
  readonly authority: Authority | undefined
  readonly version: string
}

export interface AuthorityStore {
  read(): Promise<StoredAuthority>
  /** Writes on the condition that nobody has written since that version was read. */
  write(authority: Authority, version: string): Promise<'written' | 'conflict'>
}

/** Whether a stored authority can sign: it parses, is an authority, has its own key, and has not expired. */
export const checkAuthority = (authority: Authority, now: Date): Result<Authority, string> => {
  try {
    const certificate = new X509Certificate(authority.certificatePem)
    const key = createPrivateKey(authority.privateKeyPem)
    if (!certificate.ca) return fail('its certificate is no authority')
    if (!certificate.checkPrivateKey(key)) return fail('its key does not belong to its certificate')
    if (new Date(certificate.validTo) <= now) return fail(`it expired on ${certificate.validTo}`)
    return ok(authority)
  } catch {
    return fail('it does not parse')
  }
}

// Each conflict means that another replica has written; one more read finds what it wrote.
const MAX_ATTEMPTS = 5

/** The shared authority, made by `create` where there is none yet. */
export const ensureAuthority = async (
  store: AuthorityStore,
  create: () => Promise<Authority>,
  now: Date,
): Promise<Result<Authority, string>> => {
  let made: Authority | undefined
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const { authority, version } = await store.read()
    if (authority) {
      const checked = checkAuthority(authority, now)
      return checked.ok
        ? checked
        : fail(
            `the stored CA cannot be used: ${checked.error}; empty the Secret's data and a new one is made`,
          )
    }
    made ??= await create()
    if ((await store.write(made, version)) === 'written') return ok(made)
  }
  return fail(
    `the CA Secret changed ${MAX_ATTEMPTS} times while it was being written; somebody else keeps writing it`,
  )
}
