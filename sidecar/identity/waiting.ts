// Those who wait for something, in the order in which they came. Each is a request whose connection is open, and leaves
// with it: there are never more of them than connections.

/** Calls back once when the client has gone, at once where it has gone already. */
export type WhenGone = (callback: () => void) => void

/** Nobody waits for the answer any more: it is nobody's fault. */
export interface Gone {
  readonly kind: 'gone'
}
export const GONE: Gone = { kind: 'gone' }

export class Waiting {
  private readonly waiters = new Set<(isHere: boolean) => void>()

  get size(): number {
    return this.waiters.size
  }

  /** True when it has been woken, false when its client has gone. */
  wait(whenGone: WhenGone): Promise<boolean> {
    return new Promise((resolve) => {
      this.waiters.add(resolve)
      whenGone(() => {
        this.waiters.delete(resolve)
        resolve(false)
      })
    })
  }

  /** Wakes who came first; false where nobody waits. */
  wakeOne(): boolean {
    const [first] = this.waiters
    if (!first) return false
    this.waiters.delete(first)
    first(true)
    return true
  }

  wakeAll(): void {
    const all = [...this.waiters]
    this.waiters.clear()
    for (const one of all) one(true)
  }
}
