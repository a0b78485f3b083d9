// Takes our scheduling gate off a pod whose policy stands. It is that very pod's, and nothing else of it is written: the
// API server lets the controller change nothing else (manifests/base/companions/gate.yaml).

import { POLICY_GATE } from '../inject/gate.ts'
import type { Place } from '../companions/member.ts'
import { refusalOf, type Refusal } from '../kube/reply.ts'
import type { Requests } from '../kube/requests.ts'
import { FIELD_MANAGER } from './writes.ts'

/** One that is gone, or another of its name by now, is fine. */
const letGo = async (
  requests: Requests,
  { namespace, name, uid }: Place,
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

/** One that may not be changed is in no other's way: the first such refusal, where there was any. What no pod is to blame for ends
 * it, since it would be the same with each. */
export const letAllGo = async (
  requests: Requests,
  waiting: readonly Place[],
  signal: AbortSignal,
): Promise<Refusal | undefined> => {
  let first: Refusal | undefined
  for (const place of waiting) {
    const refusal = await refusalOf(letGo(requests, place, signal))
    first ??= refusal
  }
  return first
}
