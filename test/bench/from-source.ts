// The sidecar from its source, as a program that a bench starts: where what a pod would have has to be given otherwise.

import { CONFIG_VARIABLE } from '../../shared/names.ts'
import { createLog } from '../../shared/log.ts'
import { parseSidecarConfig, type SidecarConfig } from '../../shared/sidecar-config.ts'
import type { SidecarParts } from '../../sidecar/core.ts'
import { podOf } from '../../sidecar/life/pod.ts'
import { processOf } from '../../sidecar/life/process.ts'
import { startSidecar } from '../../sidecar/sidecar.ts'

type Given = Partial<Pick<SidecarParts, 'pod' | 'resolveService'>>

/** Ends at SIGTERM, and waits for nobody. */
export const runFromSource = async (
  give: (config: SidecarConfig) => Given = () => ({}),
): Promise<void> => {
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
    ...give(config.value),
  })
  process.once('SIGTERM', () => process.exit(0))
}
