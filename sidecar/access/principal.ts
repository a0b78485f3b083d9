// The verified caller. Built by `authenticate` alone.

export interface Principal {
  /** Issuer and subject as one unambiguous text: the key under which sessions and processes are held. */
  readonly key: string
  readonly issuer: string
  readonly subject: string
}

/** Everybody, where the configuration says `auth: none`. */
export const ANONYMOUS: Principal = { key: 'anonymous', issuer: '', subject: 'anonymous' }
