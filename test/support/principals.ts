// Callers for unit tests of what stands behind authorization.

import { grant, type Permit } from '../../sidecar/access/permit.ts'
import type { Rights } from '../../sidecar/access/rights.ts'

/** What `authorize` gives the principal with this key. */
export const permitOf = (key: string): Permit => grant({ key }, Infinity)

/** The same by a tool policy. */
export const permitWith = (key: string, rights: Partial<Rights>): Permit => {
  const all = {
    mayBeAsked: () => true,
    mayRead: () => true,
    filterOf: () => undefined,
    blockedBy: () => undefined,
  }
  return grant({ key }, Infinity, { rule: undefined, roles: [], rights: { ...all, ...rights } })
}
