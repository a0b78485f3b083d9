// The verified caller. Built by `authenticate` alone.

export interface Principal {
  /** One unambiguous text: the key under which sessions and processes are held. */
  readonly key: string
}

/** Everybody, where the configuration says `auth: none`. */
export const ANONYMOUS: Principal = { key: 'anonymous' }
