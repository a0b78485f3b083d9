// Gives memory back after a load that took much of it: once nothing has been answered for a while, garbage is collected
// to the last page (64 callers of 64 KiB: 156 MB kept, 74 MB after this; `npm run bench -- bridge`). Where little is
// taken nothing happens: a full collection also drops compiled code that nobody is in just then, and for the next
// seconds of load a call costs half as much again. So while calls go on it happens only when large messages have come to
// an end; while those go on, only where the process has grown near its limit.

/** What a sidecar may keep: callers of small messages stay below it. */
const MUCH_BYTES = 90 * 1024 * 1024
/** What was kept after a collection is in use; so much more is worth another. */
const GROWTH_BYTES = 16 * 1024 * 1024
const QUIET_MS = 2000
/** So much that large messages have let go is worth a look at the process. */
const FREED_BYTES = 16 * 1024 * 1024

export interface ProcessMemory {
  readonly residentBytes: () => number
  /** Collects garbage: what is young (milliseconds), all objects, or those and compiled code. */
  readonly collect: (how: 'young' | 'old' | 'wholly') => void
}

export class IdleMemory {
  private readonly memory: ProcessMemory | undefined
  private lastUsedMs = -Infinity
  private isLooked = true
  private allowedBytes = MUCH_BYTES
  private freedBytes = 0
  private lastFreedMs: number | undefined
  private readonly highBytes: number

  /** Without `memory` (Node runs without --expose-gc) nothing is done. `highBytes`: near the limit of the process. */
  constructor(memory: ProcessMemory | undefined, highBytes: number) {
    this.memory = memory
    this.highBytes = highBytes
  }

  /** Large messages are done with. */
  freed(bytes: number, nowMs: number): void {
    this.lastFreedMs = nowMs
    // What was in use at an earlier look may have been these.
    this.allowedBytes = MUCH_BYTES
    this.freedBytes += bytes
    if (this.freedBytes < FREED_BYTES) return
    this.freedBytes = 0
    const { memory, highBytes } = this
    if (memory === undefined || memory.residentBytes() <= highBytes) return
    memory.collect('young')
    if (memory.residentBytes() > highBytes) memory.collect('old')
  }

  used(nowMs: number): void {
    this.lastUsedMs = nowMs
    this.isLooked = false
  }

  sweep(nowMs: number): void {
    const { memory } = this
    const isQuiet = !this.isLooked && nowMs - this.lastUsedMs >= QUIET_MS
    const isOver = this.lastFreedMs !== undefined && nowMs - this.lastFreedMs >= QUIET_MS
    if (!isQuiet && !isOver) return
    this.isLooked ||= isQuiet
    this.lastFreedMs = undefined
    if (memory === undefined || memory.residentBytes() <= this.allowedBytes) return
    memory.collect('wholly')
    this.allowedBytes = Math.max(MUCH_BYTES, memory.residentBytes() + GROWTH_BYTES)
  }
}
