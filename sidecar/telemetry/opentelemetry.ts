// Spans by OpenTelemetry's protocol, sent as OTLP over HTTP in protobuf by the parts of its own exporter, which reads the variables
// that its users know. With otlp-metrics.ts and otlp-logs.ts the only importer of @opentelemetry. A collector that is slow or gone
// costs spans, which are counted.

import {
  convertLegacyHttpOptions,
  createOtlpHttpExportDelegate,
} from '@opentelemetry/otlp-exporter-base/node-http'
import {
  ProtobufTraceSerializer,
  type IExportTraceServiceResponse,
} from '@opentelemetry/otlp-transformer'
import type { Log } from '../../shared/log.ts'
import { withAgent } from './otlp-agent.ts'
import { optionsOf, signalUrl, type Road } from './otlp.ts'
import { settled } from './settled.ts'
import { requestsOf } from './span-bytes.ts'
import { SpanQueue, type SendSpans } from './span-queue.ts'
import { isSampled } from './trace-context.ts'
import { TraceIds } from './trace-ids.ts'
import type { Spans } from './trace.ts'

/** With its retries. */
const EXPORT_TIMEOUT_MS = 10_000
/** The exporter's own time is that of silence: an answer that goes on for longer counts as none. */
const ANSWER_MS = 2 * EXPORT_TIMEOUT_MS

export interface OpenTelemetryOptions extends Road {
  /** An OTLP/HTTP endpoint, with or without the path of a signal. */
  readonly endpoint: string
  /** Of the traces that begin here; others are recorded where their caller records. */
  readonly sampleRatio: number
  readonly serviceName: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Log
  readonly onDropped: (spans: number) => void
  /** From 0 to 1: whether a trace that begins here is recorded. */
  readonly chance: () => number
}

interface Sent {
  readonly spans: Buffer
  readonly count: number
}

const openExporter = ({
  endpoint,
  ca,
  way,
  serviceName,
}: OpenTelemetryOptions): {
  readonly send: SendSpans
  readonly shutdown: () => Promise<void>
} => {
  const requestOf = requestsOf({ 'service.name': serviceName }, 'outrigger')
  // Read in the same turn as the export hears of it.
  let rejected = 0
  const { options, endAll } = withAgent(
    convertLegacyHttpOptions(
      {
        url: signalUrl(endpoint, 'traces'),
        timeoutMillis: EXPORT_TIMEOUT_MS,
        ...optionsOf({ ca, way }),
      },
      'TRACES',
      'v1/traces',
      { 'Content-Type': 'application/x-protobuf' },
    ),
  )
  const delegate = createOtlpHttpExportDelegate(
    options,
    {
      serializeRequest: ({ spans }: Sent) => requestOf(spans),
      deserializeResponse: (bytes: Uint8Array): IExportTraceServiceResponse => {
        const answer = ProtobufTraceSerializer.deserializeResponse(bytes)
        rejected = answer.partialSuccess?.rejectedSpans ?? 0
        return answer
      },
    },
    'otlp_http_span_exporter',
    { name: 'span', countItems: ({ count }: Sent) => count },
    undefined,
  )
  return {
    send: (spans, count) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          reject(new Error('its answer does not end'))
          endAll()
        }, ANSWER_MS)
        delegate.export({ spans, count }, ({ error }) => {
          clearTimeout(late)
          const own = rejected
          rejected = 0
          if (error) reject(error)
          else resolve(own)
        })
      }),
    shutdown: () => delegate.shutdown(),
  }
}

/** As OpenTelemetry reads a variable that is true or false. */
const isTrue = (text: string | undefined): boolean => text?.trim().toLowerCase() === 'true'

/** Undefined where `OTEL_SDK_DISABLED` forbids it. */
export const startOpenTelemetry = (options: OpenTelemetryOptions): Spans | undefined => {
  const { sampleRatio, environment, log, onDropped, chance } = options
  if (isTrue(environment['OTEL_SDK_DISABLED'])) {
    log.warn('OTEL_SDK_DISABLED is set: there are no traces')
    return undefined
  }
  const exporter = openExporter(options)
  const queue = new SpanQueue({ send: exporter.send, onDropped, log })
  const ids = new TraceIds()
  return {
    wallNow: () => Date.now(),
    leftOut: (parent) => {
      const isRecorded = parent ? isSampled(parent) : chance() < sampleRatio
      return isRecorded ? undefined : ids.next(parent, false)
    },
    start: (start) => {
      const context = ids.next(start.parent, true)
      return { context, end: (end, endMs) => queue.add({ context, start, end, endMs }) }
    },
    shutdown: (patienceMs) =>
      settled(
        queue.flush().then(() => exporter.shutdown()),
        patienceMs,
      ),
  }
}
