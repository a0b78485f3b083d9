// Who the bearer of a JWT-SVID is (SPIFFE JWT-SVID, sections 2 and 3): which workload of a trust domain. Its signature,
// audience and end are verified before. Pure.

import type { JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { covers, trustDomainOf } from '../../shared/spiffe.ts'
import type { Identity } from '../access/principal.ts'
import { usageFault } from './claims.ts'
import type { UnverifiedToken } from './token.ts'
import { workloadIdentity } from './workload.ts'

/** Section 2.1: fewer than other tokens may be signed by. */
const ALGORITHM = /^(?:RS|ES|PS)\d{3}$/
/** Section 2.3. */
const TYPES: ReadonlySet<unknown> = new Set([undefined, 'JWT', 'JOSE'])
/** All that the header may hold (section 2). */
const MEMBERS: ReadonlySet<string> = new Set(['alg', 'kid', 'typ'])

/** Of a trust domain. */
export interface Workloads {
  readonly name: string
  /** Those that may call; `/*` at the end is everything below. */
  readonly ids: readonly string[]
}

/** Why it is no JWT-SVID, by its header. */
export const svidHeaderFault = ({ alg, header }: UnverifiedToken): string | undefined => {
  if (!ALGORITHM.test(alg)) return 'its algorithm is not one of JWT-SVIDs'
  if (!TYPES.has(header['typ'])) return 'its typ is not that of a JWT-SVID'
  const strange = Object.keys(header).find((name) => !MEMBERS.has(name))
  return strange === undefined ? undefined : `its header bears ${strange.slice(0, 64)}`
}

/** Who the bearer is, by claims that are verified; the reason where it is nobody here. */
export const bearerOf = (
  claims: JsonObject,
  { name, ids }: Workloads,
  nowSeconds: number,
): Result<Identity, string> => {
  const { sub } = claims
  const fault = usageFault(claims, { nowSeconds })
  if (fault !== undefined) return fail(fault)
  if (Object.hasOwn(claims, 'act')) return fail('it is used for another (act), as no JWT-SVID is')
  if (typeof sub !== 'string' || trustDomainOf(sub) !== name) {
    return fail('its SPIFFE ID is of another trust domain (sub)')
  }
  return ids.some((pattern) => covers(pattern, sub))
    ? ok(workloadIdentity(name, sub))
    : fail('its SPIFFE ID is not among those that are listed (sub)')
}
