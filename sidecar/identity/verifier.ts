// From a token to its bearer. What was verified is remembered for a while, never longer than the token is valid and whoever
// vouched for it still does, under the token's digest. The token itself is kept by an open connection alone, as its last good
// header (last-tokens.ts).

import { fail, ok, type Result } from '../../shared/result.ts'
import type { Principal } from '../access/principal.ts'
import type { Connection } from './connection.ts'
import type { OpaqueTokens } from './opaque-tokens.ts'
import { digestOf, Remembered } from './remembered.ts'
import { SignedTokens, type SignedTokensOptions } from './signed-tokens.ts'
import { isSigned, lengthFault } from './token.ts'
import type { Unserved, WhenGone } from './waiting.ts'

export interface VerifierOptions extends SignedTokensOptions {
  /** Absent: tokens that nobody has signed are refused. */
  readonly opaque?: OpaqueTokens | undefined
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** Who calls, and until when that is true (monotonic milliseconds). */
export interface Bearer {
  readonly principal: Principal
  readonly untilMs: number
  /** The thumbprint of the only key by whose proof that is true; absent: it is without. See `byScheme`. */
  readonly key?: string | undefined
  /**
   * Whether whoever vouched for it still does (`Verified`); absent: what its connection shows decides, too, and it is asked
   * about each time.
   */
  readonly isStill?: Verified['isStill'] | undefined
}

export type Refusal =
  | {
      readonly kind: 'invalid'
      readonly why: string
      /** Of the proof that came with it (RFC 9449, section 12.2); absent: of the token. */
      readonly error?: 'invalid_dpop_proof' | 'use_dpop_nonce'
    }
  /** It is good, and does not say what the server's processes are to have of their caller. */
  | { readonly kind: 'lacking'; readonly why: string }
  | { readonly kind: 'unavailable'; readonly retryMs: number }
  | Unserved

export interface Verified {
  readonly principal: Principal
  /** Milliseconds since 1970. */
  readonly untilMs: number
  /** The thumbprint of the only client certificate with which it counts; absent: it counts without. */
  readonly certificate?: string | undefined
  /** The same of a client's key. */
  readonly key?: string | undefined
  /** What its texts have of characters at most. */
  readonly length: number
  /** Whether whoever vouched for it still does, as far as is known here; `nowMs`: monotonic. */
  readonly isStill: (nowMs: number) => boolean
}

/** A token that is to be verified. */
export interface BroughtToken {
  readonly token: string
  /** Stands for it. */
  readonly digest: string
  /** The address from which it came. */
  readonly from: string
}

const NOTHING: Connection = { certificate: () => undefined, address: () => '' }

/** Both clocks, at once. */
interface Read {
  readonly nowMs: number
  readonly wallMs: number
}

const invalid = (why: string): Result<never, Refusal> => fail({ kind: 'invalid', why })

const UNBOUND = invalid('it is bound to no key (cnf): bring it by Bearer, without a proof')
const UNPROVEN = invalid(
  'it is bound to a key (cnf): bring it by the scheme DPoP, with a proof (RFC 9449)',
)

/** Who has a token that is bound to a key brings a proof of that; who has another, none (RFC 9449, section 7.1). */
export const byScheme = (
  found: Result<Bearer, Refusal>,
  isProven: boolean,
): Result<Bearer, Refusal> => {
  if (!found.ok || (found.value.key !== undefined) === isProven) return found
  return isProven ? UNBOUND : UNPROVEN
}

export class Verifier {
  private readonly options: VerifierOptions
  private readonly signed: SignedTokens
  private readonly remembered = new Remembered<Verified>()
  /** Tokens that are being verified: requests that nobody has counted yet. */
  pending = 0

  constructor(options: VerifierOptions) {
    this.options = options
    this.signed = new SignedTokens(options)
  }

  /**
   * The bearer of a token: at once, where it was verified a while ago. `shown`: what its connection shows; `digest`: the
   * token's, where somebody has it already.
   */
  identify(
    token: string,
    whenGone: WhenGone,
    shown: Connection = NOTHING,
    digest = digestOf(token),
  ): Result<Bearer, Refusal> | Promise<Result<Bearer, Refusal>> {
    const found = this.remembered.get(digest)
    if (found) {
      const read = this.readClocks()
      if (found.isStill(read.nowMs) && read.wallMs < found.untilMs) {
        return this.bearer(found, shown, read)
      }
      this.remembered.delete(digest)
    }
    return this.verify({ token, digest, from: shown.address() }, whenGone).then((verified) =>
      verified.ok ? this.bearer(verified.value, shown, this.readClocks()) : verified,
    )
  }

  /** Once for all that a call asks of them: a reading takes 60 ns. */
  private readClocks(): Read {
    const { now, wallMs } = this.options
    return { nowMs: now(), wallMs: wallMs() }
  }

  private async verify(
    brought: BroughtToken,
    whenGone: WhenGone,
  ): Promise<Result<Verified, Refusal>> {
    this.pending++
    try {
      return await this.verifyNow(brought, whenGone)
    } finally {
      this.pending--
    }
  }

  private async verifyNow(
    brought: BroughtToken,
    whenGone: WhenGone,
  ): Promise<Result<Verified, Refusal>> {
    const { opaque } = this.options
    const { token, digest } = brought
    const fault = lengthFault(token)
    if (fault !== undefined) return invalid(fault)
    const verified = await (opaque && !isSigned(token)
      ? opaque.verify(brought, whenGone)
      : this.signed.verify(token, whenGone))
    if (!verified.ok) return verified
    this.remembered.set(digest, verified.value, verified.value.length)
    return verified
  }

  /** Who has stolen a token that is bound to a certificate has not its key. */
  private bearer(
    { principal, untilMs, certificate, key, isStill }: Verified,
    shown: Connection,
    { nowMs, wallMs }: Read,
  ): Result<Bearer, Refusal> {
    if (certificate !== undefined && shown.certificate() !== certificate) {
      return invalid('it is bound to a client certificate (cnf) that this connection does not show')
    }
    const bearer = { principal, untilMs: nowMs + untilMs - wallMs, key }
    return ok(certificate === undefined ? { ...bearer, isStill } : bearer)
  }
}
