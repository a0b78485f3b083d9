// Metrics over OTLP, where the configuration or the environment asks for it (OpenTelemetry's own variables): else nothing of
// it is loaded.

import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { Metrics } from './metrics.ts'
import type { ExportOptions, MetricsExport } from './otlp-metrics.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface ExportParts extends Pick<ExportOptions, 'way'> {
  readonly config: Pick<SidecarConfig, 'traces' | 'metrics' | 'server'>
  readonly environment?: Environment
  readonly wallMs: () => number
  readonly process: { readonly startedMs: number }
}

/** Those of the exporter's own variables that say where to. */
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']

const DEFAULT_INTERVAL_MS = 60_000
const LEAST_INTERVAL_MS = 1000

const intervalOf = (text: string | undefined): number => {
  const ms = Number(text)
  return Number.isFinite(ms) && ms > 0 ? Math.max(ms, LEAST_INTERVAL_MS) : DEFAULT_INTERVAL_MS
}

type Where = Pick<ExportOptions, 'endpoint' | 'ca'>

/** Their own collector, else that of traces, with whose authorities it is believed. */
const collectorOf = (own: Partial<Where> = {}, traces: Partial<Where> = {}): Where =>
  own.endpoint === undefined
    ? { endpoint: traces.endpoint, ca: own.ca ?? traces.ca }
    : { endpoint: own.endpoint, ca: own.ca }

/** What the configuration says, else the environment; undefined where neither asks for it. */
const wantedBy = (
  { metrics, traces }: ExportParts['config'],
  environment: Environment,
): (Where & Pick<ExportOptions, 'intervalMs'>) | undefined => {
  if (environment['OTEL_SDK_DISABLED'] === 'true') return undefined
  const isNamed = ENDPOINTS.some((name) => environment[name] !== undefined)
  const where = collectorOf(metrics, isNamed ? undefined : traces)
  if (metrics) return { ...where, intervalMs: metrics.intervalSeconds * 1000 }
  return environment['OTEL_METRICS_EXPORTER']?.split(',').includes('otlp') === true
    ? { ...where, intervalMs: intervalOf(environment['OTEL_METRIC_EXPORT_INTERVAL']) }
    : undefined
}

export const startExport = async (
  { config, environment = {}, wallMs, process, way }: ExportParts,
  { read }: Pick<Metrics, 'read'>,
): Promise<MetricsExport | undefined> => {
  const wanted = wantedBy(config, environment)
  if (!wanted) return undefined
  const { exportMetrics } = await import('./otlp-metrics.ts')
  const { startedMs } = process
  return exportMetrics({ server: config.server, read, startedMs, wallMs, way, ...wanted })
}
