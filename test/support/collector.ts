// An OpenTelemetry collector in memory: takes OTLP over HTTP in protobuf, read by the official definitions, and gives what
// came as it came.

import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import otlp from 'otlp-definitions/build/src/generated/root.js'
import { z } from 'zod'
import type { Issued } from './certificates.ts'
import { until } from './waiting.ts'

/** Reads a message of the official definitions; the types that come with them say nothing of it. */
const reader =
  (...path: readonly string[]) =>
  (bytes: Buffer): unknown => {
    let found: unknown = otlp
    for (const name of path) found = Reflect.get(Object(found), name)
    const decode: unknown = Reflect.get(Object(found), 'decode')
    if (typeof decode !== 'function') throw new Error(`${path.join('.')} is not defined`)
    return JSON.parse(JSON.stringify(Reflect.apply(decode, found, [bytes])))
  }
/** Writes one. */
const writer =
  (...path: readonly string[]) =>
  (message: object): Buffer => {
    let found: unknown = otlp
    for (const name of path) found = Reflect.get(Object(found), name)
    const encode: unknown = Reflect.get(Object(found), 'encode')
    if (typeof encode !== 'function') throw new Error(`${path.join('.')} is not defined`)
    const bytes: unknown = Reflect.apply(encode, found, [message]).finish()
    return Buffer.from(bytes instanceof Uint8Array ? bytes : Buffer.alloc(0))
  }
const COLLECTOR = ['opentelemetry', 'proto', 'collector']
const readTraces = reader(...COLLECTOR, 'trace', 'v1', 'ExportTraceServiceRequest')
const readMetrics = reader(...COLLECTOR, 'metrics', 'v1', 'ExportMetricsServiceRequest')
const readLogs = reader(...COLLECTOR, 'logs', 'v1', 'ExportLogsServiceRequest')
const writeLogsAnswer = writer(...COLLECTOR, 'logs', 'v1', 'ExportLogsServiceResponse')

const value = z
  .union([
    z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
    z.object({ intValue: z.coerce.number() }).transform(({ intValue }) => intValue),
  ])
  .catch('?')
const attributes = z
  .array(z.object({ key: z.string(), value }))
  .default([])
  .transform((pairs) => Object.fromEntries(pairs.map((one) => [one.key, one.value])))
const hex = z.string().transform((text) => Buffer.from(text, 'base64').toString('hex'))
const resource = z.object({ attributes }).default({ attributes: {} })

const KINDS: Readonly<Record<string, string>> = {
  SPAN_KIND_SERVER: 'SERVER',
  SPAN_KIND_CLIENT: 'CLIENT',
}
const STATUS: Readonly<Record<string, number>> = { STATUS_CODE_OK: 1, STATUS_CODE_ERROR: 2 }

const span = z.object({
  traceId: hex,
  spanId: hex,
  parentSpanId: hex.optional(),
  traceState: z.string().optional(),
  name: z.string(),
  kind: z.string().transform((kind) => KINDS[kind]),
  startTimeUnixNano: z.coerce.bigint(),
  endTimeUnixNano: z.coerce.bigint(),
  attributes,
  status: z
    .object({
      code: z
        .string()
        .default('')
        .transform((code) => STATUS[code] ?? 0),
      message: z.string().optional(),
    })
    .default({ code: 0 }),
  links: z.array(z.object({ traceId: hex, spanId: hex })).default([]),
})
const spans = z.object({
  resourceSpans: z.array(
    z.object({ resource, scopeSpans: z.array(z.object({ spans: z.array(span) })) }),
  ),
})

const point = z.object({
  attributes,
  asDouble: z.number().optional(),
  count: z.coerce.number().optional(),
  sum: z.number().optional(),
  bucketCounts: z.array(z.coerce.number()).optional(),
  explicitBounds: z.array(z.number()).optional(),
})
const points = z.object({ dataPoints: z.array(point).min(1), isMonotonic: z.boolean().optional() })
const metric = z.object({
  name: z.string(),
  unit: z.string().optional(),
  gauge: points.optional(),
  sum: points.optional(),
  histogram: points.optional(),
})
const figures = z.object({
  resourceMetrics: z.array(
    z.object({ resource, scopeMetrics: z.array(z.object({ metrics: z.array(metric) })) }),
  ),
})

const logRecord = z.object({
  timeUnixNano: z.coerce.bigint(),
  severityNumber: z.string(),
  eventName: z.string(),
  body: z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  attributes,
  traceId: hex.optional(),
  spanId: hex.optional(),
})
const logs = z.object({
  resourceLogs: z.array(
    z.object({ resource, scopeLogs: z.array(z.object({ logRecords: z.array(logRecord) })) }),
  ),
})

/** What stands in a request for traces, to the letter, by the official definitions. */
export const tracesIn = (bytes: Buffer): unknown => readTraces(bytes)

export type CollectedLog = z.output<typeof logRecord> & {
  readonly resource: Record<string, string | number>
}
export type CollectedSpan = z.output<typeof span>
export type Collected = CollectedSpan & { readonly resource: Record<string, string | number> }
export type CollectedMetric = z.output<typeof metric>

/** The spans of a request for traces. */
export const spansIn = (bytes: Buffer): readonly Collected[] =>
  spans
    .parse(readTraces(bytes))
    .resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap((scope) =>
        scope.spans.map((one) => ({ ...one, resource: resource.attributes })),
      ),
    )

export type Collector = {
  readonly url: string
  readonly spans: readonly Collected[]
  /** As they came, also those that it says it has rejected. */
  readonly logs: readonly CollectedLog[]
  /** How it answers to logs from now on. */
  answerLogs(answer: LogsAnswer): void
  /** Of each export, the newest last. */
  readonly metrics: readonly CollectedMetric[]
  /** Paths that were asked for, and what the bodies were said to be. */
  readonly paths: ReadonlySet<string>
  readonly types: ReadonlySet<string>
  /** Waits for the span of this kind in a trace, or with this attribute. */
  readonly find: (isWanted: (span: Collected) => boolean, what: string) => Promise<Collected>
  readonly close: () => Promise<void>
}

/** A status (0: none at all), this text with 200, one that goes on and on, or so many records that it rejects. */
export type LogsAnswer =
  | { readonly status: number }
  | { readonly isEndless: true }
  | { readonly text: string }
  | { readonly rejected: number; readonly why: string }

const answerBytes = (answer: LogsAnswer): Buffer => {
  if ('status' in answer || 'isEndless' in answer) return Buffer.alloc(0)
  if ('text' in answer) return Buffer.from(answer.text)
  const { rejected, why } = answer
  return writeLogsAnswer({ partialSuccess: { rejectedLogRecords: rejected, errorMessage: why } })
}

/** `status`: what it answers; 0 for nothing, ever. With a certificate it speaks TLS. */
export const startCollector = async (status = 200, serving?: Issued): Promise<Collector> => {
  const taken: { spans: Collected[]; metrics: CollectedMetric[]; logs: CollectedLog[] } = {
    spans: [],
    metrics: [],
    logs: [],
  }
  let logsAnswer: LogsAnswer = { status }
  const [paths, types] = [new Set<string>(), new Set<string>()]
  const takeSpans = (body: Buffer): void => void taken.spans.push(...spansIn(body))
  const takeMetrics = (body: Buffer): void => {
    for (const { scopeMetrics } of figures.parse(readMetrics(body)).resourceMetrics) {
      for (const scope of scopeMetrics) taken.metrics.push(...scope.metrics)
    }
  }
  const takeLogs = (body: Buffer): void => {
    for (const { resource, scopeLogs } of logs.parse(readLogs(body)).resourceLogs) {
      for (const scope of scopeLogs) {
        for (const one of scope.logRecords) {
          taken.logs.push({ ...one, resource: resource.attributes })
        }
      }
    }
  }
  const take: RequestListener = (sent, response) => {
    const chunks: Buffer[] = []
    const path = sent.url ?? ''
    paths.add(path)
    types.add(sent.headers['content-type'] ?? '')
    sent.on('data', (chunk: Buffer) => chunks.push(chunk))
    sent.on('end', () => {
      const body = Buffer.concat(chunks)
      if (path.includes('/v1/logs')) {
        const own = 'status' in logsAnswer ? logsAnswer.status : 200
        if (own === 0) return
        if (own === 200) takeLogs(body)
        response.writeHead(own, { 'content-type': 'application/x-protobuf' })
        if ('isEndless' in logsAnswer) {
          const more = setInterval(() => response.write('.'), 200)
          response.on('close', () => clearInterval(more))
        } else response.end(answerBytes(logsAnswer))
        return
      }
      if (status === 0) return
      if (status === 200) {
        if (path.includes('/v1/metrics')) takeMetrics(body)
        else takeSpans(body)
      }
      response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end()
    })
  }
  const server: Server | TlsServer = serving ? createTlsServer(serving, take) : createServer(take)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address: AddressInfo | string | null = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  return {
    url: `${serving ? 'https' : 'http'}://127.0.0.1:${port}`,
    ...taken,
    answerLogs: (answer) => {
      logsAnswer = answer
    },
    paths,
    types,
    find: (isWanted, what) =>
      until(() => taken.spans.find(isWanted), `the span of ${what} has come`),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
