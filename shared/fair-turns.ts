// Who goes next where one goes at a time, or so many do: by turns between keys, and among those of one key by when they came.
// So a crowd of one key keeps any other waiting for one turn. Whoever takes a turn bounds how many wait. Decides nothing.

export interface Turns {
  readonly atOnce: number
  /** Of those, the share of one key. */
  readonly ofOneKey: number
}

export class FairTurns {
  private readonly turns: Turns
  /** The first key that may is next; one that has a turn, or whose turn ends, goes behind those who have come meanwhile. */
  private readonly waiting = new Map<string, Set<() => void>>()
  /** By key, how many turns it has. */
  private readonly taken = new Map<string, number>()
  private sum = 0

  constructor(turns: Turns = { atOnce: 1, ofOneKey: 1 }) {
    this.turns = turns
  }

  /** Resolves with what ends the turn, which the signal does too; rejects where that comes first. */
  async take(key: string, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted()
    if (this.isFree(key)) this.begin(key)
    else await this.wait(key, signal)
    let isOver = false
    const end = (): void => {
      if (isOver) return
      isOver = true
      signal?.removeEventListener('abort', end)
      this.end(key)
    }
    // It may have come between the call and this.
    if (signal?.aborted) end()
    signal?.throwIfAborted()
    signal?.addEventListener('abort', end, { once: true })
    return end
  }

  /** Whoever waits while this is so has all of its key's share. */
  private isFree(key: string): boolean {
    const { atOnce, ofOneKey } = this.turns
    return this.sum < atOnce && (this.taken.get(key) ?? 0) < ofOneKey
  }

  private begin(key: string): void {
    this.sum++
    this.taken.set(key, (this.taken.get(key) ?? 0) + 1)
  }

  private wait(key: string, signal: AbortSignal | undefined): Promise<void> {
    const line = this.waiting.get(key) ?? new Set()
    this.waiting.set(key, line)
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        line.delete(go)
        if (line.size === 0) this.waiting.delete(key)
        reject(new Error('left', { cause: signal?.reason }))
      }
      const go = (): void => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      line.add(go)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  /** One turn ends, so that one may begin. */
  private end(ended: string): void {
    this.sum--
    const left = (this.taken.get(ended) ?? 1) - 1
    if (left > 0) this.taken.set(ended, left)
    else this.taken.delete(ended)
    const own = this.waiting.get(ended)
    if (own) {
      this.waiting.delete(ended)
      this.waiting.set(ended, own)
    }
    for (const [key, line] of this.waiting) {
      if (!this.isFree(key)) continue
      this.next(key, line)
      return
    }
  }

  private next(key: string, line: Set<() => void>): void {
    const [go] = line
    if (!go) return
    line.delete(go)
    this.waiting.delete(key)
    if (line.size > 0) this.waiting.set(key, line)
    this.begin(key)
    go()
  }
}
