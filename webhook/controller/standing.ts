// The companions that stand in a cluster, of one kind: objects with our label, by the workload that they are about. Bounded;
// what has no room is left out, and is then read when it is needed. Pure.

import { objectAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { MANAGED_LABEL, MANAGER, SERVER_LABEL } from '../../shared/names.ts'
import { keyOf } from './members.ts'

export interface Standing {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** Empty: of the namespace itself. */
  readonly server: string
  readonly labels: JsonObject
  readonly owners: JsonObject
  readonly spec: JsonObject
}

export const MAX_STANDING = 50_000

const text = (object: JsonObject, member: string): string =>
  stringAt(object, 'metadata', member) ?? ''

/** As much of an object as is compared. */
export const standingOf = (kind: string, object: JsonObject): Standing => {
  const labels = objectAt(object, 'metadata', 'labels')
  const { ownerReferences = [] } = objectAt(object, 'metadata')
  return {
    kind,
    namespace: text(object, 'namespace'),
    name: text(object, 'name'),
    uid: text(object, 'uid'),
    server: stringAt(labels, SERVER_LABEL) ?? '',
    labels,
    owners: { ownerReferences },
    spec: objectAt(object, 'spec'),
  }
}

/** Whether an object says that it is ours. */
export const isManaged = ({ labels }: Pick<Standing, 'labels'>): boolean =>
  labels[MANAGED_LABEL] === MANAGER

export class StandingStore {
  private readonly byName = new Map<string, Standing>()
  private readonly byWorkload = new Map<string, Set<Standing>>()
  private readonly missing = new Set<string>()

  get leftOut(): number {
    return this.missing.size
  }

  get(namespace: string, name: string): Standing | undefined {
    return this.byName.get(keyOf(namespace, name))
  }

  of(key: string): readonly Standing[] {
    return [...(this.byWorkload.get(key) ?? [])]
  }

  keys(): readonly string[] {
    return [...this.byWorkload.keys()]
  }

  get size(): number {
    return this.byName.size
  }

  put(standing: Standing): void {
    this.remove(standing)
    const { namespace, name, server } = standing
    if (this.byName.size >= MAX_STANDING) {
      if (this.missing.size < MAX_STANDING) this.missing.add(keyOf(namespace, name))
      return
    }
    this.byName.set(keyOf(namespace, name), standing)
    const key = keyOf(namespace, server)
    const own = this.byWorkload.get(key) ?? new Set<Standing>()
    own.add(standing)
    this.byWorkload.set(key, own)
  }

  remove({ namespace, name }: Pick<Standing, 'namespace' | 'name'>): void {
    this.missing.delete(keyOf(namespace, name))
    const old = this.byName.get(keyOf(namespace, name))
    if (!old) return
    this.byName.delete(keyOf(namespace, name))
    const key = keyOf(namespace, old.server)
    const own = this.byWorkload.get(key)
    own?.delete(old)
    if (own?.size === 0) this.byWorkload.delete(key)
  }
}
