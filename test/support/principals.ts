// Callers for unit tests of what stands behind authorization.

import { grant, type Permit } from '../../sidecar/access/permit.ts'
import type { Principal } from '../../sidecar/access/principal.ts'
import type { Rights } from '../../sidecar/access/rights.ts'

/** What `authorize` gives the principal with this key. */
export const permitOf = (key: string): Permit => grant({ key }, Infinity)

/** The same of somebody of whom more is known. */
export const permitFor = (principal: Principal): Permit => grant(principal, Infinity)

/** The same by a token of this program's. */
export const permitOfClient = (key: string, client: string): Permit => {
  const rest = { issuer: 'https://issuer.example', scopes: [], groups: [], actors: [] }
  return grant({ key, identity: { ...rest, subject: key, client } }, Infinity)
}

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
