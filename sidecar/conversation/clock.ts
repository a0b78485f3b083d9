// How long a caller may still wait for an answer: from the request on, anew from each progress on, and not at all while the
// server itself waits for the client. Pure.

export class Clock {
  private readonly timeoutMs: number
  private deadlineMs: number
  /** For how many reasons it stands, and since when. */
  private stops = 0
  private stoppedMs = 0

  /** `timeoutMs`: 0 for a wait without an end. */
  constructor(timeoutMs: number, nowMs: number) {
    this.timeoutMs = timeoutMs
    this.deadlineMs = timeoutMs === 0 ? Infinity : nowMs + timeoutMs
  }

  isOver(nowMs: number): boolean {
    return this.stops === 0 && this.deadlineMs <= nowMs
  }

  /** The wait begins anew. */
  restart(nowMs: number): void {
    this.stoppedMs = nowMs
    this.deadlineMs = this.timeoutMs === 0 ? Infinity : nowMs + this.timeoutMs
  }

  /** It stands until `start`; once for each reason. */
  stop(nowMs: number): void {
    if (this.stops++ === 0) this.stoppedMs = nowMs
  }

  start(nowMs: number): void {
    if (--this.stops === 0) this.deadlineMs += nowMs - this.stoppedMs
  }
}
