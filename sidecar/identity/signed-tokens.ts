// From a token that its issuer has signed to its bearer: by that issuer's keys, so many at once.

import { numberAt } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { verifiedPrincipal } from '../access/principal.ts'
import { SKEW_SECONDS } from './algorithms.ts'
import { boundTo, identityOf, type Binds } from './claims.ts'
import type { FoundKey, IssuerKeys } from './issuer-keys.ts'
import { verify } from './jose.ts'
import { Places } from './places.ts'
import { readToken, type UnverifiedToken } from './token.ts'
import type { Refusal, Verified } from './verifier.ts'
import { Crowd, type WhenGone } from './waiting.ts'

/** Of Node's four threads that verify. */
const MAX_AT_ONCE = 8
/** For that. */
const MAX_WAITING = 512

export interface TrustedIssuer extends Binds {
  readonly keys: IssuerKeys
  /** Of which a token must name one. */
  readonly audiences: () => readonly string[]
  /** The claim that holds groups. */
  readonly groupsClaim: string | undefined
  /** The only ones that it vouches for; absent: anybody. */
  readonly subjects?: ReadonlySet<string> | undefined
}

export interface SignedTokensOptions {
  readonly issuers: ReadonlyMap<string, TrustedIssuer>
  /** Milliseconds since 1970: tokens say times of day. */
  readonly wallMs: () => number
  /** Hears of each token that has groups and does not say which. */
  readonly onLackOfGroups?: (issuer: string) => void
}

const invalid = (why: string): Result<never, Refusal> => fail({ kind: 'invalid', why })
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
    const issuer = this.options.issuers.get(read.value.issuer)
    if (!issuer) return invalid('its issuer is not among those that are trusted here')
    const key = await issuer.keys.find(read.value, whenGone)
    if (!key.ok) return key.error.kind === 'unknown' ? unknownKey : fail(key.error)
    const verified = await this.places.take(whenGone, () =>
      this.judge(token, read.value, issuer, key.value),
    )
    if (!verified.ok) return verified
    return verified.value.ok ? verified.value : invalid(verified.value.error)
  }

  private async judge(
    token: string,
    { issuer, alg }: UnverifiedToken,
    trusted: TrustedIssuer,
    { key, set }: FoundKey,
  ): Promise<Result<Verified, string>> {
    const { audiences, subjects, keys } = trusted
    const nowMs = this.options.wallMs()
    const expected = { issuer, alg, audiences: audiences(), now: new Date(nowMs) }
    const claims = await verify(token, key, expected)
    if (!claims.ok) return claims
    const identity = identityOf(claims.value, { ...trusted, issuer, nowSeconds: nowMs / 1000 })
    if (!identity.ok) return identity
    if (subjects && !subjects.has(identity.value.subject)) {
      return fail('its ServiceAccount is not among those that are listed (sub)')
    }
    if (identity.value.lacksGroups) this.options.onLackOfGroups?.(issuer)
    return ok({
      principal: verifiedPrincipal(identity.value),
      untilMs: ((numberAt(claims.value, 'exp') ?? 0) + SKEW_SECONDS) * 1000,
      length: token.length,
      ...boundTo(claims.value),
      isStill: () => keys.serves(set),
    })
  }
}
