// From a token to its bearer. What was verified is remembered for a while under the token's digest, never longer than the
// token is valid and the keys are that it was verified by; the token itself is kept nowhere.

import { hash } from 'node:crypto'
import { numberAt } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { verifiedPrincipal, type Principal } from '../access/principal.ts'
import { identityOf } from './claims.ts'
import type { IssuerKeys, NoKey } from './issuer-keys.ts'
import { SKEW_SECONDS, verify } from './jose.ts'
import { readToken, type UnverifiedToken } from './token.ts'

/** Tokens that are remembered; the one that came first goes first. */
const MAX_REMEMBERED = 4096

export interface TrustedIssuer {
  readonly keys: IssuerKeys
  /** Of which a token must name one. */
  readonly audiences: () => readonly string[]
}

export interface VerifierOptions {
  readonly issuers: ReadonlyMap<string, TrustedIssuer>
  /** Milliseconds since 1970: tokens say times of day. */
  readonly wallMs: () => number
}

export type Refusal =
  { readonly kind: 'invalid'; readonly why: string } | { readonly kind: 'unavailable' }

interface Remembered {
  readonly principal: Principal
  readonly untilMs: number
  readonly keys: IssuerKeys
  readonly set: object | undefined
}

const invalid = (why: string): Result<never, Refusal> => fail({ kind: 'invalid', why })

const noKey = (kind: NoKey): Result<never, Refusal> =>
  kind === 'unavailable'
    ? fail({ kind })
    : invalid('its issuer has no key of its kid and algorithm')

export class Verifier {
  private readonly options: VerifierOptions
  private readonly remembered = new Map<string, Remembered>()

  constructor(options: VerifierOptions) {
    this.options = options
  }

  /** Its bearer, where it was verified a while ago; it may be waited for by nobody. */
  recall(digest: string): Principal | undefined {
    const found = this.remembered.get(digest)
    if (!found) return undefined
    found.keys.refresh()
    const isGood = found.set === found.keys.current && this.options.wallMs() < found.untilMs
    if (isGood) return found.principal
    this.remembered.delete(digest)
    return undefined
  }

  async verify(token: string, digest: string): Promise<Result<Principal, Refusal>> {
    const read = readToken(token)
    if (!read.ok) return invalid(read.error)
    const trusted = this.options.issuers.get(read.value.issuer)
    if (!trusted) return invalid('its issuer is not among those that are trusted here')
    const key = await trusted.keys.find(read.value)
    if (!key.ok) return noKey(key.error)
    const { current } = trusted.keys
    const claims = await this.claims(token, read.value, trusted, key.value)
    if (!claims.ok) return invalid(claims.error)
    const { issuer } = read.value
    const identity = identityOf(claims.value, issuer, this.options.wallMs() / 1000)
    if (!identity.ok) return invalid(identity.error)
    const principal = verifiedPrincipal(identity.value)
    const untilMs = ((numberAt(claims.value, 'exp') ?? 0) + SKEW_SECONDS) * 1000
    this.remember(digest, { principal, untilMs, keys: trusted.keys, set: current })
    return ok(principal)
  }

  private claims(
    token: string,
    { issuer, alg }: UnverifiedToken,
    { audiences }: TrustedIssuer,
    key: Parameters<typeof verify>[1],
  ): ReturnType<typeof verify> {
    const now = new Date(this.options.wallMs())
    return verify(token, key, { issuer, alg, audiences: audiences(), now })
  }

  private remember(digest: string, one: Remembered): void {
    const [oldest] = this.remembered.keys()
    if (this.remembered.size >= MAX_REMEMBERED && oldest !== undefined) {
      this.remembered.delete(oldest)
    }
    this.remembered.set(digest, one)
  }
}

/** By what a token is remembered: nobody gets back to the token from it. */
export const digestOf = (token: string): string => hash('sha256', token, 'base64')
