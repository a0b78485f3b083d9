// The same figures as /metrics has, sent as OTLP over HTTP in protobuf at a fixed pace. A bundle of its own. Names and units of
// OpenTelemetry's MCP conventions go by their own spelling, which collectors turn into Prometheus' again.

import { ValueType, type Attributes, type HrTime } from '@opentelemetry/api'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  DataPointType,
  PeriodicExportingMetricReader,
  type DataPoint,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { StackContextManager } from '@opentelemetry/sdk-trace'
import type { Figure, FigureValue } from './metrics.ts'
import { optionsOf, signalUrl, timeOf, type Road } from './otlp.ts'
import { settled } from './settled.ts'

const TIMEOUT_MS = 10_000

export interface ExportOptions extends Road {
  /** The server's name. */
  readonly server: string
  readonly read: () => Promise<readonly Figure[]>
  /** When they began to be counted, and now: milliseconds since 1970. */
  readonly startedMs: number
  readonly wallMs: () => number
  /** Where no variable of the exporter's own says so. */
  readonly endpoint: string | undefined
  readonly intervalMs: number
}

export interface MetricsExport {
  /** Sends once more, for at most so long. */
  close(patienceMs: number): Promise<void>
}

/** By the conventions: others keep the name that they have. */
const CONVENTIONS: ReadonlyMap<string, string> = new Map([
  ['mcp_server_operation_duration_seconds', 'mcp.server.operation.duration'],
  ['mcp_client_operation_duration_seconds', 'mcp.client.operation.duration'],
])
const LABELS: ReadonlyMap<string, string> = new Map([
  ['mcp_method_name', 'mcp.method.name'],
  ['gen_ai_tool_name', 'gen_ai.tool.name'],
  ['error_type', 'error.type'],
])

/** An empty label is none. */
const attributesOf = (labels: FigureValue['labels']): Attributes =>
  Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) =>
      name === 'le' || value === '' ? [] : [[LABELS.get(name) ?? name, value]],
    ),
  )

interface Times {
  readonly startTime: HrTime
  readonly endTime: HrTime
}

/** The lines of each series of a histogram stand together: its buckets, added up, then sum and count. */
const histogramPoints = ({ values }: Figure, times: Times): DataPoint<Histogram>[] => {
  const points: DataPoint<Histogram>[] = []
  let buckets: FigureValue[] = []
  let sum = 0
  for (const one of values) {
    if (one.metricName?.endsWith('_bucket')) buckets.push(one)
    else if (one.metricName?.endsWith('_sum')) sum = one.value
    else {
      const upTo = buckets.map(({ value }) => value)
      const value = {
        buckets: {
          boundaries: buckets.map(({ labels }) => Number(labels['le'])).filter(Number.isFinite),
          counts: upTo.map((count, place) => count - (upTo[place - 1] ?? 0)),
        },
        sum,
        count: one.value,
      }
      points.push({ ...times, attributes: attributesOf(one.labels), value })
      buckets = []
    }
  }
  return points
}

const metricOf = (figure: Figure, times: Times): MetricData => {
  const { name, help, type, values } = figure
  const isDuration = CONVENTIONS.has(name)
  const base = {
    descriptor: {
      name: CONVENTIONS.get(name) ?? name,
      description: help,
      unit: isDuration ? 's' : '',
      valueType: ValueType.DOUBLE,
    },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  }
  if (type === 'histogram') {
    const dataPoints = histogramPoints(figure, times)
    return { ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints }
  }
  const { startTime, endTime } = times
  const dataPoints = values.map(({ labels, value }) => {
    const attributes = attributesOf(labels)
    return { startTime, endTime, attributes, value }
  })
  return type === 'counter'
    ? { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
    : { ...base, dataPointType: DataPointType.GAUGE, dataPoints }
}

export const exportMetrics = (options: ExportOptions): MetricsExport => {
  const { server, read, startedMs, wallMs, endpoint, intervalMs } = options
  const exporter = new OTLPMetricExporter({
    timeoutMillis: TIMEOUT_MS,
    ...(endpoint === undefined ? {} : { url: signalUrl(endpoint, 'metrics') }),
    ...optionsOf(options),
  })
  const resource = resourceFromAttributes({ 'service.name': server })
  const collect = async () => {
    const times = { startTime: timeOf(startedMs), endTime: timeOf(wallMs()) }
    const figures = (await read()).filter(({ values }) => values.length > 0)
    const metrics = figures.map((figure) => metricOf(figure, times))
    return {
      resourceMetrics: { resource, scopeMetrics: [{ scope: { name: 'outrigger' }, metrics }] },
      errors: [],
    }
  }
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: Math.min(intervalMs, TIMEOUT_MS),
    metricProducers: [{ collect }],
  })
  // Its metrics alone: spans and records have ways of their own, and nothing follows a context.
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    contextManager: new StackContextManager(),
    textMapPropagator: null,
    metricReaders: [reader],
    spanProcessors: [],
    logRecordProcessors: [],
    instrumentations: [],
  })
  sdk.start()
  return { close: (patienceMs) => settled(sdk.shutdown(), patienceMs) }
}
