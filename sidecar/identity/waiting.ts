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

/** And says for how many more there is room. */
export interface Space extends Room {
  readonly free: number
}

/** Bounds how many wait, in one place or in several. */
export class Crowd implements Space {
  private readonly most: number
  private size = 0

  constructor(most: number) {
    this.most = most
  }

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

/** A part of a space that takes no more than it leaves free: whoever fills one keeps nobody out of the others. */
export class Share implements Space {
  private readonly space: Space
  private size = 0

  constructor(space: Space) {
    this.space = space
  }

  get free(): number {
    // With each that enters there is one more here and one less left free.
    return Math.max(Math.ceil((this.space.free - this.size) / 2), 0)
  }

  get isEmpty(): boolean {
    return this.size === 0
  }

  enter(): boolean {
    if (this.size >= this.space.free || !this.space.enter()) return false
    this.size++
    return true
  }

  leave(): void {
    this.size--
    this.space.leave()
  }
}

/** Such a part for each name, as long as somebody is in it: no more of them than there is room. */
export class Shares {
  private readonly space: Space
  private readonly shares = new Map<string, Share>()

  constructor(space: Space) {
    this.space = space
  }

  of(name: string): Room {
    return {
      enter: () => {
        const share = this.shares.get(name) ?? new Share(this.space)
        if (!share.enter()) return false
        this.shares.set(name, share)
        return true
      },
      leave: () => {
        const share = this.shares.get(name)
        share?.leave()
        if (share?.isEmpty) this.shares.delete(name)
      },
    }
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

  /** How the wait has ended; `busy`: there is no room to wait, in this part of it or in all. */
  async wait(whenGone: WhenGone, room = this.crowd): Promise<'woken' | Unserved['kind']> {
    if (!room.enter()) return 'busy'
    const waited = await new Promise<'woken' | 'gone'>((resolve) => {
      this.waiters.add(resolve)
      whenGone(() => {
        this.waiters.delete(resolve)
        resolve('gone')
      })
    })
    room.leave()
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
