// Owners whose pods are denied, each in its turn, while the floor asks for what is done about it and its replica leads: heard of
// by Events, of which anybody may write any. Bounded in how many wait, in all and of one namespace; what fails is tried again later.

import { Room } from '../cluster/room.ts'
import { ownerOfKey, type DeniedOwner } from './denied-owners.ts'
import type { Tools } from './followed.ts'
import { WorkQueue } from './work-queue.ts'

/** What follows the owners whose pods are denied, from when it is made. */
interface Denied {
  start(): Promise<void>
  close(): void
}

export type Follow = (asked: (key: string) => void) => Denied

export interface OwnerQueueOptions extends Tools {
  readonly atOnce: number
  readonly follow: Follow
  /** Whether anything is to be done by now. */
  readonly isAsked: () => boolean
  /** Whether nothing is left to do for an owner. */
  readonly work: (denied: DeniedOwner, signal: AbortSignal) => Promise<boolean>
}

const ASK_MS = 1000
/** Owners that wait, or have failed and are tried again. */
const MAX_WAITING = 5000
export const MAX_NAMESPACE_WAITING = 250

export class OwnerQueue {
  private readonly options: OwnerQueueOptions
  private readonly queue: WorkQueue
  /** Anybody may write Events of owners that there are not: of one namespace so many wait at most. */
  private waiting = new Set<string>()
  private room = new Room(MAX_WAITING, MAX_NAMESPACE_WAITING)

  constructor(options: OwnerQueueOptions) {
    this.options = options
    const ownerOf = (key: string): string => ownerOfKey(key).namespace
    this.queue = new WorkQueue({ ...options, ownerOf, most: MAX_WAITING })
  }

  /** Works until the signal is given. */
  async run(signal: AbortSignal): Promise<void> {
    this.waiting = new Set()
    this.room = new Room(MAX_WAITING, MAX_NAMESPACE_WAITING)
    const work = async (key: string): Promise<boolean> => {
      const denied = ownerOfKey(key)
      const isDone = await this.options.work(denied, signal)
      if (isDone && this.waiting.delete(key)) this.room.release(denied.namespace, 1)
      return isDone
    }
    await Promise.all([this.queue.run(work, signal), this.follow(signal)])
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const { isAsked, sleep, follow } = this.options
    let denied: Denied | undefined
    while (!signal.aborted) {
      if (!isAsked()) {
        denied?.close()
        denied = undefined
      } else if (!denied) {
        denied = follow((key) => this.ask(key))
        void denied.start()
      }
      await sleep(ASK_MS, signal)
    }
    denied?.close()
  }

  /** What has failed waits on: a try of its owner's is no news of what it failed by. */
  private ask(key: string): void {
    if (!this.waiting.has(key)) {
      if (!this.room.take(ownerOfKey(key).namespace, 1)) return
      this.waiting.add(key)
    }
    this.queue.add(key, false)
  }
}
