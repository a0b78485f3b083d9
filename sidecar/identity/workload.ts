// Who a workload is, by whichever SVID it has shown. Pure.

import type { Identity } from '../access/principal.ts'

/** By what a trust domain is called where issuers are. */
export const issuerOf = (trustDomain: string): string => `spiffe://${trustDomain}`

/** It has no scopes and no groups, and speaks for nobody else: an SVID says who a workload is, and nothing more. */
export const workloadIdentity = (trustDomain: string, id: string): Identity => ({
  issuer: issuerOf(trustDomain),
  subject: id,
  client: undefined,
  scopes: [],
  groups: [],
  actors: [],
})
