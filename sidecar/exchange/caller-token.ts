// The token of one caller's processes: what they have, when it is exchanged anew, and what becomes of it where that fails. Pure but
// for its own state; time comes from outside.

const FIRST_PAUSE_MS = 1000
const MAX_PAUSE_MS = 60_000
/** Of its life, after which it is renewed. */
const RENEW_AFTER = 2 / 3

interface Held {
  readonly token: string
  /** Monotonic milliseconds. */
  readonly untilMs: number
}

export class CallerToken {
  /** Of its processes, by number: what gives them another. */
  readonly processes = new Map<number, (token: string) => void>()
  private held: Held | undefined
  private dueMs = -Infinity
  private failures = 0

  /** The one to start with; undefined where it has to be exchanged first. */
  fresh(nowMs: number): string | undefined {
    return this.held !== undefined && nowMs < Math.min(this.dueMs, this.held.untilMs)
      ? this.held.token
      : undefined
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.dueMs
  }

  /** It was exchanged: all its processes get it. */
  take(
    { token, lifeMs }: { readonly token: string; readonly lifeMs: number },
    nowMs: number,
  ): void {
    this.held = { token, untilMs: nowMs + lifeMs }
    this.dueMs = nowMs + lifeMs * RENEW_AFTER
    this.failures = 0
    for (const give of this.processes.values()) give(token)
  }

  /** It was not; how long nothing is tried. */
  fail(nowMs: number): number {
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(this.failures, 10), MAX_PAUSE_MS)
    this.failures++
    this.dueMs = nowMs + pauseMs
    return pauseMs
  }

  /** Takes it from its processes where its time is up; true where that was now. */
  expire(nowMs: number): boolean {
    if (this.held === undefined || nowMs < this.held.untilMs) return false
    this.held = undefined
    for (const give of this.processes.values()) give('')
    return true
  }
}
