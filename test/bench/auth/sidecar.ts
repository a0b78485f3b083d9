// The sidecar as `outrigger run` starts it, whose issuers may stand on loopback: in a pod that is somebody else's server,
// and refused. From its source, as both sides of the bench.

import { CONFIG_VARIABLE } from '../../../shared/names.ts'
import { createLog } from '../../../shared/log.ts'
import { parseSidecarConfig } from '../../../shared/sidecar-config.ts'
import { podOf } from '../../../sidecar/life/pod.ts'
import { processOf } from '../../../sidecar/life/process.ts'
import { startSidecar } from '../../../sidecar/sidecar.ts'

const config = parseSidecarConfig(JSON.parse(process.env[CONFIG_VARIABLE] ?? '{}'))
if (!config.ok) throw new Error(config.error.join('; '))
const log = createLog({
  level: config.value.settings['log-level'],
  write: (line) => process.stderr.write(line),
  now: () => Date.now(),
})
await startSidecar({
  config: config.value,
  log,
  serverLog: log,
  now: () => performance.now(),
  wallMs: () => Date.now(),
  process: processOf(process, globalThis.gc),
  pod: podOf({}),
})
process.once('SIGTERM', () => process.exit(0))
