// What clouds know of the ServiceAccount `default` of each namespace: whether annotations of theirs say that it is somebody
// there. Bounded: of those that say so names alone are kept. Pure.

import { objectAt, stringAt, type JsonObject } from '../../shared/json.ts'

export interface PlacedAccount {
  readonly namespace: string
  readonly isAtCloud: boolean
}

/** Of the clouds whose workload identities go by an annotation of the account: Amazon's, Google's, Azure's, Alibaba's and IBM's. */
const DOMAIN =
  /^(?:[a-z0-9-]+\.)*(?:amazonaws\.com|gke\.io|azure\.workload\.identity|alibabacloud\.com|cloud\.ibm\.com)\//

export const placedAccount = (object: JsonObject): PlacedAccount => ({
  namespace: stringAt(object, 'metadata', 'namespace') ?? '',
  isAtCloud: Object.keys(objectAt(object, 'metadata', 'annotations')).some((name) =>
    DOMAIN.test(name),
  ),
})

/** Namespaces; of those beyond, each counts as one of them. */
export const MAX_ACCOUNTS = 50_000

export class AccountStore {
  private readonly known = new Set<string>()
  private readonly missing = new Set<string>()

  get leftOut(): number {
    return this.missing.size
  }

  isAtCloud(namespace: string): boolean {
    return this.known.has(namespace) || this.missing.size > 0
  }

  put({ namespace, isAtCloud }: PlacedAccount): void {
    this.remove({ namespace })
    if (!isAtCloud) return
    if (this.known.size < MAX_ACCOUNTS) this.known.add(namespace)
    else if (this.missing.size < MAX_ACCOUNTS) this.missing.add(namespace)
  }

  remove({ namespace }: Pick<PlacedAccount, 'namespace'>): void {
    this.known.delete(namespace)
    this.missing.delete(namespace)
  }
}
