// How much is done at once: signatures share Node's few threads with everything else that needs one, and whoever
// floods us with tokens must not have them all.

import { fail, ok, type Result } from '../../shared/result.ts'
import { Waiting, type Room, type Unserved, type WhenGone } from './waiting.ts'

export class Places {
  private readonly places: number
  private readonly waiting: Waiting
  private taken = 0

  /** `crowd` bounds who waits. */
  constructor(places: number, crowd: Room) {
    this.places = places
    this.waiting = new Waiting(crowd)
  }

  /** Does something when it is its turn; `room`: a part of the crowd. */
  async take<T>(
    whenGone: WhenGone,
    task: () => Promise<T>,
    room?: Room,
  ): Promise<Result<T, Unserved>> {
    if (this.taken < this.places) this.taken++
    else {
      const waited = await this.waiting.wait(whenGone, room)
      if (waited !== 'woken') return fail({ kind: waited })
    }
    try {
      return ok(await task())
    } finally {
      // Whoever is woken has this place.
      if (!this.waiting.wakeOne()) this.taken--
    }
  }
}
