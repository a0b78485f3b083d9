// Tokens that a library would not make: any header, any claims, texts or values, and a signature that is right all the same.

import { sign, KeyObject } from 'node:crypto'
import type { SigningKey } from './issuer.ts'

export const encoded = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** What stands before the signature is signed as it is, by ES256. */
const signedText = (text: string, { privateKey }: SigningKey): string => {
  const key = KeyObject.from(privateKey)
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}

/** A header and claims, texts or values, signed by ES256 whatever they say. */
export const rawSigned = (header: unknown, claims: unknown, key: SigningKey): string =>
  signedText(`${encoded(header)}.${encoded(claims)}`, key)
