// The other replicas of the workload, where there may be any: else nothing of them is loaded.

import type { SidecarConfig } from '../shared/sidecar-config.ts'
import type { Replicas, ReplicasParts } from './replicas/start-replicas.ts'

export const loadReplicas = async (
  parts: ReplicasParts & { readonly config: Pick<SidecarConfig, 'replicas'> },
): Promise<Replicas | undefined> => {
  const { replicas } = parts.config
  if (replicas === undefined) return undefined
  const { startReplicas } = await import('./replicas/start-replicas.ts')
  return startReplicas(parts, replicas)
}
