// The cluster configuration as it stands in a cluster.

import { stringAt } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { readClusterConfig, type ClusterConfig } from '../../webhook/cluster/config.ts'
import type { Objects } from '../../webhook/kube/objects.ts'

const CONFIG_MAP = 'outrigger-config'
const CONFIG_KEY = 'config.yaml'

/** What the webhooks of a namespace go by; the error says which object cannot be read, and why. */
export const readConfigIn = async (
  cluster: Objects,
  namespace: string,
): Promise<Result<ClusterConfig, string>> => {
  const where = `ConfigMap ${namespace}/${CONFIG_MAP}`
  const read = await cluster.get(
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${CONFIG_MAP}`,
  )
  if (!read.ok) return fail(`${where}: ${read.error.why}`)
  const text = stringAt(read.value, 'data', CONFIG_KEY)
  if (text === undefined) return fail(`${where} has no ${CONFIG_KEY}`)
  const config = readClusterConfig(text)
  return config.ok ? ok(config.value) : fail(`${where}: ${config.error[0] ?? 'cannot be read'}`)
}
