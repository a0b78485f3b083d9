// The caller. Built for `authenticate` alone.

/** Who acts for another (RFC 8693, section 4.1). */
export interface Actor {
  /** Absent: the token's own. */
  readonly issuer: string | undefined
  readonly subject: string
}

/** What a verified token says of its bearer, or a certificate of its holder. */
export interface Identity {
  /** Absent: by a token. */
  readonly by?: 'certificate'
  readonly issuer: string
  readonly subject: string
  /** The program that calls for the subject. */
  readonly client: string | undefined
  readonly scopes: readonly string[]
  /** By the claim that the configuration names for the issuer; none without. */
  readonly groups: readonly string[]
  /** The token says that there are groups, and not which (Entra ID, beyond 200 of them): `groups` is empty. */
  readonly lacksGroups?: true
  /** Who acts for the subject, then whom that one acts for; only the first decides anything. */
  readonly actors: readonly Actor[]
}

export interface Principal {
  /** One unambiguous text: the key under which sessions and processes are held. */
  readonly key: string
  /** Absent where nobody was asked. */
  readonly identity?: Identity
  /** What its processes have of it in their environment; the key stands for these values, too. */
  readonly environment?: Environment
  /** The key without them, by which its limits are counted; absent: the key itself. */
  readonly person?: string
}

export type Environment = Readonly<Record<string, string>>

/** By what somebody's limits are counted, whatever their processes are given. */
export const personOf = ({ person, key }: Principal): string => person ?? key

/** Everybody, where the configuration says `auth: none`. */
export const ANONYMOUS: Principal = { key: 'anonymous' }

/** Everybody together: holds the place of a process that all share (`process-model: shared`). */
export const EVERYBODY: Principal = { key: 'shared' }

/**
 * Issuer, subject, and who acts for that one; a client that calls for itself is never the user whose subject is spelt
 * like it (RFC 9068, section 5).
 */
export const verifiedPrincipal = (identity: Identity): Principal => {
  const { issuer, subject, client, actors } = identity
  const kind = client === subject ? 'client' : 'user'
  const [actor] = actors
  const acting = actor ? [actor.issuer ?? issuer, actor.subject] : []
  return { key: JSON.stringify([issuer, subject, kind, ...acting]), identity }
}
