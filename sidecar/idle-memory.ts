// Gives memory back after a load: once nothing has been answered for a while, garbage is collected
// to the last page. Under load nothing happens here; V8 alone would keep its peak for good (64
// callers of 64 KiB: 148 MB kept, 96 MB after this; `npm run bench -- bridge`).

const QUIET_MS = 2000

export class IdleMemory {
  private readonly collect: (() => void) | undefined
  private lastUsedMs = -Infinity
  private isClean = true

  /** Without `collect` (Node runs without --expose-gc) nothing is done. */
  constructor(collect: (() => void) | undefined) {
    this.collect = collect
  }

  used(nowMs: number): void {
    this.lastUsedMs = nowMs
    this.isClean = false
  }

  sweep(nowMs: number): void {
    if (this.isClean || nowMs - this.lastUsedMs < QUIET_MS) return
    this.isClean = true
    this.collect?.()
  }
}
