// What was verified, for a while: under the token's digest, from which nobody gets back to the token. Bounded in number
// and in bytes; what came first goes first.

import { hash } from 'node:crypto'

const MAX_TOKENS = 4096
const MAX_BYTES = 4 * 1024 * 1024
/** Besides its texts. */
const COST_BYTES = 1024

interface Kept<T> {
  readonly value: T
  readonly bytes: number
}

export class Remembered<T> {
  private readonly kept = new Map<string, Kept<T>>()
  private bytes = 0

  get(digest: string): T | undefined {
    return this.kept.get(digest)?.value
  }

  delete(digest: string): void {
    const found = this.kept.get(digest)
    if (!found) return
    this.kept.delete(digest)
    this.bytes -= found.bytes
  }

  /** `length`: what its texts have of characters at most. */
  set(digest: string, value: T, length: number): void {
    const bytes = COST_BYTES + 2 * length
    this.delete(digest)
    this.kept.set(digest, { value, bytes })
    this.bytes += bytes
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= MAX_TOKENS && this.bytes <= MAX_BYTES) return
      this.delete(oldest)
    }
  }
}

export const digestOf = (token: string): string => hash('sha256', token, 'base64')
