// The table of legacy sessions: random ids, bound to a principal, bounded in number, ended when idle.
// A session that is not yours does not exist. Ended ones are remembered for a while, to say why.

import { fault, type Fault } from '../mcp/faults.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Backend } from './backend.ts'
import type { Session } from './session.ts'

export const MAX_SESSIONS = 4096
const MAX_REMEMBERED = 256

export interface Entry {
  readonly session: Session
  readonly backend: Backend
}

interface Ended {
  readonly principal: string
  readonly reason: Fault
}

export class Sessions {
  private readonly entries = new Map<string, Entry>()
  private readonly ended = new Map<string, Ended>()

  get size(): number {
    return this.entries.size
  }

  add(entry: Entry): void {
    this.entries.set(entry.session.id, entry)
  }

  /** The session with this id, if it is the principal's; the fault says what a client must do. */
  find(id: string | undefined, principal: string): Result<Entry, Fault> {
    if (id === undefined) {
      return fail(
        fault('session-required', 'the Mcp-Session-Id header is missing: send initialize first'),
      )
    }
    const entry = this.entries.get(id)
    if (entry?.session.principal === principal) return ok(entry)
    const ended = this.ended.get(id)
    if (ended?.principal === principal) {
      const { message, data } = ended.reason
      return fail(
        fault('session-unknown', `the session has ended: ${message}`, data ? { data } : {}),
      )
    }
    return fail(fault('session-unknown', 'no such session: send initialize again'))
  }

  /** Ends a session: its calls get the fault, its process loses it. */
  end({ session, backend }: Entry, reason: Fault): void {
    if (!this.entries.delete(session.id)) return
    this.ended.set(session.id, { principal: session.principal, reason })
    for (const oldest of this.ended.keys()) {
      if (this.ended.size <= MAX_REMEMBERED) break
      this.ended.delete(oldest)
    }
    backend.detach(session, session.end(reason))
  }

  /** Keeps streams alive, and ends what nobody has used for the idle time (open streams don't count). */
  sweep(nowMs: number, idleTimeoutMs: number, keepAliveMs: number): void {
    for (const entry of this.entries.values()) {
      const { session } = entry
      session.sweep(nowMs, keepAliveMs)
      if (session.inFlight === 0 && nowMs - session.lastUsedMs >= idleTimeoutMs) {
        this.end(entry, fault('session-unknown', `nobody used it for ${idleTimeoutMs} ms`))
      }
    }
  }

  all(): Iterable<Entry> {
    return this.entries.values()
  }
}
