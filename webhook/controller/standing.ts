// The companions that stand in a cluster, of one kind: objects with our label, by the workload that they are about. Bounded
// in number and in size; of what has no room its name alone is known, or nothing, and it is read when it is needed. Pure.

import { isObject, objectAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { MANAGED_LABEL, MANAGER, SERVER_LABEL } from '../../shared/names.ts'
import { Room, textSize } from '../cluster/room.ts'
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

/** Whoever may label objects decides how many there are, and how much each says: of all together, and of one namespace. */
export const MAX_STANDING = 50_000
export const MAX_NAMESPACE_STANDING = 10_000
export const MAX_STANDING_BYTES = 20_000_000
export const MAX_NAMESPACE_STANDING_BYTES = 1_000_000

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

/** What an object says is kept as text: of many small parts each would take ten times the room of its letters. */
interface Kept extends Pick<Standing, 'kind' | 'namespace' | 'name' | 'uid' | 'server'> {
  /** Empty: it has no room. */
  readonly text: string
}

const keptOf = ({ labels, owners, spec, ...named }: Standing): Kept => ({
  ...named,
  text: JSON.stringify({ labels, owners, spec }),
})

/** One without room is never right: whoever would go by it reads it live. */
const standingFrom = ({ text, ...named }: Kept): Standing => {
  const said: unknown = text === '' ? {} : JSON.parse(text)
  const whole = isObject(said) ? said : {}
  return {
    ...named,
    labels: objectAt(whole, 'labels'),
    owners: objectAt(whole, 'owners'),
    spec: objectAt(whole, 'spec'),
  }
}

export class StandingStore {
  private readonly byName = new Map<string, Kept>()
  private readonly byWorkload = new Map<string, Set<Kept>>()
  private readonly missing = new Set<string>()
  private readonly names = new Room(MAX_STANDING, MAX_NAMESPACE_STANDING)
  private readonly texts = new Room(MAX_STANDING_BYTES, MAX_NAMESPACE_STANDING_BYTES)

  get leftOut(): number {
    return this.missing.size
  }

  get(namespace: string, name: string): Standing | undefined {
    const kept = this.byName.get(keyOf(namespace, name))
    return kept && standingFrom(kept)
  }

  of(key: string): readonly Standing[] {
    return [...(this.byWorkload.get(key) ?? [])].map(standingFrom)
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
    if (!this.names.take(namespace, 1)) {
      if (this.missing.size < MAX_STANDING) this.missing.add(keyOf(namespace, name))
      return
    }
    const whole = keptOf(standing)
    const hasRoom = this.texts.take(namespace, textSize(whole.text))
    const kept = hasRoom ? whole : { ...whole, text: '' }
    this.byName.set(keyOf(namespace, name), kept)
    const key = keyOf(namespace, server)
    const own = this.byWorkload.get(key) ?? new Set<Kept>()
    own.add(kept)
    this.byWorkload.set(key, own)
  }

  remove({ namespace, name }: Pick<Standing, 'namespace' | 'name'>): void {
    this.missing.delete(keyOf(namespace, name))
    const old = this.byName.get(keyOf(namespace, name))
    if (!old) return
    this.byName.delete(keyOf(namespace, name))
    this.names.release(namespace, 1)
    this.texts.release(namespace, textSize(old.text))
    const key = keyOf(namespace, old.server)
    const own = this.byWorkload.get(key)
    own?.delete(old)
    if (own?.size === 0) this.byWorkload.delete(key)
  }
}
