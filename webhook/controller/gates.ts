// Takes our scheduling gate off a pod whose policy stands. It is that very pod's, and nothing else of it is written: the
// API server lets the controller change nothing else (manifests/base/companions/gate.yaml).

import { POLICY_GATE } from '../inject/gate.ts'
import type { Member } from '../companions/member.ts'
import type { Requests } from '../kube/requests.ts'
import { FIELD_MANAGER } from './writes.ts'

/** One that is gone, or another of its name by now, is fine. */
export const letGo = async (
  requests: Requests,
  { namespace, name, uid }: Pick<Member, 'namespace' | 'name' | 'uid'>,
  signal: AbortSignal,
): Promise<void> => {
  const place = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`
  const body = JSON.stringify({
    metadata: { uid },
    spec: { schedulingGates: [{ $patch: 'delete', name: POLICY_GATE }] },
  })
  await requests.write(
    {
      method: 'PATCH',
      path: `${place}?fieldManager=${FIELD_MANAGER}`,
      contentType: 'application/strategic-merge-patch+json',
      body,
    },
    signal,
    [404, 409],
  )
}
