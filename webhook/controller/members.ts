// The injected pods of a cluster by workload, as much of each as companions need. Bounded: what has no room is left out and
// counted, and while that is so nothing is taken away. Pure.

import type { Member } from '../companions/member.ts'

/** A pod as it was seen; without `member` no companion is about it, or no more. */
export interface SeenPod {
  readonly namespace: string
  readonly name: string
  readonly member: Member | undefined
}

/** About 2 KB each. */
export const MAX_MEMBERS = 20_000

/** By which work is asked for: a namespace and a server's label; the namespace's own policy has none. */
export const keyOf = (namespace: string, server: string): string => `${namespace}/${server}`

export const placeOf = (key: string): readonly [namespace: string, server: string] => {
  const slash = key.indexOf('/')
  return [key.slice(0, slash), key.slice(slash + 1)]
}

export class Members {
  private readonly byWorkload = new Map<string, Map<string, Member>>()
  private readonly byPod = new Map<string, Member>()
  private readonly missing = new Set<string>()
  private readonly inNamespace = new Map<string, number>()

  get leftOut(): number {
    return this.missing.size
  }

  of(key: string): readonly Member[] {
    return this.byWorkload.get(key)?.values().toArray() ?? []
  }

  has(namespace: string): boolean {
    return this.inNamespace.has(namespace)
  }

  keys(): readonly string[] {
    return [...this.byWorkload.keys()]
  }

  put(seen: SeenPod): void {
    this.remove(seen)
    const { namespace, name, member } = seen
    if (!member) return
    const pod = keyOf(namespace, name)
    if (this.byPod.size >= MAX_MEMBERS) {
      if (this.missing.size < MAX_MEMBERS) this.missing.add(pod)
      return
    }
    const key = keyOf(namespace, member.server)
    const own = this.byWorkload.get(key) ?? new Map<string, Member>()
    own.set(name, member)
    this.byWorkload.set(key, own)
    this.byPod.set(pod, member)
    this.inNamespace.set(namespace, (this.inNamespace.get(namespace) ?? 0) + 1)
  }

  remove({ namespace, name }: SeenPod): void {
    const pod = keyOf(namespace, name)
    this.missing.delete(pod)
    const old = this.byPod.get(pod)
    if (!old) return
    this.byPod.delete(pod)
    const key = keyOf(namespace, old.server)
    const own = this.byWorkload.get(key)
    own?.delete(name)
    if (own?.size === 0) this.byWorkload.delete(key)
    const left = (this.inNamespace.get(namespace) ?? 1) - 1
    if (left === 0) this.inNamespace.delete(namespace)
    else this.inNamespace.set(namespace, left)
  }
}
