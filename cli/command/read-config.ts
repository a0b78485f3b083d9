// The cluster configuration that `--config` names, or a strict one.

import { SIDECAR_IMAGE } from '../../shared/own-images.ts'
import { fail, type Result } from '../../shared/result.ts'
import {
  parseClusterConfig,
  readClusterConfig,
  type ClusterConfig,
} from '../../webhook/cluster/config.ts'
import { readText } from './read-text.ts'

// No sidecar image can be the right one for every cluster; this is what `npm run build` is tagged.
const DEFAULT_CONFIG = { sidecar: { image: SIDECAR_IMAGE } }

const MISSING = /^line \d+, column \d+: sidecar: is missing/
const WHOLE = `it names no sidecar, as every cluster configuration does: it may be a part of one, such as the README shows; put it into manifests/base/config.yaml, or add sidecar: { image: ${SIDECAR_IMAGE} }`

/** Reads a configuration's text; a part of one is told as that. */
export const readWhole = (text: string): ReturnType<typeof readClusterConfig> => {
  const config = readClusterConfig(text)
  if (config.ok) return config
  return fail(config.error.map((line) => (MISSING.test(line) ? WHOLE : line)))
}

/** Reads the file; the errors name it. */
export const readConfig = async (
  file: string | undefined,
): Promise<Result<ClusterConfig, string[]>> => {
  if (file === undefined) return parseClusterConfig(DEFAULT_CONFIG)
  const text = await readText(file)
  if (!text.ok) return fail([text.error])
  const config = readWhole(text.value)
  return config.ok ? config : fail(config.error.map((line) => `${file}: ${line}`))
}
