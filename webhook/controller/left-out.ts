// The pods that have no room among those that are followed: whose each is, and of one that waits as much as lets it go. Bounded
// themselves: of a namespace with more of them than are remembered every workload may lack some. Pure.

import { Room } from '../cluster/room.ts'
import type { Place } from '../companions/member.ts'

const MAX_LEFT_OUT = 20_000

interface Left {
  readonly namespace: string
  /** Its workload's. */
  readonly key: string
  /** Undefined: it waits for nothing. */
  readonly waits: Place | undefined
}

export class LeftOut {
  private readonly byPod = new Map<string, Left>()
  private readonly byWorkload = new Map<string, Set<Left>>()
  private readonly room = new Room(MAX_LEFT_OUT, MAX_LEFT_OUT)
  /** Namespaces that have had more of them. */
  private readonly overfull = new Set<string>()

  get size(): number {
    return this.byPod.size
  }

  /** How many of them wait. */
  get held(): number {
    return this.byPod
      .values()
      .filter(({ waits }) => waits !== undefined)
      .toArray().length
  }

  keys(): readonly string[] {
    return [...this.byWorkload.keys()]
  }

  waiting(key: string): readonly Place[] {
    return [...(this.byWorkload.get(key) ?? [])].flatMap(({ waits }) => waits ?? [])
  }

  has(namespace: string): boolean {
    return this.room.has(namespace) || this.isOverfull(namespace)
  }

  /** Whether a workload may have one. */
  hasOf(namespace: string, key: string): boolean {
    return this.byWorkload.has(key) || this.isOverfull(namespace)
  }

  put(pod: string, left: Left): void {
    const { namespace, key } = left
    if (!this.room.takeShare(namespace, 1)) {
      if (this.overfull.size < MAX_LEFT_OUT) this.overfull.add(namespace)
      return
    }
    this.byPod.set(pod, left)
    const own = this.byWorkload.get(key) ?? new Set<Left>()
    own.add(left)
    this.byWorkload.set(key, own)
  }

  remove(pod: string): void {
    const left = this.byPod.get(pod)
    if (!left) return
    this.byPod.delete(pod)
    this.room.release(left.namespace, 1)
    const own = this.byWorkload.get(left.key)
    own?.delete(left)
    if (own?.size === 0) this.byWorkload.delete(left.key)
  }

  /** Beyond so many namespaces it is each of them. */
  private isOverfull(namespace: string): boolean {
    return this.overfull.has(namespace) || this.overfull.size >= MAX_LEFT_OUT
  }
}
