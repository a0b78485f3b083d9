// Traces, where they are configured: else nothing of OpenTelemetry is loaded.

import type { Log } from '../../shared/log.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { OwnWay } from '../identity/own-way.ts'
import type { Tracing } from './tracing.ts'

export interface TracingParts {
  readonly config: Pick<SidecarConfig, 'traces' | 'server'>
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly log: Log
  readonly now: () => number
  /** To the internet; undefined: as the system goes. */
  readonly way?: OwnWay | undefined
}

export const startTracing = async (
  { config, environment = {}, log, now, way }: TracingParts,
  onDropped: (count: number) => void,
): Promise<Tracing | undefined> => {
  const { traces, server } = config
  if (traces === undefined) return undefined
  const { openTraces } = await import('./traces.ts')
  return openTraces({ traces, server, environment, log, now, onDropped, way })
}
