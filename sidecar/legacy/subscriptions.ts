// Which sessions of one process subscribed to which resource, so that an update reaches those and no
// others, and the server hears `unsubscribe` only from the last. Bounded by uris a session.

import type { Session } from './session.ts'

const MAX_URIS_A_SESSION = 256
const MAX_URI_LENGTH = 4096

export class Subscriptions {
  private readonly byUri = new Map<string, Set<Session>>()
  private readonly counts = new Map<Session, number>()

  /** False where the session has too many. */
  add(session: Session, uri: string): boolean {
    const sessions = this.byUri.get(uri)
    if (sessions?.has(session)) return true
    const count = this.counts.get(session) ?? 0
    if (count >= MAX_URIS_A_SESSION || uri.length > MAX_URI_LENGTH) return false
    this.counts.set(session, count + 1)
    if (sessions) sessions.add(session)
    else this.byUri.set(uri, new Set([session]))
    return true
  }

  /** True where nobody else is subscribed, so that the server should hear of it. */
  remove(session: Session, uri: string): boolean {
    const sessions = this.byUri.get(uri)
    if (sessions?.delete(session)) this.counts.set(session, (this.counts.get(session) ?? 1) - 1)
    if (sessions && sessions.size > 0) return false
    this.byUri.delete(uri)
    return true
  }

  of(uri: string | undefined): Iterable<Session> {
    return (uri === undefined ? undefined : this.byUri.get(uri)) ?? []
  }

  /** Takes a session out everywhere; the uris that nobody is subscribed to any more. */
  leave(session: Session): readonly string[] {
    const left = [...this.byUri]
      .filter(([uri, sessions]) => sessions.has(session) && this.remove(session, uri))
      .map(([uri]) => uri)
    this.counts.delete(session)
    return left
  }
}
