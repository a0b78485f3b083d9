// From a token to its bearer. What was verified is remembered for a while, never longer than the token is valid and the
// keys are its issuer's that it was verified by; the token itself is kept nowhere.

import { numberAt } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { verifiedPrincipal, type Principal } from '../access/principal.ts'
import { SKEW_SECONDS } from './algorithms.ts'
import { identityOf } from './claims.ts'
import type { FoundKey, IssuerKeys, KeySet } from './issuer-keys.ts'
import { verify } from './jose.ts'
import { digestOf, Remembered } from './remembered.ts'
import { readToken, type UnverifiedToken } from './token.ts'
import { Places } from './places.ts'
import { Crowd, type Unserved, type WhenGone } from './waiting.ts'

/** Of Node's four threads that verify. */
const MAX_AT_ONCE = 8
/** For that. */
const MAX_WAITING = 512

export interface TrustedIssuer {
  readonly keys: IssuerKeys
  /** Of which a token must name one. */
  readonly audiences: () => readonly string[]
  /** The claim that holds groups. */
  readonly groupsClaim: string | undefined
}

export interface VerifierOptions {
  readonly issuers: ReadonlyMap<string, TrustedIssuer>
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds since 1970: tokens say times of day. */
  readonly wallMs: () => number
}

/** Who calls, and until when that is true (monotonic milliseconds). */
export interface Bearer {
  readonly principal: Principal
  readonly untilMs: number
}

export type Refusal =
  | { readonly kind: 'invalid'; readonly why: string }
  | { readonly kind: 'unavailable'; readonly retryMs: number }
  | Unserved

interface Verified {
  readonly principal: Principal
  /** Milliseconds since 1970. */
  readonly untilMs: number
  readonly keys: IssuerKeys
  readonly set: KeySet
}

const invalid = (why: string): Result<never, Refusal> => fail({ kind: 'invalid', why })
const unknownKey = invalid('its issuer has no key of its kid and algorithm')

export class Verifier {
  private readonly options: VerifierOptions
  private readonly remembered = new Remembered<Verified>()
  private readonly places = new Places(MAX_AT_ONCE, new Crowd(MAX_WAITING))

  constructor(options: VerifierOptions) {
    this.options = options
  }

  /** The bearer of a token: at once, where it was verified a while ago. */
  identify(
    token: string,
    whenGone: WhenGone,
  ): Result<Bearer, Refusal> | Promise<Result<Bearer, Refusal>> {
    const digest = digestOf(token)
    const found = this.remembered.get(digest)
    if (!found) return this.verify(token, digest, whenGone)
    found.keys.refresh()
    if (found.set === found.keys.current && this.options.wallMs() < found.untilMs) {
      return ok(this.bearer(found))
    }
    this.remembered.delete(digest)
    return this.verify(token, digest, whenGone)
  }

  private async verify(
    token: string,
    digest: string,
    whenGone: WhenGone,
  ): Promise<Result<Bearer, Refusal>> {
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
    const judged = verified.value
    if (!judged.ok) return invalid(judged.error)
    this.remembered.set(digest, judged.value, token.length)
    return ok(this.bearer(judged.value))
  }

  private async judge(
    token: string,
    { issuer, alg }: UnverifiedToken,
    { audiences, groupsClaim, keys }: TrustedIssuer,
    { key, set }: FoundKey,
  ): Promise<Result<Verified, string>> {
    const nowMs = this.options.wallMs()
    const expected = { issuer, alg, audiences: audiences(), now: new Date(nowMs) }
    const claims = await verify(token, key, expected)
    if (!claims.ok) return claims
    const identity = identityOf(claims.value, { issuer, groupsClaim, nowSeconds: nowMs / 1000 })
    if (!identity.ok) return identity
    const untilMs = ((numberAt(claims.value, 'exp') ?? 0) + SKEW_SECONDS) * 1000
    return ok({ principal: verifiedPrincipal(identity.value), untilMs, keys, set })
  }

  private bearer({ principal, untilMs }: Verified): Bearer {
    const { now, wallMs } = this.options
    return { principal, untilMs: now() + untilMs - wallMs() }
  }
}
