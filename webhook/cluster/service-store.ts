// The Services of a cluster by namespace, as much of each as injection reads. Bounded in all and for
// each namespace, so that nobody who may create Services can fill it for the others: what has no
// room is left out and counted. Pure.

import type { Service } from './namespace.ts'

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

interface OfNamespace {
  readonly byName: Map<string, Service>
  weight: number
}

export class ServiceStore {
  private readonly namespaces = new Map<string, OfNamespace>()
  private readonly missing = new Set<string>()
  private weight = 0

  /** How many are left out, as far as they are counted. */
  get leftOut(): number {
    return this.missing.size
  }

  /** The Services of a namespace; changes with the cluster. */
  of(namespace: string): readonly Service[] {
    return [...(this.namespaces.get(namespace)?.byName.values() ?? [])]
  }

  /** Those of all namespaces. */
  all(): readonly Service[] {
    return [...this.namespaces.values()].flatMap(({ byName }) => byName.values().toArray())
  }

  put(placed: PlacedService): void {
    this.remove(placed)
    const { namespace, service } = placed
    const weight = weightOf(service)
    const own = this.namespaces.get(namespace) ?? { byName: new Map<string, Service>(), weight: 0 }
    const hasRoom =
      own.weight + weight <= MAX_NAMESPACE_WEIGHT && this.weight + weight <= MAX_WEIGHT
    if (!hasRoom) {
      if (this.missing.size < MAX_MISSING) this.missing.add(`${namespace}/${service.name}`)
      return
    }
    own.byName.set(service.name, service)
    own.weight += weight
    this.weight += weight
    this.namespaces.set(namespace, own)
  }

  remove({ namespace, service: { name } }: PlacedService): void {
    this.missing.delete(`${namespace}/${name}`)
    const own = this.namespaces.get(namespace)
    const old = own?.byName.get(name)
    if (!own || !old) return
    own.byName.delete(name)
    own.weight -= weightOf(old)
    this.weight -= weightOf(old)
    if (own.byName.size === 0) this.namespaces.delete(namespace)
  }
}
