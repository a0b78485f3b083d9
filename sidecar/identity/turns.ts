// How much is verified at once: signatures share Node's few threads with everything else that needs one, and whoever
// floods us with tokens must not have them all.

import { Waiting, type WhenGone } from './waiting.ts'

export class Turns {
  private readonly places: number
  private readonly waiting = new Waiting()
  private taken = 0

  constructor(places: number) {
    this.places = places
  }

  /** Does something when it is its turn; undefined where its client has gone by then. */
  async take<T>(whenGone: WhenGone, task: () => Promise<T>): Promise<T | undefined> {
    if (this.taken < this.places) this.taken++
    else if (!(await this.waiting.wait(whenGone))) return undefined
    try {
      return await task()
    } finally {
      // Whoever is woken has this place.
      if (!this.waiting.wakeOne()) this.taken--
    }
  }
}
