// When a review is judged: one in each turn of the event loop, so that bodies go on being read and answers being sent, and
// by turns between namespaces, so that a crowd of one keeps no other waiting. What would be answered late is not judged at
// all: whoever asks is told at once, and none of the time goes to what nobody waits for any more.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { FairTurns } from '../shared/fair-turns.ts'

/** Where many wait: each that waits no longer makes room for one that can still be answered soon. */
export const MAX_WAIT_MS = 1000
/** Where fewer wait nobody is in another's way: a process that stood still for a moment answers all of them. */
export const MANY = 10
/**
 * From the head of its request on: where there is too much to read, a body takes long to be whole. The API server waits for
 * 5 s, of which its own way, a lookup and the answer's take the rest.
 */
export const MAX_AGE_MS = 3000

export interface Arrival {
  readonly namespace: string
  /** When the head of its request came. */
  readonly cameMs: number
}

export interface Turn<T> {
  readonly waitedMs: number
  /** Undefined: it has waited too long, and nothing was done. */
  readonly result: Promise<T> | undefined
}

export class ReviewQueue {
  private readonly turns = new FairTurns()
  private readonly now: () => number
  private waits = 0

  constructor(now: () => number) {
    this.now = now
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.waits
  }

  /** Begins the work when its turn comes. What it waits for itself holds up nobody. */
  async run<T>({ namespace, cameMs }: Arrival, work: () => Promise<T>): Promise<Turn<T>> {
    const from = this.now()
    this.waits += 1
    const end = await this.turns.take(namespace)
    this.waits -= 1
    const begun = this.now()
    const waitedMs = begun - from
    const isInTheWay = this.waits >= MANY && waitedMs > MAX_WAIT_MS
    if (isInTheWay || begun - cameMs > MAX_AGE_MS) {
      end()
      return { waitedMs, result: undefined }
    }
    void nextTurn().then(end)
    return { waitedMs, result: work() }
  }
}
