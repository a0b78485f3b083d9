// Gives memory back after a load that took much of it: once nothing has been answered for a while, garbage is collected
// to the last page (64 callers of 64 KiB: 156 MB kept, 74 MB after this; `npm run bench -- bridge`). Where little is
// taken nothing happens: a full collection also drops compiled code that nobody is in just then, and for the next
// seconds of load a call costs half as much again.

/** What a sidecar may keep: callers of small messages stay below it. */
const MUCH_BYTES = 90 * 1024 * 1024
/** What was kept after a collection is in use; so much more is worth another. */
const GROWTH_BYTES = 16 * 1024 * 1024
const QUIET_MS = 2000

export interface ProcessMemory {
  readonly residentBytes: () => number
  /** Collects all garbage. */
  readonly collect: () => void
}

export class IdleMemory {
  private readonly memory: ProcessMemory | undefined
  private lastUsedMs = -Infinity
  private isLooked = true
  private allowedBytes = MUCH_BYTES

  /** Without `memory` (Node runs without --expose-gc) nothing is done. */
  constructor(memory: ProcessMemory | undefined) {
    this.memory = memory
  }

  used(nowMs: number): void {
    this.lastUsedMs = nowMs
    this.isLooked = false
  }

  sweep(nowMs: number): void {
    const { memory } = this
    if (this.isLooked || nowMs - this.lastUsedMs < QUIET_MS) return
    this.isLooked = true
    if (memory === undefined || memory.residentBytes() <= this.allowedBytes) return
    memory.collect()
    this.allowedBytes = Math.max(MUCH_BYTES, memory.residentBytes() + GROWTH_BYTES)
  }
}
