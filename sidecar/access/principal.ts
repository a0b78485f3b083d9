// The caller. Built for `authenticate` alone.

/** What a verified token says of its bearer. */
export interface Identity {
  readonly issuer: string
  readonly subject: string
  /** The program that calls for the subject. */
  readonly client: string | undefined
  readonly scopes: readonly string[]
}

export interface Principal {
  /** One unambiguous text: the key under which sessions and processes are held. */
  readonly key: string
  /** Absent where nobody was asked. */
  readonly identity?: Identity
}

/** Everybody, where the configuration says `auth: none`. */
export const ANONYMOUS: Principal = { key: 'anonymous' }

/**
 * Issuer and subject; a client that calls for itself is never the user whose subject is spelt like it (RFC 9068,
 * section 5).
 */
export const verifiedPrincipal = (identity: Identity): Principal => {
  const { issuer, subject, client } = identity
  const kind = client === subject ? ['client'] : []
  return { key: JSON.stringify([issuer, subject, ...kind]), identity }
}
