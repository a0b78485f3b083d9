// The injected pods of a cluster by workload, as much of each as companions need. Bounded: what has no room is left out and
// counted, and while that is so of a workload, or in a namespace, nothing is taken from it; of one that waits for its policy
// enough is kept to let it go. Pure.

import { Room, textSize } from '../cluster/room.ts'
import { isWaiting, type Member, type Place } from '../companions/member.ts'
import { LeftOut } from './left-out.ts'

/** A pod as it was seen; without `member` no companion is about it, or no more. */
export interface SeenPod {
  readonly namespace: string
  readonly name: string
  readonly member: Member | undefined
}

export const MAX_MEMBERS = 20_000
/** Whoever may create pods decides how many there are, and how much each says: what all of them take together, and those of one
 * namespace, which never has more of either than it leaves to all others. */
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
  private readonly left = new LeftOut()
  private readonly names = new Room(MAX_MEMBERS, MAX_MEMBERS)
  private readonly room = new Room(MAX_BYTES, MAX_NAMESPACE_BYTES)

  get leftOut(): number {
    return this.left.size
  }

  /** How many wait for their policy, with room or without. */
  get held(): number {
    return this.count(isWaiting) + this.left.held
  }

  of(key: string): readonly Member[] {
    return this.byWorkload.get(key)?.values().toArray() ?? []
  }

  /** Those of a workload that wait for its policy, with room or without. */
  waiting(key: string): readonly Place[] {
    return [...this.of(key).filter(isWaiting), ...this.left.waiting(key)]
  }

  /** How many there are of a kind. */
  count(isOne: (member: Member) => boolean): number {
    return this.byPod.values().filter(isOne).toArray().length
  }

  has(namespace: string): boolean {
    return this.room.has(namespace) || this.left.has(namespace)
  }

  keys(): readonly string[] {
    return [...new Set([...this.byWorkload.keys(), ...this.left.keys()])]
  }

  put(seen: SeenPod): void {
    const { namespace, name, member } = seen
    const pod = keyOf(namespace, name)
    const before = this.byPod.get(pod)
    this.remove(seen)
    if (!member) return
    const key = keyOf(namespace, member.server)
    const size = sizeOf(member)
    // Who has come since takes no room away from it.
    const isNoMore = before !== undefined && size <= sizeOf(before)
    if (!this.take(namespace, size, isNoMore)) {
      const place = { namespace, name, uid: member.uid }
      return this.left.put(pod, { namespace, key, waits: isWaiting(member) ? place : undefined })
    }
    const own = this.byWorkload.get(key) ?? new Map<string, Member>()
    own.set(name, member)
    this.byWorkload.set(key, own)
    this.byPod.set(pod, member)
  }

  /** Whether a pod of a workload, or of a namespace, may be missing. */
  isPartial(key: string): boolean {
    const [namespace, server] = placeOf(key)
    return server === '' ? this.left.has(namespace) : this.left.hasOf(namespace, key)
  }

  remove({ namespace, name }: SeenPod): void {
    const pod = keyOf(namespace, name)
    this.left.remove(pod)
    const old = this.byPod.get(pod)
    if (!old) return
    this.byPod.delete(pod)
    const key = keyOf(namespace, old.server)
    const own = this.byWorkload.get(key)
    own?.delete(name)
    if (own?.size === 0) this.byWorkload.delete(key)
    this.names.release(namespace, 1)
    this.room.release(namespace, sizeOf(old))
  }

  private take(namespace: string, size: number, isNoMore: boolean): boolean {
    const take = isNoMore ? 'take' : 'takeShare'
    if (!this.names[take](namespace, 1)) return false
    if (this.room[take](namespace, size)) return true
    this.names.release(namespace, 1)
    return false
  }
}
