// The table of legacy sessions: random ids, bound to a principal, bounded in number, ended when idle or when somebody
// needs the room. A session that is not yours does not exist. Ended ones are remembered for a while, to say why.

import { whoMakesRoom } from '../access/room.ts'
import type { Principal } from '../access/principal.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { GiveUp } from '../server/source.ts'
import type { Backend } from './backend.ts'
import type { QuestionWatch } from './questions.ts'
import type { Session } from './session.ts'

export const MAX_SESSIONS = 4096
const MAX_REMEMBERED = 256

/** Why a session has ended: its client, its server or the tool policy, nobody used it, somebody needed its place, its caller's tokens have expired, or the pod ends. */
export type SessionEnd = 'client' | 'server' | 'idle' | 'room' | 'expired' | 'drain' | 'policy'

export interface Entry {
  readonly session: Session
  readonly backend: Backend
}

/** Hears of sessions, by the beginnings of their ids, and of what their servers ask them. */
export interface SessionWatch {
  readonly questions: QuestionWatch
  sessionBegan(caller: Principal, session: string, process: number | undefined): void
  sessionEnded(caller: Principal, session: string, end: SessionEnd): void
}

export interface SessionsOptions {
  readonly now: () => number
  readonly idleTimeoutMs: number
  /** A session whose client listens ends when idle like any other: the pod is to complete. */
  readonly endsListeners: boolean
  /** Counts ends. */
  readonly onEnd: (end: SessionEnd) => void
  /** Absent where no records are kept. */
  readonly watchSessions?: SessionWatch | undefined
}

const GIVEN_UP = {
  room: 'another client needed the room, and this one made no call',
  expired: 'the tokens that its caller has shown have expired',
} as const satisfies Record<GiveUp, string>

interface Ended {
  readonly principal: string
  readonly reason: Fault
}

export class Sessions {
  private readonly options: SessionsOptions
  private readonly entries = new Map<string, Entry>()
  private readonly ended = new Map<string, Ended>()

  constructor(options: SessionsOptions) {
    this.options = options
  }

  get size(): number {
    return this.entries.size
  }

  add(entry: Entry): void {
    const { session, backend } = entry
    this.entries.set(session.id, entry)
    const { process } = backend.channel.link
    this.options.watchSessions?.sessionBegan(session.caller, session.name, process)
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

  has(id: string): boolean {
    return this.entries.has(id)
  }

  /** Ends a session: its calls get the fault, its process loses it. */
  end({ session, backend }: Entry, end: SessionEnd, reason: Fault): void {
    if (!this.entries.delete(session.id)) return
    this.options.onEnd(end)
    this.options.watchSessions?.sessionEnded(session.caller, session.name, end)
    this.ended.set(session.id, { principal: session.principal, reason })
    for (const oldest of this.ended.keys()) {
      if (this.ended.size <= MAX_REMEMBERED) break
      this.ended.delete(oldest)
    }
    backend.detach(session, session.end(reason))
  }

  /** Ends a session because somebody needs its room, or it is its caller's no more. */
  giveUp(entry: Entry, why: GiveUp = 'room'): void {
    this.end(entry, why, fault('session-unknown', GIVEN_UP[why]))
  }

  /** Whether there is room for one more besides those that are being opened; ends an idle one where there is none. */
  hasRoom(principal: string, opening: ReadonlySet<Session>): boolean {
    if (this.size + opening.size < MAX_SESSIONS) return true
    const { idleTimeoutMs, now } = this.options
    const holders = [...this.all()].map(({ session }) => session)
    const rules = { places: MAX_SESSIONS, idleTimeoutMs }
    const found = whoMakesRoom([...holders, ...opening], { principal }, rules, now())
    const entry = found && this.entries.get(found.id)
    if (entry) this.giveUp(entry)
    return entry !== undefined
  }

  /** Keeps streams alive, and ends what nobody has used for the idle time; who listens is left alone. */
  sweep(nowMs: number, keepAliveMs: number): void {
    const { idleTimeoutMs, endsListeners } = this.options
    for (const entry of this.entries.values()) {
      const { session, backend } = entry
      session.sweep(nowMs, keepAliveMs)
      for (const idText of session.unanswered(nowMs)) backend.unanswered(session, idText)
      const { idle } = session
      if (!idle || (idle.isListening && !endsListeners)) continue
      if (nowMs - idle.sinceMs < idleTimeoutMs) continue
      this.end(entry, 'idle', fault('session-unknown', `nobody used it for ${idleTimeoutMs} ms`))
    }
  }

  all(): Iterable<Entry> {
    return this.entries.values()
  }
}
