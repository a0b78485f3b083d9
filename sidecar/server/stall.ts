// Whether a line that has begun goes on. Pure.

/** A line that has not grown for so long has stopped: nobody writes half a message and rests. */
const STALL_MS = 500

export class Stall {
  private bytes = 0
  private sinceMs = 0
  private isTold = false

  /** True once for each length at which the line stopped. */
  isNew(bytes: number, nowMs: number): boolean {
    if (bytes !== this.bytes) {
      this.bytes = bytes
      this.sinceMs = nowMs
      this.isTold = false
    }
    if (bytes === 0 || this.isTold || nowMs - this.sinceMs < STALL_MS) return false
    this.isTold = true
    return true
  }
}
