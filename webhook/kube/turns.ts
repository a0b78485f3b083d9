// One after the other: whoever comes waits for those before him, as long as he wants to. Decides nothing.

export class Turns {
  private last: Promise<unknown> = Promise.resolve()

  /** Resolves with what ends the turn, which the signal does too; rejects where that comes first. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    const before = this.last
    const { promise, resolve: end } = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => end(), { once: true })
    this.last = before.then(() => promise)
    await Promise.race([before, promise])
    signal.throwIfAborted()
    return end
  }
}
