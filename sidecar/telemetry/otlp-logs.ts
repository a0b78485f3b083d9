// Lines as OTLP logs over HTTP in protobuf, by the parts of OpenTelemetry's own exporter: as a whole it would tell nobody what a
// collector has rejected. A bundle of its own. What is sent again, and who waits meanwhile, is its caller's business.

import {
  convertLegacyHttpOptions,
  createOtlpHttpExportDelegate,
} from '@opentelemetry/otlp-exporter-base/node-http'
import {
  LogsExporterMetricsHelper,
  ProtobufLogsSerializer,
  type IExportLogsServiceResponse,
} from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { connectionWords } from '../../shared/connection-words.ts'
import { codeOf } from '../../shared/error-code.ts'
import { messageOf } from '../../shared/message.ts'
import { withAgent } from './otlp-agent.ts'
import { optionsOf, signalUrl, timeOf, type Road } from './otlp.ts'
import type { Attributes } from './trace.ts'

/** With its retries: less than a write may take that counts as one that hangs (audit/writer.ts). */
const TIMEOUT_MS = 4000
const ANSWER_MS = 2 * TIMEOUT_MS
const INFO = 9

export interface LogEntry {
  /** Milliseconds since 1970. */
  readonly timeMs: number
  readonly body: string
  readonly event: string
  readonly attributes: Attributes
  readonly trace: { readonly traceId: string; readonly spanId: string } | undefined
}

/** What a collector has not taken of what it was sent, and why, in its own words. */
export interface Rejected {
  readonly count: number
  readonly why: string
}

export interface Logs {
  /** Rejects where it is not known that they are there, with whom and why. */
  send(entries: readonly LogEntry[]): Promise<Rejected>
  close(): Promise<void>
}

export interface LogsOptions extends Road {
  /** An OTLP/HTTP endpoint, with or without the path of a signal; absent: as the exporter's own variables say. */
  readonly endpoint: string | undefined
  /** What the lines are about. */
  readonly resource: Attributes
  /** An answer that goes on for longer counts as none: the exporter's own time is that of silence. */
  readonly answerMs?: number
}

type Entries = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0]

const SCOPE = { name: 'outrigger' }

const entriesOf = (
  entries: readonly LogEntry[],
  resource: ReturnType<typeof resourceFromAttributes>,
): Entries =>
  entries.map(({ timeMs, body, event, attributes, trace }) => ({
    hrTime: timeOf(timeMs),
    hrTimeObserved: timeOf(timeMs),
    severityNumber: INFO,
    body,
    eventName: event,
    attributes: { ...attributes },
    droppedAttributesCount: 0,
    resource,
    instrumentationScope: SCOPE,
    ...(trace && { spanContext: { ...trace, traceFlags: 0 } }),
  }))

/** Without what may be a secret of its query. */
const shown = (url: string): string => {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

const failureWords = (error: unknown): string => {
  const status = codeOf(error)
  return /^\d{3}$/.test(status)
    ? `it answers ${status} ${messageOf(error)}`.trim()
    : connectionWords(error)
}

const NO_OTLP = 'what it answers is no OTLP'
/** The exporter takes the status alone for success. */
const BREAKS_OFF = 'its answer breaks off'

type Delegate = Parameters<typeof createOtlpHttpExportDelegate>[0]

const optionsFor = ({ endpoint, ca, way }: LogsOptions): Delegate => {
  const url = endpoint === undefined ? {} : { url: signalUrl(endpoint, 'logs') }
  const options = { timeoutMillis: TIMEOUT_MS, ...url, ...optionsOf({ ca, way }) }
  const headers = { 'Content-Type': 'application/x-protobuf' }
  return convertLegacyHttpOptions(options, 'LOGS', 'v1/logs', headers)
}

export const openLogs = (asked: LogsOptions): Logs => {
  const { resource: about, answerMs = ANSWER_MS } = asked
  const resource = resourceFromAttributes({ ...about })
  const { options, endAll } = withAgent(optionsFor(asked))
  // Read in the same turn as the export hears of it.
  let answer: IExportLogsServiceResponse | typeof NO_OTLP | typeof BREAKS_OFF = BREAKS_OFF
  const taken = (): typeof answer => {
    const own = answer
    answer = BREAKS_OFF
    return own
  }
  const serializer = {
    serializeRequest: (request: Entries) => ProtobufLogsSerializer.serializeRequest(request),
    deserializeResponse: (bytes: Uint8Array): IExportLogsServiceResponse => {
      answer = NO_OTLP
      const read = ProtobufLogsSerializer.deserializeResponse(bytes)
      answer = read
      return read
    },
  }
  const delegate = createOtlpHttpExportDelegate(
    options,
    serializer,
    'otlp_http_log_exporter',
    LogsExporterMetricsHelper,
    undefined,
  )
  const failed = (why: string): Error => new Error(`the collector at ${shown(options.url)}: ${why}`)
  return {
    send: (entries) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          reject(failed('its answer does not end'))
          // It would hold one of the few places for exports at once, and each that is sent again one more.
          endAll()
        }, answerMs)
        delegate.export(entriesOf(entries, resource), ({ error }) => {
          clearTimeout(late)
          const own = taken()
          if (error) reject(failed(failureWords(error)))
          else if (typeof own === 'string') reject(failed(own))
          else {
            const { rejectedLogRecords = 0, errorMessage = '' } = own.partialSuccess ?? {}
            resolve({ count: rejectedLogRecords, why: errorMessage })
          }
        })
      }),
    close: () => delegate.shutdown(),
  }
}
