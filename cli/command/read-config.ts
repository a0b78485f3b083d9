// The cluster configuration that `--config` names, or a strict one.

import { fail, type Result } from '../../shared/result.ts'
import {
  parseClusterConfig,
  readClusterConfig,
  type ClusterConfig,
} from '../../webhook/cluster/config.ts'
import { readText } from './read-text.ts'

// No sidecar image can be the right one for every cluster; this is what `npm run build` is tagged.
const DEFAULT_CONFIG = { sidecar: { image: 'outrigger-sidecar:0.1.0' } }

/** Reads the file; the errors name it. */
export const readConfig = async (
  file: string | undefined,
): Promise<Result<ClusterConfig, string[]>> => {
  if (file === undefined) return parseClusterConfig(DEFAULT_CONFIG)
  const text = await readText(file)
  if (!text.ok) return fail([text.error])
  const config = readClusterConfig(text.value)
  return config.ok ? config : fail(config.error.map((line) => `${file}: ${line}`))
}
