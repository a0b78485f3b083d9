// How the sidecar itself gets beyond the cluster, where a company's own proxy leads there: else nothing of it is loaded.

import type { SidecarParts } from './core.ts'
import type { OwnWay } from './identity/own-way.ts'

/** Undefined where it goes as the system does; rejects with the reason where that proxy cannot be used. */
export const loadOwnWay = async ({
  config,
  now,
}: Pick<SidecarParts, 'config' | 'now'>): Promise<OwnWay | undefined> => {
  if (config.egress?.parentProxy === undefined) return undefined
  const { openOwnWay } = await import('./egress/own-way.ts')
  return openOwnWay(config.egress, now)
}
