// Those who wait for something, in the order in which they came. Each is a request whose connection is open, and leaves
// with it; each holds its head and what has come of its body, a hundred kilobytes, and nobody knows yet whose it is.

/** Calls back once when the client has gone, at once where it has gone already. */
export type WhenGone = (callback: () => void) => void

/** Why somebody is not served: nobody waits any more, which is nobody's fault, or too many do. */
export type Unserved = { readonly kind: 'gone' } | { readonly kind: 'busy' }

/** Bounds how many wait, in one place or in several. */
export class Crowd {
  private readonly most: number
  private size = 0

  constructor(most: number) {
    this.most = most
  }

  /** False where it is full; who has come in has to leave. */
  enter(): boolean {
    if (this.size >= this.most) return false
    this.size++
    return true
  }

  leave(): void {
    this.size--
  }
}

export class Waiting {
  private readonly crowd: Crowd
  private readonly waiters = new Set<(waited: 'woken' | 'gone') => void>()

  constructor(crowd: Crowd) {
    this.crowd = crowd
  }

  get size(): number {
    return this.waiters.size
  }

  /** How the wait has ended; `busy`: there is no room to wait. */
  async wait(whenGone: WhenGone): Promise<'woken' | Unserved['kind']> {
    if (!this.crowd.enter()) return 'busy'
    const waited = await new Promise<'woken' | 'gone'>((resolve) => {
      this.waiters.add(resolve)
      whenGone(() => {
        this.waiters.delete(resolve)
        resolve('gone')
      })
    })
    this.crowd.leave()
    return waited
  }

  /** Wakes who came first; false where nobody waits. */
  wakeOne(): boolean {
    const [first] = this.waiters
    if (!first) return false
    this.waiters.delete(first)
    first('woken')
    return true
  }

  wakeAll(): void {
    const all = [...this.waiters]
    this.waiters.clear()
    for (const one of all) one('woken')
  }
}
