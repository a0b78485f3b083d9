// Which workload a pod is of, as an owner reference names it: what controls the pod, or, of a ReplicaSet and a Job, what
// controls that. Kept in bounds, and taken from there only while what stands names it: a ReplicaSet may get another Deployment.

import { stringAt } from '../../shared/json.ts'
import { ownerOf, type Member, type Owner } from '../companions/member.ts'
import type { Requests } from '../kube/requests.ts'

const BETWEEN = new Map([
  ['apps/v1 ReplicaSet', '/apis/apps/v1/namespaces/NAMESPACE/replicasets/'],
  ['batch/v1 Job', '/apis/batch/v1/namespaces/NAMESPACE/jobs/'],
])
const MAX_KEPT = 10_000

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
    { namespace, owner }: Pick<Member, 'namespace' | 'owner'>,
    isNamed: (root: Owner) => boolean,
    signal: AbortSignal,
  ): Promise<Owner | undefined> {
    const path = BETWEEN.get(`${owner.apiVersion} ${owner.kind}`)
    if (path === undefined) return owner
    const known = this.kept.get(owner.uid)
    if (known && isNamed(known)) return known
    const place = path.replace('NAMESPACE', encodeURIComponent(namespace))
    const object = await this.requests.get(`${place}${encodeURIComponent(owner.name)}`, signal)
    if (!object || stringAt(object, 'metadata', 'uid') !== owner.uid) return undefined
    const root = ownerOf(object) ?? owner
    if (this.kept.size >= MAX_KEPT) this.kept.clear()
    this.kept.set(owner.uid, root)
    return root
  }
}
