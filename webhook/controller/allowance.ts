// How often something is done within an hour: in all, and for one namespace, so that whoever asks again and again has others
// wait for nothing. Pure.

import { Room } from '../cluster/room.ts'

const WITHIN_MS = 3_600_000

export class Allowance {
  private readonly room: Room
  /** The oldest first. */
  private readonly taken: { readonly atMs: number; readonly namespace: string }[] = []

  constructor(most: number, mostOfNamespace: number) {
    this.room = new Room(most, mostOfNamespace)
  }

  /** Whether it may be done once more; by a steady clock. */
  take(namespace: string, nowMs: number): boolean {
    for (let [first] = this.taken; first; [first] = this.taken) {
      if (nowMs - first.atMs < WITHIN_MS) break
      this.taken.shift()
      this.room.release(first.namespace, 1)
    }
    const isTaken = this.room.take(namespace, 1)
    if (isTaken) this.taken.push({ atMs: nowMs, namespace })
    return isTaken
  }
}
