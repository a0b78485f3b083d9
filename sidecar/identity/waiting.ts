// Those who wait for something, in the order in which they came. Each is a request whose connection is open, and leaves
// with it; each holds its head and what has come of its body, a hundred kilobytes, and nobody knows yet whose it is.

/** Calls back once when the client has gone, at once where it has gone already. */
export type WhenGone = (callback: () => void) => void

/** Why somebody is not served: nobody waits any more, which is nobody's fault, or too many do. */
export type Unserved = { readonly kind: 'gone' } | { readonly kind: 'busy' }

/** Bounds who waits. */
export interface Room {
  /** False where it is full; who has come in has to leave. */
  enter(): boolean
  leave(): void
}

/** Bounds how many wait, in one place or in several. */
export class Crowd implements Room {
  private readonly most: number
  private size = 0

  constructor(most: number) {
    this.most = most
  }

  /** For how many more there is room. */
  get free(): number {
    return this.most - this.size
  }

  enter(): boolean {
    if (this.size >= this.most) return false
    this.size++
    return true
  }

  leave(): void {
    this.size--
  }
}

/** A part of a crowd that takes no more than it leaves free: whoever fills one keeps nobody out of the others. */
export class Share implements Room {
  private readonly crowd: Crowd
  private size = 0

  constructor(crowd: Crowd) {
    this.crowd = crowd
  }

  enter(): boolean {
    if (this.size >= this.crowd.free || !this.crowd.enter()) return false
    this.size++
    return true
  }

  leave(): void {
    this.size--
    this.crowd.leave()
  }
}

export class Waiting {
  private readonly crowd: Room
  private readonly waiters = new Set<(waited: 'woken' | 'gone') => void>()

  constructor(crowd: Room) {
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
