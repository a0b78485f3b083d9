// Tokens of an issuer on loopback, as many as are wanted, each another one.

import { randomUUID } from 'node:crypto'
import type { SidecarDocument } from '../../../shared/sidecar-config.ts'
import { signed, signingKey, startIssuer } from '../../support/issuer.ts'

const AUDIENCE = 'https://bench.example/mcp'
const SECONDS = 3600

export interface Tokens {
  readonly issuer: string
  /** As a sidecar's document lists it. */
  readonly issuers: NonNullable<SidecarDocument['issuers']>
  /** The header of a token that nobody has seen. */
  readonly bearer: () => Promise<string>
  readonly close: () => Promise<void>
}

/** Signs by ES256. */
export const startTokens = async (): Promise<Tokens> => {
  const key = await signingKey('one')
  const { url, close } = await startIssuer([key.publicJwk])
  const bearer = async (): Promise<string> => {
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: url,
      aud: AUDIENCE,
      sub: 'user',
      client_id: 'bench',
      scope: 'mcp',
      iat: now,
      exp: now + SECONDS,
      jti: randomUUID(),
    }
    return `Authorization: Bearer ${await signed(claims, key)}`
  }
  const hosts = [{ host: new URL(url).host, reach: 'loopback' as const }]
  return { issuer: url, issuers: [{ url, audiences: [AUDIENCE], hosts }], bearer, close }
}
