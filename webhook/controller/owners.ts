// Which workload a pod is of, as an owner reference names it: what controls the pod, or, of a ReplicaSet and a Job, what
// controls that. Kept in bounds, and taken from there only while what stands names it: a ReplicaSet may get another Deployment.

import { stringAt } from '../../shared/json.ts'
import { ownerOf, type Member, type Owner } from '../companions/member.ts'
import type { Requests } from '../kube/requests.ts'

/** What makes pods itself, and where the API server has it. */
const COLLECTIONS = new Map([
  ['apps/v1 ReplicaSet', ['/apis/apps/v1', 'replicasets']],
  ['apps/v1 StatefulSet', ['/apis/apps/v1', 'statefulsets']],
  ['apps/v1 DaemonSet', ['/apis/apps/v1', 'daemonsets']],
  ['batch/v1 Job', ['/apis/batch/v1', 'jobs']],
])
/** Those of them that something else may control. */
const BETWEEN: ReadonlySet<string> = new Set(['apps/v1 ReplicaSet', 'batch/v1 Job'])
const MAX_KEPT = 10_000

type Owned = Pick<Member, 'namespace' | 'owner'>

const kindOf = ({ apiVersion, kind }: Owner): string => `${apiVersion} ${kind}`

export const makesPods = (owner: Owner): boolean => COLLECTIONS.has(kindOf(owner))

/** Of one that makes pods. */
export const ownerPath = ({ namespace, owner }: Owned): string => {
  const [group = '', plural = ''] = COLLECTIONS.get(kindOf(owner)) ?? []
  return `${group}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(owner.name)}`
}

export class Owners {
  private readonly requests: Requests
  private readonly kept = new Map<string, Owner>()

  constructor(requests: Requests) {
    this.requests = requests
  }

  /** Whoever begins to lead has asked nobody before. */
  begin(): void {
    this.kept.clear()
  }

  /** Undefined: what controls it is gone, so that it goes, too. `isNamed`: whether what is known may be taken. */
  async rootOf(
    owned: Owned,
    isNamed: (root: Owner) => boolean,
    signal: AbortSignal,
  ): Promise<Owner | undefined> {
    const { owner } = owned
    if (!BETWEEN.has(kindOf(owner))) return owner
    const known = this.kept.get(owner.uid)
    if (known && isNamed(known)) return known
    const object = await this.requests.get(ownerPath(owned), signal)
    if (!object || stringAt(object, 'metadata', 'uid') !== owner.uid) return undefined
    const root = ownerOf(object) ?? owner
    if (this.kept.size >= MAX_KEPT) this.kept.clear()
    this.kept.set(owner.uid, root)
    return root
  }
}
