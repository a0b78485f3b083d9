// The tokens that callers have brought, for whoever exchanges them: of each caller the one that is good for longest. Kept only
// where tokens are exchanged; bounded in number and in bytes, and nowhere else to be found.

import type { IncomingMessage } from 'node:http'
import type { Principal } from '../access/principal.ts'
import { Remembered } from './remembered.ts'

const CREDENTIALS = /^\w+ +([\w.~+/-]+=*)$/

export interface SubjectToken {
  readonly token: string
  /** Monotonic milliseconds. */
  readonly untilMs: number
}

export class SubjectTokens {
  private readonly kept = new Remembered<SubjectToken>()

  /** A request has come whose token was found good until then. */
  note(
    { headers: { authorization = '' } }: IncomingMessage,
    { key }: Principal,
    untilMs: number,
  ): void {
    const before = this.kept.get(key)
    if (before !== undefined && untilMs <= before.untilMs) return
    const [, token] = CREDENTIALS.exec(authorization) ?? []
    if (token !== undefined) this.kept.set(key, { token, untilMs }, token.length)
  }

  /** Undefined where it has brought none that is still good. */
  of({ key }: Principal, nowMs: number): SubjectToken | undefined {
    const found = this.kept.get(key)
    if (found !== undefined && nowMs < found.untilMs) return found
    this.kept.delete(key)
    return undefined
  }
}
