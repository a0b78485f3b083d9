// The sidecar's uid: the configured rare one, or on OpenShift the last of the namespace's range,
// whose first one the platform gives to everybody else. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { Namespace } from '../cluster/namespace.ts'
import { violation, type Violation } from '../settings/violation.ts'

const UID_RANGE = 'openshift.io/sa.scc.uid-range'
const RANGE = /^(\d{1,10})([/-])(\d{1,10})$/

export interface Identity {
  readonly uid: number
  /** Undefined where the platform assigns groups. */
  readonly gid: number | undefined
}

/** The sidecar's uid and gid in a namespace. */
export const sidecarIdentity = (
  namespace: Namespace,
  config: ClusterConfig,
): Result<Identity, Violation> => {
  const range = namespace.annotations[UID_RANGE]
  if (range === undefined) return ok({ uid: config.sidecar.uid, gid: config.sidecar.uid })
  const [, first, sign, second] = RANGE.exec(range) ?? []
  const last = sign === '/' ? Number(first) + Number(second) - 1 : Number(second)
  if (last > Number(first)) return ok({ uid: last, gid: undefined })
  const message = `namespace ${namespace.name}: annotation ${UID_RANGE}: ${JSON.stringify(range)} is not a range of several uids such as 1000680000/10000`
  return fail(violation('malformed', message))
}
