// Who goes next where one goes at a time: by turns between keys, and among those of one key by when they came. So a crowd
// of one key keeps any other waiting for one turn. Whoever takes a turn bounds how many wait. Decides nothing.

export class FairTurns {
  /** The first key is next; one whose turn ends goes behind those who have come meanwhile. */
  private readonly waiting = new Map<string, Set<() => void>>()
  private isTaken = false

  /** Resolves with what ends the turn, which the signal does too; rejects where that comes first. */
  async take(key: string, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted()
    if (this.isTaken) await this.wait(key, signal)
    this.isTaken = true
    let isOver = false
    const end = (): void => {
      if (isOver) return
      isOver = true
      signal?.removeEventListener('abort', end)
      this.next(key)
    }
    // It may have come between the call and this.
    if (signal?.aborted) end()
    signal?.throwIfAborted()
    signal?.addEventListener('abort', end, { once: true })
    return end
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

  private next(ended: string): void {
    const own = this.waiting.get(ended)
    if (own) {
      this.waiting.delete(ended)
      this.waiting.set(ended, own)
    }
    const [first] = this.waiting
    const [key, line] = first ?? [ended, new Set<() => void>()]
    const [go] = line
    if (go) line.delete(go)
    if (line.size === 0) this.waiting.delete(key)
    this.isTaken = go !== undefined
    go?.()
  }
}
