// Who a client is by the certificate that it has shown (SPIFFE X.509-SVID, section 5): which workload of which trust domain,
// by a chain to that domain's own authorities and to no other's, and until when. Pure.

import type { X509Certificate } from 'node:crypto'
import { fail, ok, type Result } from '../../shared/result.ts'
import { covers, trustDomainOf } from '../../shared/spiffe.ts'
import { usesOf, type Uses } from './extensions.ts'

/** A trust domain, with what holds of it now. */
export interface TrustDomain {
  readonly name: string
  readonly ids: readonly string[]
  readonly authorities: readonly X509Certificate[]
}

export interface Svid {
  readonly trustDomain: string
  readonly id: string
  /** Milliseconds since 1970: the earliest end of its chain, as far as that is seen. */
  readonly untilMs: number
  /** Only OpenSSL has seen its chain: it is believed as long as none of the authorities goes. */
  readonly isUnseen: boolean
}

const usageFault = ({ isAuthority, keyUsage }: Uses): string | undefined => {
  if (isAuthority) return "it is an authority's"
  if (keyUsage?.signs !== true) return 'its keyUsage lacks digitalSignature'
  return keyUsage.issues ? 'its keyUsage is that of an authority' : undefined
}

/** The workload's own name: the only URI, and nothing of its subject. */
export const workloadIdOf = (leaf: X509Certificate): Result<string, string> => {
  const uses = usesOf(leaf.raw)
  if (!uses) return fail('its extensions cannot be read, or demand what is not known here')
  const fault = usageFault(uses)
  if (fault !== undefined) return fail(fault)
  const [id = '', ...others] = uses.uris
  if (others.length > 0) return fail('it names several URIs')
  return trustDomainOf(id) === undefined ? fail('it names no SPIFFE ID of a workload') : ok(id)
}

const isIssuedBy = (one: X509Certificate, authority: X509Certificate): boolean =>
  one.checkIssued(authority) && one.verify(authority.publicKey)

/** Whether a certificate may sign another with so many authorities between that one and a leaf. */
const maySign = (authority: X509Certificate, below: number): boolean => {
  const uses = usesOf(authority.raw)
  return (
    uses !== undefined &&
    uses.isAuthority &&
    uses.maxBelow >= below &&
    uses.keyUsage?.issues !== false
  )
}

const endOf = ({ validTo }: X509Certificate): number => Date.parse(validTo)

const isValid = (one: X509Certificate, nowMs: number): boolean =>
  Date.parse(one.validFrom) <= nowMs && nowMs < endOf(one)

/** The chain as it was sent, each signed by the next, to the first that an authority has signed. */
const chainTo = (
  sent: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  nowMs: number,
): readonly X509Certificate[] | undefined => {
  for (const [index, one] of sent.entries()) {
    const isRight = isValid(one, nowMs) && (index === 0 || maySign(one, index - 1))
    const before = sent[index - 1]
    if (!isRight || (before && !isIssuedBy(before, one))) return undefined
    const anchor = authorities.find(
      (authority) =>
        isValid(authority, nowMs) && maySign(authority, index) && isIssuedBy(one, authority),
    )
    if (anchor) return [...sent.slice(0, index + 1), anchor]
  }
  return undefined
}

/** Whether a chain to some authority leads to this domain's: no other has any. */
const isOnly = (domain: TrustDomain, domains: readonly TrustDomain[]): boolean =>
  domains.every((one) => one.authorities.length > 0 === (one === domain))

/**
 * `sent`: the client's certificate, then what is seen of those that it has sent with it: some versions of Node show servers
 * none of these (nodejs/node#65579). `isVouched`: OpenSSL has found a chain to the authorities of all domains together, which
 * says enough where only one has any.
 */
export const svidOf = (
  sent: readonly X509Certificate[],
  domains: readonly TrustDomain[],
  nowMs: number,
  isVouched: boolean,
): Result<Svid, string> => {
  const [leaf] = sent
  if (!leaf) return fail('none was shown')
  const id = workloadIdOf(leaf)
  if (!id.ok) return id
  const name = trustDomainOf(id.value)
  const domain = domains.find((one) => one.name === name)
  if (!domain) return fail('its trust domain is not among those that are trusted here')
  if (!domain.ids.some((pattern) => covers(pattern, id.value))) {
    return fail('its SPIFFE ID is not among those that are listed')
  }
  const seen = chainTo(sent, domain.authorities, nowMs)
  const isUnseen = isVouched && isOnly(domain, domains) && isValid(leaf, nowMs)
  if (!seen && !isUnseen) {
    return fail(
      'no authority of its trust domain is seen to have signed it, or it is not valid now',
    )
  }
  const untilMs = Math.min(...(seen ?? [leaf]).map(endOf))
  return ok({ trustDomain: domain.name, id: id.value, untilMs, isUnseen: seen === undefined })
}
