// The library that knows signatures: the only file that imports it.

import {
  calculateJwkThumbprint,
  compactVerify,
  errors,
  importJWK,
  jwtVerify,
  type CryptoKey,
  type JWK,
} from 'jose'
import { isObject, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { SKEW_SECONDS } from './algorithms.ts'

/** A public key for one algorithm; undefined where the key is not for that. */
export const importKey = async (jwk: JsonObject, alg: string): Promise<CryptoKey | undefined> => {
  try {
    // Without what says how the library may use it: the algorithm is ours to choose.
    const key = await importJWK({ ...publicPart(jwk) }, alg)
    return key instanceof Uint8Array ? undefined : key
  } catch {
    return undefined
  }
}

const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const

const publicPart = (jwk: JsonObject): JWK =>
  Object.fromEntries(
    PUBLIC_MEMBERS.flatMap((name) => {
      const value = jwk[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )

export interface Expected {
  /** Absent: whoever says to have issued it. */
  readonly issuer: string | undefined
  readonly audiences: readonly string[]
  readonly alg: string
  readonly now: Date
}

const WHY: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'it has expired',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'its signature is wrong',
}

const whyClaim: Readonly<Record<string, string>> = {
  aud: 'it is not meant for this server (aud)',
  nbf: 'it is not valid yet (nbf)',
  exp: 'it does not say until when it is valid (exp)',
  sub: 'it does not say whom it is about (sub)',
  iat: 'it does not say when it was issued by a number (iat)',
}

const reason = (error: unknown): string => {
  if (error instanceof errors.JWTClaimValidationFailed) {
    return whyClaim[error.claim] ?? 'a claim of it is wrong'
  }
  return (
    (error instanceof errors.JOSEError ? WHY[error.code] : undefined) ?? 'it cannot be verified'
  )
}

/** The claims of a token whose signature, audience and times hold, and issuer, where one is expected; else the reason. */
export const verify = async (
  token: string,
  key: CryptoKey,
  { issuer, audiences, alg, now }: Expected,
): Promise<Result<JsonObject, string>> => {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [alg],
      ...(issuer === undefined ? {} : { issuer }),
      audience: [...audiences],
      clockTolerance: SKEW_SECONDS,
      currentDate: now,
      requiredClaims: ['exp', 'sub', 'aud'],
    })
    return isObject(payload) ? ok(payload) : fail('it holds no claims')
  } catch (error) {
    return fail(reason(error))
  }
}

/** The thumbprint of a public key (RFC 7638); undefined where it is none. */
export const thumbprintOfKey = async (jwk: JsonObject): Promise<string | undefined> => {
  try {
    return await calculateJwkThumbprint(publicPart(jwk))
  } catch {
    return undefined
  }
}

/** Whether a text is signed by the key that comes with it. */
export const isSignedBy = async (text: string, jwk: JsonObject, alg: string): Promise<boolean> => {
  const key = await importKey(jwk, alg)
  if (!key) return false
  try {
    await compactVerify(text, key, { algorithms: [alg] })
    return true
  } catch {
    return false
  }
}
