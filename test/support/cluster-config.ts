// A cluster configuration of a document that is right.

import { parseClusterConfig, type ClusterConfig } from '../../webhook/cluster/config.ts'

export const clusterConfig = (document: unknown): ClusterConfig => {
  const config = parseClusterConfig(document)
  if (!config.ok) throw new Error(config.error.join('; '))
  return config.value
}
