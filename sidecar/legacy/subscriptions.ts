// Which sessions of one process subscribed to which resource, so that an update reaches those and no
// others, and the server hears `unsubscribe` only from the last. Bounded by uris a session.

import type { Session } from './session.ts'

const MAX_URIS = 1024

export class Subscriptions {
  private readonly byUri = new Map<string, Set<Session>>()

  add(session: Session, uri: string): void {
    const sessions = this.byUri.get(uri)
    if (sessions) sessions.add(session)
    else if (this.byUri.size < MAX_URIS) this.byUri.set(uri, new Set([session]))
  }

  /** True where nobody else is subscribed, so that the server should hear of it. */
  remove(session: Session, uri: string): boolean {
    const sessions = this.byUri.get(uri)
    sessions?.delete(session)
    if (sessions && sessions.size > 0) return false
    this.byUri.delete(uri)
    return true
  }

  of(uri: string | undefined): Iterable<Session> {
    return (uri === undefined ? undefined : this.byUri.get(uri)) ?? []
  }

  /** Takes a session out everywhere; the uris that nobody is subscribed to any more. */
  leave(session: Session): readonly string[] {
    return [...this.byUri]
      .filter(([uri, sessions]) => sessions.has(session) && this.remove(session, uri))
      .map(([uri]) => uri)
  }
}
