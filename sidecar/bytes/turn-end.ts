// What is done when a turn of the event loop ends, in the order that lets it be done in the same one: first what calls wait for,
// then what they write because of it. By themselves the two would be a turn apart, and each turn asks the kernel for news
// (`bench -- telemetry`).

/** Calls back when this turn of the event loop ends. */
export type AtTurnEnd = (callback: () => void) => unknown

export class TurnEnd {
  private due: (() => void)[] = []

  /** Whoever goes on because of this, in the microtasks behind it, is in time for `last`. */
  readonly first = (callback: () => void): void => {
    setImmediate(callback)
    setImmediate(this.run)
  }

  readonly last = (callback: () => void): void => {
    if (this.due.length === 0) setImmediate(this.run)
    this.due.push(callback)
  }

  /** By whichever of them comes first. */
  private readonly run = (): void => {
    const { due } = this
    if (due.length === 0) return
    this.due = []
    for (const callback of due) callback()
  }
}
