// Whether a request comes from who holds the key that its token is bound to (RFC 9449, section 7): by a proof for this
// request alone, made with a text of ours, never seen before. Only proofs by keys of good tokens are verified or remembered.

import { hash } from 'node:crypto'
import { fail, ok, type Result } from '../../shared/result.ts'
import { isSignedBy, thumbprintOfKey } from './jose.ts'
import { Nonces, type NoncesOptions } from './nonces.ts'
import { Places } from './places.ts'
import { claimsFault, readProof, type Proven, type UnverifiedProof } from './proof.ts'
import type { Refusal } from './verifier.ts'
import { Crowd, type WhenGone } from './waiting.ts'

/** Of Node's four threads that verify; and who waits for that. */
const MAX_AT_ONCE = 8
const MAX_WAITING = 512

export interface ProofsOptions extends NoncesOptions {
  readonly isTarget: Proven['isTarget']
  /** Milliseconds since 1970. */
  readonly wallMs: () => number
}

/** What is to be proven. */
export interface Claimed {
  /** What stands in the header DPoP. */
  readonly proof: string | undefined
  readonly method: string
  readonly token: string
  /** The thumbprint of the key that the token is bound to (RFC 7638). */
  readonly key: string | undefined
}

/** The text to make the next proof with, where that is another. */
export interface Proof {
  readonly nonce: string | undefined
}

const unproven = (why: string): Result<never, Refusal> =>
  fail({ kind: 'invalid', why: `its proof is: ${why}`, error: 'invalid_dpop_proof' })

const MISSING =
  'missing: the header DPoP holds one that is made with the text of the header DPoP-Nonce'

const stale: Result<never, Refusal> = fail({
  kind: 'invalid',
  why: 'its proof is not made with the text of the header DPoP-Nonce (nonce), which is good for a minute or two, at the replica that gave it',
  error: 'use_dpop_nonce',
})

export class Proofs {
  private readonly options: ProofsOptions
  private readonly nonces: Nonces
  private readonly places = new Places(MAX_AT_ONCE, new Crowd(MAX_WAITING))
  /** Proofs that are being verified: requests that nobody has counted yet. */
  pending = 0

  constructor(options: ProofsOptions) {
    this.options = options
    this.nonces = new Nonces(options)
  }

  /** The text to make proofs with now. */
  get nonce(): string {
    return this.nonces.current
  }

  async check(claimed: Claimed, whenGone: WhenGone): Promise<Result<Proof, Refusal>> {
    if (claimed.proof === undefined) return unproven(MISSING)
    const read = readProof(claimed.proof)
    if (!read.ok) return unproven(read.error)
    const { nonce = '', jti } = read.value
    const mark = this.nonces.memoryOf(nonce)
    if (!mark) return stale
    const fault = await this.faultOf(read.value, claimed)
    if (fault !== undefined) return unproven(fault)
    const signed = await this.verify(claimed.proof, read.value, whenGone)
    if (!signed.ok) return signed
    if (!signed.value) return unproven('its signature is wrong')
    if (!mark(hash('sha256', `${claimed.key} ${jti}`, 'base64'))) {
      return unproven('it was used before (jti): each request needs one of its own')
    }
    const { current } = this.nonces
    return ok({ nonce: current === nonce ? undefined : current })
  }

  private async faultOf(
    { claims, jwk }: UnverifiedProof,
    { method, token, key }: Claimed,
  ): Promise<string | undefined> {
    const { isTarget, wallMs } = this.options
    const tokenHash = hash('sha256', token, 'base64url')
    const fault = claimsFault(claims, { method, isTarget, tokenHash, nowSeconds: wallMs() / 1000 })
    if (fault !== undefined) return fault
    return key !== undefined && (await thumbprintOfKey(jwk)) === key
      ? undefined
      : 'its key is not the one that the token is bound to'
  }

  private async verify(
    proof: string,
    { alg, jwk }: UnverifiedProof,
    whenGone: WhenGone,
  ): Promise<Result<boolean, Refusal>> {
    this.pending++
    try {
      return await this.places.take(whenGone, () => isSignedBy(proof, jwk, alg))
    } finally {
      this.pending--
    }
  }
}
