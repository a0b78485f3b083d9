// What the server reaches, where anybody is to look: else nothing of it is loaded.

import type { SidecarParts } from './core.ts'
import type { EgressRecords } from './audit/egress-records.ts'
import type { Egress } from './egress/start-egress.ts'
import { LimitedLog } from './life/limited-log.ts'

/** Lines about what servers reach, of all of them together. */
const LOG_RATE = { burst: 100, perSecond: 10, kind: 'what servers reach' }

/** Rejects where it cannot begin. */
export const loadEgress = async (
  { config, log, now, process, environment, pod, onReached }: SidecarParts,
  records: EgressRecords | undefined,
): Promise<Egress | undefined> => {
  if (config.egress === undefined) return undefined
  const { startEgress } = await import('./egress/start-egress.ts')
  const limited = new LimitedLog(log, LOG_RATE, now)
  const parts = {
    config,
    log: limited,
    now,
    ownUid: process.uid,
    apiServerHost: environment?.['KUBERNETES_SERVICE_HOST'],
    ownAddresses: pod?.addresses,
    records,
    onReached,
  }
  const egress = await startEgress(parts, config.egress)
  return {
    ...egress,
    sweep: (nowMs) => {
      egress.sweep(nowMs)
      limited.sweep(nowMs)
    },
  }
}
