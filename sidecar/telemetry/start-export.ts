// Metrics over OTLP, where the environment asks for it (OpenTelemetry's own variables): else nothing of it is loaded.

import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { Metrics } from './metrics.ts'
import type { MetricsExport } from './otlp-metrics.ts'

export interface ExportParts {
  readonly config: Pick<SidecarConfig, 'traces' | 'server'>
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly wallMs: () => number
  readonly process: { readonly startedMs: number }
}

/** Those of the exporter's own variables that say where to. */
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']

export const startExport = async (
  { config, environment = {}, wallMs, process }: ExportParts,
  { read }: Pick<Metrics, 'read'>,
): Promise<MetricsExport | undefined> => {
  const isWanted = environment['OTEL_METRICS_EXPORTER']?.split(',').includes('otlp')
  if (isWanted !== true || environment['OTEL_SDK_DISABLED'] === 'true') return undefined
  const { exportMetrics } = await import('./otlp-metrics.ts')
  const isNamed = ENDPOINTS.some((name) => environment[name] !== undefined)
  return exportMetrics({
    server: config.server,
    read,
    startedMs: process.startedMs,
    wallMs,
    endpoint: isNamed ? undefined : config.traces?.endpoint,
    interval: environment['OTEL_METRIC_EXPORT_INTERVAL'],
  })
}
