// The Services of a cluster by namespace, as much of each as injection reads. Bounded in all and for
// each namespace, so that nobody who may create Services can fill it for the others: what has no
// room is left out and counted. Pure.

import type { Service } from './namespace.ts'
import { Room } from './room.ts'

export interface PlacedService {
  readonly namespace: string
  readonly service: Service
}

/** Ports and labels of all Services together: about 40 MB at the most. */
export const MAX_WEIGHT = 100_000
export const MAX_NAMESPACE_WEIGHT = 10_000
// So many are known by name to be left out; there may be more.
const MAX_MISSING = 10_000

const weightOf = ({ selector, ports }: Service): number =>
  1 + Object.keys(selector).length + ports.length

export class ServiceStore {
  private readonly namespaces = new Map<string, Map<string, Service>>()
  private readonly missing = new Set<string>()
  private readonly room = new Room(MAX_WEIGHT, MAX_NAMESPACE_WEIGHT)

  /** How many are left out, as far as they are counted. */
  get leftOut(): number {
    return this.missing.size
  }

  /** The Services of a namespace; changes with the cluster. */
  of(namespace: string): readonly Service[] {
    return [...(this.namespaces.get(namespace)?.values() ?? [])]
  }

  /** Those of all namespaces. */
  all(): readonly Service[] {
    return [...this.namespaces.values()].flatMap((byName) => byName.values().toArray())
  }

  put(placed: PlacedService): void {
    this.remove(placed)
    const { namespace, service } = placed
    if (!this.room.take(namespace, weightOf(service))) {
      if (this.missing.size < MAX_MISSING) this.missing.add(`${namespace}/${service.name}`)
      return
    }
    const own = this.namespaces.get(namespace) ?? new Map<string, Service>()
    own.set(service.name, service)
    this.namespaces.set(namespace, own)
  }

  remove({ namespace, service: { name } }: PlacedService): void {
    this.missing.delete(`${namespace}/${name}`)
    const own = this.namespaces.get(namespace)
    const old = own?.get(name)
    if (!own || !old) return
    own.delete(name)
    this.room.release(namespace, weightOf(old))
    if (own.size === 0) this.namespaces.delete(namespace)
  }
}
