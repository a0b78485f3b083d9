// The last good token of each connection, known again by its header as it came: nearly every call bears the very one of the call
// before it, and what finds and digests a token of 900 characters takes as long as everything else about it
// (`npm run bench -- auth`: 1.2 us of a call's 25). It says which token it is, and never whether that is good any more.
// Only what was verified is kept: of strangers nothing is.

/** What is longer is looked at anew each time: a connection keeps no more than this. */
const MAX_HEADER = 2048

export interface KnownToken {
  readonly text: string
  readonly digest: string
}

interface Last {
  readonly header: string
  readonly token: KnownToken
}

export class LastTokens {
  /** By connection, with which it goes. */
  private readonly last = new WeakMap<object, Last>()

  /**
   * The token that was in this header, where the connection's last one was the same. Behind a proxy that may be another
   * caller's: who guesses it learns nothing from the time, since V8 compares eight characters at once or more.
   */
  find(connection: object, header: string): KnownToken | undefined {
    const last = this.last.get(connection)
    return last?.header === header ? last.token : undefined
  }

  /** Of a token that is good now. */
  keep(connection: object, header: string, token: KnownToken): void {
    if (header.length <= MAX_HEADER) this.last.set(connection, { header, token })
    else this.forget(connection)
  }

  forget(connection: object): void {
    this.last.delete(connection)
  }
}
