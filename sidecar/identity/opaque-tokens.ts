// From a token that only its issuer can read to its bearer, by asking that one. A good answer counts for a minute, so that a
// token that was taken back is soon refused; a bad one for some seconds, so that who insists does not make the issuer
// answer each time. While the issuer is away nobody is let in beyond that.

import { numberAt } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { verifiedPrincipal } from '../access/principal.ts'
import { SKEW_SECONDS } from './algorithms.ts'
import { bearerOf, type Asked } from './answers.ts'
import { boundTo } from './claims.ts'
import type { Introspection } from './introspection.ts'
import { Remembered } from './remembered.ts'
import type { BroughtToken, Refusal, Verified } from './verifier.ts'
import type { WhenGone } from './waiting.ts'

const GOOD_MS = 60_000
const BAD_MS = 5000

export interface OpaqueTokensOptions extends Omit<Asked, 'audiences' | 'nowSeconds'> {
  readonly audiences: () => readonly string[]
  readonly introspection: Introspection
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallMs: () => number
}

interface Refused {
  readonly why: string
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
    if (known && now() < known.untilMs) return fail({ kind: 'invalid', why: known.why })
    const wasGood = this.good.get(digest) === true
    const answer = await introspection.ask({ ...brought, wasGood }, whenGone)
    if (!answer.ok) return answer
    const { audiences, wallMs } = this.options
    const asked = { ...this.options, audiences: audiences(), nowSeconds: wallMs() / 1000 }
    const bearer = bearerOf(answer.value, asked)
    if (!bearer.ok) {
      this.good.delete(digest)
      this.refused.set(digest, { why: bearer.error, untilMs: now() + BAD_MS }, bearer.error.length)
      return fail({ kind: 'invalid', why: bearer.error })
    }
    this.good.set(digest, true, 0)
    const askAgainMs = now() + GOOD_MS
    return ok({
      principal: verifiedPrincipal(bearer.value),
      untilMs: ((numberAt(answer.value, 'exp') ?? 0) + SKEW_SECONDS) * 1000,
      length: JSON.stringify(bearer.value).length,
      ...boundTo(answer.value),
      isStill: (nowMs) => nowMs < askAgainMs,
    })
  }
}
