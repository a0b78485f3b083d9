// The last good token of each connection, known again by its header as it came: nearly every call bears the very one of the call
// before it, and what finds, digests and looks up a token of 900 characters takes as long as everything else about it
// (`npm run bench -- auth`: 1.2 us of a call's 25). Whose it is counts on for a moment, as long as it has not ended and
// whoever vouched for it still does, both of which each call asks; then it only says which token it is, and the verifier
// is asked anew. Only what was verified is kept: of strangers nothing is.

import { ok, type Result } from '../../shared/result.ts'
import type { Bearer } from './verifier.ts'

/** What is longer is looked at anew each time: a connection keeps no more than this. */
const MAX_HEADER = 2048

export interface KnownToken {
  readonly text: string
  readonly digest: string
}

/** For so long nobody reads the time of day, which others may set, for a caller who calls on. */
const MOMENT_MS = 100

/** Whose a token is, as long as that may be told without the verifier. */
export interface Standing {
  readonly found: Result<Bearer, never>
  readonly isStill: (nowMs: number) => boolean
  readonly untilMs: number
}

interface Last {
  readonly header: string
  readonly token: KnownToken
  readonly standing: Standing | undefined
}

/** Of a bearer who is one now. */
export const standingOf = (bearer: Bearer, nowMs: number): Standing | undefined => {
  const { isStill } = bearer
  if (!isStill) return undefined
  return { found: ok(bearer), isStill, untilMs: Math.min(bearer.untilMs, nowMs + MOMENT_MS) }
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

  /** Whose that token is, where that was told a moment ago and still holds. */
  bearer(connection: object, header: string, nowMs: number): Result<Bearer, never> | undefined {
    const last = this.last.get(connection)
    if (last?.header !== header) return undefined
    const { standing } = last
    return standing && nowMs < standing.untilMs && standing.isStill(nowMs)
      ? standing.found
      : undefined
  }

  /** Of a token that is good now. */
  keep(connection: object, header: string, token: KnownToken, standing?: Standing): void {
    if (header.length <= MAX_HEADER) this.last.set(connection, { header, token, standing })
    else this.forget(connection)
  }

  forget(connection: object): void {
    this.last.delete(connection)
  }
}
