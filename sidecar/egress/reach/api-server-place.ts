// Where the cluster's API server answers, as far as a pod is told: at the host of its environment, and at what its own names
// lead to. No other name may lead there: whoever may create Services can make one that is another's alias (ExternalName).

import { addressOf, textOf, type Address } from '../../../shared/address.ts'
import type { Destination } from '../../../shared/destination.ts'
import { codeOf } from '../../../shared/error-code.ts'
import { absoluteName, hostNameOf, isServiceName, type Cluster } from '../../../shared/host-name.ts'
import type { Asker, Resolve } from './resolver.ts'

const NAME = 'kubernetes.default.svc'
/** Of look-ups it has turns of its own: no client's other names keep it waiting. */
const KEY = 'api-server'

/** Addresses in one spelling (`textOf`). */
export type Closed = ReadonlySet<string>

const NONE: Closed = new Set()

const textsOf = (texts: readonly string[]): readonly string[] =>
  texts.flatMap((text) => addressOf(text) ?? []).map((address: Address) => textOf(address))

export class ApiServerPlace {
  private readonly cluster: Cluster | undefined
  private readonly resolve: Resolve
  /** What the environment says, where that is an address. */
  private readonly told: Closed
  /** Absolute ones: whoever declares one of these means it. */
  private readonly names: readonly string[]

  /** `host`: as the kubelet tells every container (`KUBERNETES_SERVICE_HOST`). */
  constructor(host: string | undefined, cluster: Cluster | undefined, resolve: Resolve) {
    this.cluster = cluster
    this.resolve = resolve
    this.told = new Set(textsOf([host ?? '']))
    const other = hostNameOf(host ?? '')
    this.names = [
      ...(cluster ? [absoluteName(NAME, cluster)] : []),
      ...(other === undefined ? [] : [absoluteName(other, cluster)]),
    ]
  }

  /**
   * Where a name may not lead that a destination declares. Looked up for Services' names alone, since no other leads to private
   * addresses; undefined where it cannot be known. Never rejects.
   */
  closedTo(rule: Destination | undefined, asker: Asker): Closed | Promise<Closed | undefined> {
    if (rule?.hosts.kind !== 'name' && rule?.hosts.kind !== 'below') return this.told
    const { kind, name } = rule.hosts
    if (kind === 'name' && this.names.includes(name)) return NONE
    return isServiceName(name, this.cluster) ? this.lookUp(asker) : this.told
  }

  private async lookUp(asker: Asker): Promise<Closed | undefined> {
    try {
      const found = await Promise.all(this.names.map((name) => this.addressesOf(name, asker)))
      const closed = new Set([...this.told, ...textsOf(found.flat())])
      return closed.size > 0 ? closed : undefined
    } catch {
      return undefined
    }
  }

  private async addressesOf(name: string, asker: Asker): Promise<readonly string[]> {
    try {
      return await this.resolve(name, { ...asker, key: KEY })
    } catch (error) {
      // There is none of that name; what the environment has said holds by itself.
      if (['ENOTFOUND', 'ENODATA'].includes(codeOf(error))) return []
      throw error
    }
  }
}
