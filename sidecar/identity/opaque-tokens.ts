// From a token that only its issuer can read to its bearer, by asking that one. A good answer counts for a minute, so that a
// token that was taken back is soon refused; a bad one for some seconds, so that who insists does not make the issuer
// answer each time. While the issuer is away nobody is let in beyond that.

import { numberAt } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { SKEW_SECONDS } from './algorithms.ts'
import { bearerOf, type Asked } from './answers.ts'
import { lengthOf, principalBy, type PrincipalOf } from './caller-values.ts'
import { boundTo } from './claims.ts'
import type { Introspection } from './introspection.ts'
import { Remembered } from './remembered.ts'
import type { BroughtToken, Refusal, Verified } from './verifier.ts'
import type { WhenGone } from './waiting.ts'

const GOOD_MS = 60_000
const BAD_MS = 5000

const byIdentity = principalBy(undefined)

export interface OpaqueTokensOptions extends Omit<Asked, 'audiences' | 'nowSeconds'> {
  readonly audiences: () => readonly string[]
  /** Absent: by the identity alone. */
  readonly principalOf?: PrincipalOf | undefined
  readonly introspection: Introspection
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallMs: () => number
}

interface Refused {
  readonly refusal: Extract<Refusal, { readonly why: string }>
  readonly untilMs: number
}

export class OpaqueTokens {
  private readonly options: OpaqueTokensOptions
  private readonly refused = new Remembered<Refused>()
  /** The tokens that were good when they were last asked about. */
  private readonly good = new Remembered<true>()

  constructor(options: OpaqueTokensOptions) {
    this.options = options
  }

  async verify(brought: BroughtToken, whenGone: WhenGone): Promise<Result<Verified, Refusal>> {
    const { digest } = brought
    const { now, introspection } = this.options
    const known = this.refused.get(digest)
    if (known && now() < known.untilMs) return fail(known.refusal)
    const wasGood = this.good.get(digest) === true
    const answer = await introspection.ask({ ...brought, wasGood }, whenGone)
    if (!answer.ok) return answer
    const { audiences, wallMs, principalOf = byIdentity } = this.options
    const asked = { ...this.options, audiences: audiences(), nowSeconds: wallMs() / 1000 }
    const bearer = bearerOf(answer.value, asked)
    if (!bearer.ok) return this.refuse(digest, { kind: 'invalid', why: bearer.error })
    const principal = principalOf(bearer.value, answer.value)
    if (!principal.ok) {
      const { error } = principal
      return 'why' in error ? this.refuse(digest, error) : principal
    }
    this.good.set(digest, true, 0)
    const askAgainMs = now() + GOOD_MS
    return ok({
      principal: principal.value,
      untilMs: ((numberAt(answer.value, 'exp') ?? 0) + SKEW_SECONDS) * 1000,
      length: JSON.stringify(bearer.value).length + lengthOf(principal.value),
      ...boundTo(answer.value),
      isStill: (nowMs) => nowMs < askAgainMs,
    })
  }

  private refuse(digest: string, refusal: Refused['refusal']): Result<never, Refusal> {
    this.good.delete(digest)
    const untilMs = this.options.now() + BAD_MS
    this.refused.set(digest, { refusal, untilMs }, refusal.why.length)
    return fail(refusal)
  }
}
