// The signatures that are taken, and what clocks may differ by. Pure.

/**
 * Signatures by a private key, each with the kind of key that it takes (RFC 7518, section 3.1; RFC 8037); never a shared
 * secret, which whoever verifies could sign with.
 */
export const ALGORITHMS = {
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
} as const satisfies Readonly<Record<string, KeyKind>>

interface KeyKind {
  readonly kty: string
  readonly crv?: string
}

export type Algorithm = keyof typeof ALGORITHMS

export const isAlgorithm = (alg: unknown): alg is Algorithm =>
  typeof alg === 'string' && Object.hasOwn(ALGORITHMS, alg)

export const keyKindOf = (alg: Algorithm): KeyKind => ALGORITHMS[alg]

/** What clocks may differ by. */
export const SKEW_SECONDS = 30
