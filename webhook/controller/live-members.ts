// Pods of a workload as the API server has them, where none of them had room among those that are followed. Decides nothing.

import { objectsAt } from '../../shared/json.ts'
import { INJECTED, SERVER_LABEL } from '../../shared/names.ts'
import { memberOf, type Member } from '../companions/member.ts'
import type { Requests } from '../kube/requests.ts'

/** Each may be 1.5 MB. */
const MOST = 2

export const liveMembers = async (
  requests: Requests,
  [namespace, server]: readonly [namespace: string, server: string],
  signal: AbortSignal,
): Promise<readonly Member[]> => {
  const query = new URLSearchParams({
    labelSelector: `${INJECTED},${SERVER_LABEL}=${server}`,
    // Those of Jobs stay when they are over.
    fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
    limit: String(MOST),
  })
  const place = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`
  const list = await requests.get(`${place}?${query.toString()}`, signal)
  return objectsAt(list, 'items')
    .slice(0, MOST)
    .flatMap((pod) => memberOf(pod) ?? [])
    .filter((member) => member.namespace === namespace && member.server === server)
}
