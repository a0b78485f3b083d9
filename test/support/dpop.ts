// A client that holds a key, and proofs by it (RFC 9449) for whatever request a test names, also wrong ones.

import { hash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, SignJWT } from 'jose'
import { signingKey, type Claims, type SigningKey } from './issuer.ts'

export interface ProofParts {
  readonly header?: Claims
  readonly claims?: Claims
}

export interface Holder {
  readonly key: SigningKey
  /** Its key's thumbprint, as tokens name it (`cnf.jkt`). */
  readonly jkt: string
  /** A proof that is right but for what is said of it; a member that is undefined is left out. */
  readonly prove: (request: ProvenRequest, parts?: ProofParts) => Promise<string>
}

export interface ProvenRequest {
  readonly method: string
  readonly url: string
  readonly token: string
  readonly nonce: string | undefined
  readonly nowSeconds: number
}

/** The claims of a right proof. */
export const proofClaims = ({ method, url, token, nonce, nowSeconds }: ProvenRequest): Claims => ({
  htm: method,
  htu: url,
  ath: hash('sha256', token, 'base64url'),
  iat: Math.floor(nowSeconds),
  jti: randomUUID(),
  ...(nonce === undefined ? {} : { nonce }),
})

/** The public members alone. */
export const jwkOf = ({ publicJwk: { kid: _kid, alg: _alg, use: _use, ...jwk } }: SigningKey) => jwk

export const keyHolder = async (alg = 'ES256'): Promise<Holder> => {
  const key = await signingKey('own', alg)
  const jwk = jwkOf(key)
  return {
    key,
    jkt: await calculateJwkThumbprint(jwk),
    prove: (request, { header = {}, claims = {} } = {}) =>
      new SignJWT({ ...proofClaims(request), ...claims })
        .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk, ...header })
        .sign(key.privateKey),
  }
}
