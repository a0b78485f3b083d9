// Bundles of trust domains as SPIFFE has them, and JWT-SVIDs by their keys.

import { X509Certificate } from 'node:crypto'
import type { Issued } from './certificates.ts'
import { signed, type Claims, type SigningKey } from './issuer.ts'

export interface Content {
  readonly authorities?: readonly Issued[]
  readonly keys?: readonly SigningKey[]
  /** Of the document's own members. */
  readonly more?: object
}

export const bundleText = ({ authorities = [], keys = [], more = {} }: Content): string => {
  const ofX509 = authorities.map(({ cert }) => {
    const certificate = new X509Certificate(cert)
    const jwk = certificate.publicKey.export({ format: 'jwk' })
    return { ...jwk, use: 'x509-svid', x5c: [certificate.raw.toString('base64')] }
  })
  // As SPIRE writes them: the algorithm is the key's own.
  const ofJwt = keys.map(({ publicJwk: { alg: _alg, ...jwk } }) => ({ ...jwk, use: 'jwt-svid' }))
  return JSON.stringify({ keys: [...ofX509, ...ofJwt], ...more })
}

/** For five minutes, unless its claims say something else. */
export const jwtSvid = (key: SigningKey, claims: Claims): Promise<string> =>
  signed({ exp: Math.floor(Date.now() / 1000) + 300, ...claims }, key, { typ: 'JWT' })
