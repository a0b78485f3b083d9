// From a token that its issuer or a trust domain has signed to its bearer: by their keys, so many at once. A listed issuer's is
// judged by that issuer's rules, whomever it is about; any other that names a workload of a trust domain is a JWT-SVID or nothing.

import { numberAt, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { trustDomainOf } from '../../shared/spiffe.ts'
import type { Identity } from '../access/principal.ts'
import { SKEW_SECONDS } from './algorithms.ts'
import { lengthOf, principalBy, type PrincipalOf } from './caller-values.ts'
import { boundTo, identityOf, type Binds } from './claims.ts'
import { verify } from './jose.ts'
import { bearerOf, svidHeaderFault, type Workloads } from './jwt-svid.ts'
import type { FoundKey, Keys } from './key-set.ts'
import { Places } from './places.ts'
import { readToken, typeFault, type UnverifiedToken } from './token.ts'
import type { Refusal, Verified } from './verifier.ts'
import { Crowd, type WhenGone } from './waiting.ts'

/** Of Node's four threads that verify. */
const MAX_AT_ONCE = 8
/** For that. */
const MAX_WAITING = 512

export interface TrustedIssuer extends Binds {
  readonly keys: Keys
  /** Of which a token must name one. */
  readonly audiences: () => readonly string[]
  /** The claim that holds groups. */
  readonly groupsClaim: string | undefined
  /** The only ones that it vouches for; absent: anybody. */
  readonly subjects?: ReadonlySet<string> | undefined
  /** Absent: by the identity alone. */
  readonly principalOf?: PrincipalOf | undefined
}

/** Whose JWT-SVIDs are taken. */
export interface TrustedDomain extends Workloads {
  readonly keys: Keys
  /** Of which one must name one. */
  readonly audiences: () => readonly string[]
  /** Absent: by the identity alone. */
  readonly principalOf?: PrincipalOf | undefined
}

export interface SignedTokensOptions {
  readonly issuers: ReadonlyMap<string, TrustedIssuer>
  /** By name; absent: no JWT-SVIDs are taken. */
  readonly trustDomains?: ReadonlyMap<string, TrustedDomain> | undefined
  /** Milliseconds since 1970: tokens say times of day. */
  readonly wallMs: () => number
  /** Hears of each token that has groups and does not say which. */
  readonly onLackOfGroups?: (issuer: string) => void
}

/** Who vouches for a token: by which keys, for which audiences, and who its bearer is then. */
interface Voucher {
  readonly keys: Keys
  readonly audiences: () => readonly string[]
  /** As the token must name it; absent: the token may name anybody. */
  readonly issuer?: string
  readonly identify: (claims: JsonObject, nowSeconds: number) => Result<Identity, string>
  readonly principalOf?: PrincipalOf | undefined
}

const invalid = (why: string): Result<never, Refusal> => fail({ kind: 'invalid', why })
const byIdentity = principalBy(undefined)
const unknownKey = invalid('its issuer has no key of its kid and algorithm')

export class SignedTokens {
  private readonly options: SignedTokensOptions
  private readonly places = new Places(MAX_AT_ONCE, new Crowd(MAX_WAITING))

  constructor(options: SignedTokensOptions) {
    this.options = options
  }

  async verify(token: string, whenGone: WhenGone): Promise<Result<Verified, Refusal>> {
    const read = readToken(token)
    if (!read.ok) return invalid(read.error)
    const voucher = this.voucherOf(read.value)
    if (!voucher.ok) return invalid(voucher.error)
    const key = await voucher.value.keys.find(read.value, whenGone)
    if (!key.ok) return key.error.kind === 'unknown' ? unknownKey : fail(key.error)
    const verified = await this.places.take(whenGone, () =>
      this.judge(token, read.value, voucher.value, key.value),
    )
    return verified.ok ? verified.value : verified
  }

  /** By what the token says of itself, which nobody has verified yet. */
  private voucherOf(token: UnverifiedToken): Result<Voucher, string> {
    const { issuers, trustDomains } = this.options
    const { issuer = '', subject = '' } = token
    const listed = issuers.get(issuer)
    if (listed) return this.issuerOf(token, issuer, listed)
    const domain = trustDomains?.get(trustDomainOf(subject) ?? '')
    if (domain) return domainOf(token, domain)
    if (trustDomains) {
      return fail(
        'neither its issuer (iss) nor the trust domain of its SPIFFE ID (sub) is among those that are trusted here',
      )
    }
    return fail(
      token.issuer === undefined
        ? 'it does not say who issued it (iss)'
        : 'its issuer is not among those that are trusted here',
    )
  }

  private issuerOf(
    token: UnverifiedToken,
    issuer: string,
    trusted: TrustedIssuer,
  ): Result<Voucher, string> {
    const fault = typeFault(token)
    if (fault !== undefined) return fail(fault)
    const { keys, audiences, subjects, principalOf } = trusted
    const identify: Voucher['identify'] = (claims, nowSeconds) => {
      const identity = identityOf(claims, { ...trusted, issuer, nowSeconds })
      if (!identity.ok) return identity
      if (subjects && !subjects.has(identity.value.subject)) {
        return fail('its ServiceAccount is not among those that are listed (sub)')
      }
      if (identity.value.lacksGroups) this.options.onLackOfGroups?.(issuer)
      return identity
    }
    return ok({ keys, audiences, issuer, identify, principalOf })
  }

  private async judge(
    token: string,
    { alg }: UnverifiedToken,
    { audiences, issuer, keys, identify, principalOf = byIdentity }: Voucher,
    { key, set }: FoundKey,
  ): Promise<Result<Verified, Refusal>> {
    const nowMs = this.options.wallMs()
    const expected = { issuer, alg, audiences: audiences(), now: new Date(nowMs) }
    const claims = await verify(token, key, expected)
    if (!claims.ok) return invalid(claims.error)
    const identity = identify(claims.value, nowMs / 1000)
    if (!identity.ok) return invalid(identity.error)
    const principal = principalOf(identity.value, claims.value)
    if (!principal.ok) return principal
    return ok({
      principal: principal.value,
      untilMs: ((numberAt(claims.value, 'exp') ?? 0) + SKEW_SECONDS) * 1000,
      length: token.length + lengthOf(principal.value),
      ...boundTo(claims.value),
      isStill: (atMs) => keys.serves(set, atMs),
    })
  }
}

const domainOf = (token: UnverifiedToken, domain: TrustedDomain): Result<Voucher, string> => {
  const fault = svidHeaderFault(token)
  if (fault !== undefined) return fail(fault)
  const { keys, audiences, principalOf } = domain
  return ok({
    keys,
    audiences,
    principalOf,
    identify: (claims, nowSeconds) => bearerOf(claims, domain, nowSeconds),
  })
}
