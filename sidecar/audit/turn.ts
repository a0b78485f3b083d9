// Records of one turn of the event loop that somebody waits for: they go out together, and all hear of them together. Pure.

export class Turn {
  readonly isOut: Promise<boolean>
  private readonly tell: (isOut: boolean) => void
  private left = 0

  constructor() {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.isOut = promise
    this.tell = resolve
  }

  added(): void {
    this.left++
  }

  /** One of them is out; whether that was the last. */
  out(): boolean {
    if (--this.left > 0) return false
    this.tell(true)
    return true
  }

  /** They are not out, or not in time; whoever waits does so no longer. */
  failed(): void {
    this.tell(false)
  }
}
