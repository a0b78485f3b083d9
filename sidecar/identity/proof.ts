// What a proof says, by which a client shows that it holds the key that its token is bound to (RFC 9449, section 4): read as
// strictly as a token, and held against the request that it came with. Pure; whether it is signed is not known here.

import { isObject, numberAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { isAlgorithm, keyKindOf, SKEW_SECONDS, type Algorithm } from './algorithms.ts'
import { partsOf, REFUSED } from './token.ts'

/** The largest that is needed, with an RSA key of 4,096 bits, has some 2,500. */
const MAX_CHARACTERS = 8192
const MAX_JTI = 256
/** As long as the text of ours that it holds can be good. */
const MAX_AGE_SECONDS = 120
/** Of a key that is not public (RFC 7518, section 6). */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const
/** What a token's header must not bear; here `jwk` must be. */
const STRANGE = REFUSED.filter((name) => name !== 'jwk')

export interface UnverifiedProof {
  readonly alg: Algorithm
  /** The client's key, as it says. */
  readonly jwk: JsonObject
  readonly claims: JsonObject
  /** What makes it another than all others of its key. */
  readonly jti: string
  readonly nonce: string | undefined
}

const keyFault = (jwk: JsonObject, alg: Algorithm): string | undefined => {
  if (PRIVATE.some((name) => Object.hasOwn(jwk, name))) return 'its jwk is not a public key'
  const { kty, crv } = keyKindOf(alg)
  const isRight = jwk['kty'] === kty && (crv === undefined || jwk['crv'] === crv)
  return isRight ? undefined : 'its jwk is no key for its algorithm'
}

const headerFault = (header: JsonObject): string | undefined => {
  const strange = STRANGE.find((name) => Object.hasOwn(header, name))
  if (strange !== undefined) return `its header bears ${strange}`
  return stringAt(header, 'typ')?.toLowerCase() === 'dpop+jwt'
    ? undefined
    : 'its typ is not dpop+jwt'
}

const read = (header: JsonObject, claims: JsonObject): Result<UnverifiedProof, string> => {
  const wrong = headerFault(header)
  if (wrong !== undefined) return fail(wrong)
  const { alg, jwk } = header
  if (!isAlgorithm(alg)) return fail('its algorithm is not accepted')
  if (!isObject(jwk)) return fail('its header bears no jwk')
  const fault = keyFault(jwk, alg)
  if (fault !== undefined) return fail(fault)
  const jti = stringAt(claims, 'jti') ?? ''
  if (jti === '' || jti.length > MAX_JTI) {
    return fail(`its jti is no text of 1 to ${MAX_JTI} characters`)
  }
  return ok({ alg, jwk, claims, jti, nonce: stringAt(claims, 'nonce') })
}

/** Reads a proof as far as that needs no key; the reason where it is none that could ever be accepted. */
export const readProof = (text: string): Result<UnverifiedProof, string> => {
  if (text.length > MAX_CHARACTERS) return fail(`it is longer than ${MAX_CHARACTERS} characters`)
  const parts = partsOf(text)
  return parts.ok ? read(parts.value.header, parts.value.claims) : parts
}

/** The request that a proof came with. */
export interface Proven {
  readonly method: string
  /** Whether a URL is the server's own, without query and fragment. */
  readonly isTarget: (url: string) => boolean
  /** SHA-256 of the token, in base64url. */
  readonly tokenHash: string
  readonly nowSeconds: number
}

/** Why it does not prove this request; undefined where it does. */
export const claimsFault = (claims: JsonObject, request: Proven): string | undefined => {
  const { method, isTarget, tokenHash, nowSeconds } = request
  if (claims['htm'] !== method) return 'it is for another method (htm)'
  if (!isTarget(stringAt(claims, 'htu') ?? ''))
    return "it is for another URL than the server's (htu)"
  if (claims['ath'] !== tokenHash) return 'it is for another token (ath)'
  const issued = numberAt(claims, 'iat')
  if (issued === undefined) return 'it does not say when it was made (iat)'
  if (issued > nowSeconds + SKEW_SECONDS) return 'it was made in the future (iat)'
  return issued < nowSeconds - MAX_AGE_SECONDS ? 'it is too old (iat)' : undefined
}
