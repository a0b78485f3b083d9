// Callers for unit tests of what stands behind authorization.

import { grant, type Permit } from '../../sidecar/access/permit.ts'

/** What `authorize` gives the principal with this key. */
export const permitOf = (key: string): Permit => grant({ key }, Infinity)
