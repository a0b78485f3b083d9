// Traces, where they are configured: else nothing of OpenTelemetry is loaded.

import type { Log } from '../../shared/log.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { Tracing } from './tracing.ts'

export interface TracingParts {
  readonly config: Pick<SidecarConfig, 'traces' | 'server'>
  readonly log: Log
  readonly now: () => number
}

export const startTracing = async (
  { config, log, now }: TracingParts,
  onDropped: (count: number) => void,
): Promise<Tracing | undefined> => {
  if (config.traces === undefined) return undefined
  const { startOpenTelemetry } = await import('./opentelemetry.ts')
  const spans = startOpenTelemetry({
    ...config.traces,
    serviceName: config.server,
    log,
    onDropped,
  })
  return spans && new Tracing(spans, now)
}
