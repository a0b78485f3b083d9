// The injected pods of a cluster by workload, as much of each as companions need. Bounded: what has no room is left out and
// counted, and while that is so of a workload, or in a namespace, nothing is taken from it. Pure.

import { Room, textSize } from '../cluster/room.ts'
import type { Member } from '../companions/member.ts'

/** A pod as it was seen; without `member` no companion is about it, or no more. */
export interface SeenPod {
  readonly namespace: string
  readonly name: string
  readonly member: Member | undefined
}

export const MAX_MEMBERS = 20_000
/** Whoever may create pods decides how much each says: what all of them take together, and those of one namespace. */
const MAX_BYTES = 40_000_000
export const MAX_NAMESPACE_BYTES = 8_000_000
/** What a pod takes besides what it says, and an item of a list besides its letters. */
const POD_BYTES = 900
const ITEM_BYTES = 32

const sizeOf = ({ labels, ingressFrom, needs, owner, sidecar, ailments }: Member): number => {
  const items = needs ? needs.egress.length + needs.own.length : 0
  const said = textSize(JSON.stringify([labels, ingressFrom, needs, owner, sidecar, ailments]))
  return POD_BYTES + ITEM_BYTES * (items + Object.keys(labels).length) + said
}

/** By which work is asked for: a namespace and a server's label; the namespace's own policy has none. */
export const keyOf = (namespace: string, server: string): string => `${namespace}/${server}`

export const placeOf = (key: string): readonly [namespace: string, server: string] => {
  const slash = key.indexOf('/')
  return [key.slice(0, slash), key.slice(slash + 1)]
}

export class Members {
  private readonly byWorkload = new Map<string, Map<string, Member>>()
  private readonly byPod = new Map<string, Member>()
  /** The key of its workload by each pod that had no room, and how many of each workload, and of each namespace, those are. */
  private readonly missing = new Map<string, string>()
  private readonly missingOf = new Map<string, number>()
  /** There were more of them than are remembered. */
  private isOverfull = false
  private readonly room = new Room(MAX_BYTES, MAX_NAMESPACE_BYTES)

  get leftOut(): number {
    return this.missing.size
  }

  of(key: string): readonly Member[] {
    return this.byWorkload.get(key)?.values().toArray() ?? []
  }

  /** How many there are of a kind. */
  count(isOne: (member: Member) => boolean): number {
    return this.byPod.values().filter(isOne).toArray().length
  }

  has(namespace: string): boolean {
    return this.room.has(namespace)
  }

  keys(): readonly string[] {
    return [...this.byWorkload.keys()]
  }

  put(seen: SeenPod): void {
    this.remove(seen)
    const { namespace, name, member } = seen
    if (!member) return
    const pod = keyOf(namespace, name)
    const key = keyOf(namespace, member.server)
    const hasRoom = this.byPod.size < MAX_MEMBERS && this.room.take(namespace, sizeOf(member))
    if (!hasRoom) return this.miss(pod, key)
    const own = this.byWorkload.get(key) ?? new Map<string, Member>()
    own.set(name, member)
    this.byWorkload.set(key, own)
    this.byPod.set(pod, member)
  }

  /** Whether a pod of a workload, or of a namespace, may be missing. */
  isPartial(key: string): boolean {
    return this.isOverfull || this.missingOf.has(key)
  }

  private miss(pod: string, key: string): void {
    if (this.missing.size >= MAX_MEMBERS) {
      this.isOverfull = true
      return
    }
    this.missing.set(pod, key)
    this.countMissing(key, 1)
  }

  private found(pod: string): void {
    const key = this.missing.get(pod)
    if (key !== undefined && this.missing.delete(pod)) this.countMissing(key, -1)
  }

  private countMissing(key: string, more: 1 | -1): void {
    const [namespace] = placeOf(key)
    for (const one of [key, keyOf(namespace, '')]) {
      const count = (this.missingOf.get(one) ?? 0) + more
      if (count > 0) this.missingOf.set(one, count)
      else this.missingOf.delete(one)
    }
  }

  remove({ namespace, name }: SeenPod): void {
    const pod = keyOf(namespace, name)
    this.found(pod)
    const old = this.byPod.get(pod)
    if (!old) return
    this.byPod.delete(pod)
    const key = keyOf(namespace, old.server)
    const own = this.byWorkload.get(key)
    own?.delete(name)
    if (own?.size === 0) this.byWorkload.delete(key)
    this.room.release(namespace, sizeOf(old))
  }
}
