// What clouds know of the ServiceAccount `default` of each namespace: whether annotations of theirs say that it is somebody
// there. Bounded: names alone are kept. Pure.

import { objectAt, stringAt, type JsonObject } from '../../shared/json.ts'

export interface PlacedAccount {
  readonly namespace: string
  readonly isAtCloud: boolean
}

/** Of the clouds whose workload identities go by an annotation of the account: Amazon's, Google's, Azure's, Alibaba's and IBM's. */
export const DOMAIN =
  /^(?:[a-z0-9-]+\.)*(?:amazonaws\.com|gke\.io|azure\.workload\.identity|alibabacloud\.com|cloud\.ibm\.com)\//

export const placedAccount = (object: JsonObject): PlacedAccount => ({
  namespace: stringAt(object, 'metadata', 'namespace') ?? '',
  isAtCloud: Object.keys(objectAt(object, 'metadata', 'annotations')).some((name) =>
    DOMAIN.test(name),
  ),
})

/** Namespaces; what is beyond is not known here. */
export const MAX_ACCOUNTS = 50_000

export class AccountStore {
  private readonly known = new Map<string, boolean>()
  private readonly missing = new Set<string>()

  get leftOut(): number {
    return this.missing.size
  }

  /** Undefined where no account of that namespace is known. */
  isAtCloud(namespace: string): boolean | undefined {
    return this.known.get(namespace)
  }

  put({ namespace, isAtCloud }: PlacedAccount): void {
    if (this.known.has(namespace) || this.known.size < MAX_ACCOUNTS) {
      this.missing.delete(namespace)
      this.known.set(namespace, isAtCloud)
    } else if (this.missing.size < MAX_ACCOUNTS) this.missing.add(namespace)
  }

  remove({ namespace }: Pick<PlacedAccount, 'namespace'>): void {
    this.known.delete(namespace)
    this.missing.delete(namespace)
  }
}
