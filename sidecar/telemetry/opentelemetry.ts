// Spans by OpenTelemetry's SDK, sent as OTLP over HTTP in protobuf. With otlp-metrics.ts and otlp-logs.ts the only importer of @opentelemetry. A collector that is slow or gone costs spans, which are counted.

import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  isSpanContextValid,
  trace,
} from '@opentelemetry/api'
import type { Link, SpanContext, Tracer } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { NodeSDK } from '@opentelemetry/sdk-node'
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  StackContextManager,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace'
import { connectionWords } from '../../shared/connection-words.ts'
import type { Log } from '../../shared/log.ts'
import { signalUrl } from './otlp.ts'
import { settled } from './settled.ts'
import { flagsOf, isSampled } from './trace-context.ts'
import { TraceIds } from './trace-ids.ts'
import type { Span, Spans, SpanStart, TraceContext } from './trace.ts'

/** Spans that wait for the collector; further ones are dropped. */
const MAX_WAITING = 2048
const BATCH = 512
const BATCH_DELAY_MS = 1000
/** With its retries. */
const EXPORT_TIMEOUT_MS = 10_000
const MAX_ATTRIBUTES = 32

export interface OpenTelemetryOptions {
  /** An OTLP/HTTP endpoint, with or without the path of a signal. */
  readonly endpoint: string
  /** Of the traces that begin here; others are recorded where their caller records. */
  readonly sampleRatio: number
  readonly serviceName: string
  readonly log: Log
  readonly onDropped: (spans: number) => void
  /** From 0 to 1: whether a trace that begins here is recorded. */
  readonly chance: () => number
}

/** A batching processor whose losses are counted, whether its queue is full or its collector does not answer. */
const countingProcessor = (
  exporter: SpanExporter,
  options: OpenTelemetryOptions,
): SpanProcessor => {
  const { log, onDropped } = options
  let waiting = 0
  let isFailing = false
  const failed = (spans: number, error: Error | undefined): void => {
    onDropped(spans)
    if (!isFailing) {
      const why = error === undefined ? 'the collector gives no reason' : connectionWords(error)
      log.warn('spans cannot be sent; they are dropped', { error: why })
    }
    isFailing = true
  }
  const batches = new BatchSpanProcessor({
    maxQueueSize: MAX_WAITING,
    maxExportBatchSize: BATCH,
    scheduledDelayMillis: BATCH_DELAY_MS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
    exporter: {
      export: (spans, done) => {
        waiting -= spans.length
        exporter.export(spans, (result) => {
          if (result.error) failed(spans.length, result.error)
          else isFailing = false
          done(result)
        })
      },
      shutdown: () => exporter.shutdown(),
    },
  })
  return {
    onStart: (span, context) => batches.onStart(span, context),
    onEnd: (span: ReadableSpan) => {
      if (waiting >= MAX_WAITING) {
        onDropped(1)
        return
      }
      waiting++
      batches.onEnd(span)
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  }
}

/** Without its `tracestate`: texts of a client's own, which the SDK would send to the collector as they are. */
const theirs = ({ traceId, spanId, flags }: TraceContext, isRemote: boolean): SpanContext => ({
  traceId,
  spanId,
  traceFlags: isSampled({ flags }) ? 1 : 0,
  isRemote,
})

const started = (tracer: Tracer, start: SpanStart): Span => {
  const { kind, startMs, parent, link, name, attributes } = start
  const links: Link[] = link ? [{ context: theirs(link, true) }] : []
  const isServer = kind === 'server'
  const context = parent
    ? trace.setSpanContext(ROOT_CONTEXT, theirs(parent, isServer))
    : ROOT_CONTEXT
  const spanKind = isServer ? SpanKind.SERVER : SpanKind.CLIENT
  const span = tracer.startSpan(name, { kind: spanKind, startTime: startMs, links }, context)
  span.setAttributes(attributes)
  const { traceId, spanId } = span.spanContext()
  return {
    context: { traceId, spanId, flags: flagsOf(true, parent), state: parent?.state },
    end: ({ attributes, isError, message }, endMs) => {
      span.setAttributes(attributes)
      if (isError) {
        span.setStatus({
          code: SpanStatusCode.ERROR,
          ...(message === undefined ? {} : { message }),
        })
      }
      span.end(endMs)
    },
  }
}

/** Starts the SDK; one a process, since its API is global. Undefined where `OTEL_SDK_DISABLED` forbids it. */
export const startOpenTelemetry = (options: OpenTelemetryOptions): Spans | undefined => {
  const { endpoint, sampleRatio, serviceName, log, chance } = options
  const exporter = new OTLPTraceExporter({
    url: signalUrl(endpoint, 'traces'),
    timeoutMillis: EXPORT_TIMEOUT_MS,
  })
  // All is given here: of the environment counts what the SDK reads in any case, and the exporter's own variables.
  const sdk = new NodeSDK({
    serviceName,
    autoDetectResources: false,
    contextManager: new StackContextManager(),
    textMapPropagator: null,
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
    // It is asked of no others than those that are to be recorded: what it does for the others takes too long.
    sampler: new AlwaysOnSampler(),
    spanLimits: { attributeCountLimit: MAX_ATTRIBUTES, eventCountLimit: 0, linkCountLimit: 1 },
    spanProcessors: [countingProcessor(exporter, options)],
  })
  sdk.start()
  const tracer = trace.getTracer('outrigger')
  if (!isSpanContextValid(tracer.startSpan('').spanContext())) {
    log.warn('OTEL_SDK_DISABLED is set: there are no traces')
    return undefined
  }
  const ids = new TraceIds()
  return {
    wallNow: () => Date.now(),
    leftOut: (parent) => {
      const isRecorded = parent ? isSampled(parent) : chance() < sampleRatio
      return isRecorded ? undefined : ids.next(parent)
    },
    start: (start) => started(tracer, start),
    shutdown: (patienceMs) => settled(sdk.shutdown(), patienceMs),
  }
}
