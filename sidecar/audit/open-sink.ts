// Where records go, by the configuration: a file, a collector, or standard output.

import { messageOf } from '../../shared/message.ts'
import type { AuditConfig } from '../../shared/sidecar-config.ts'
import type { Logs } from '../telemetry/otlp-logs.ts'
import type { Before } from './audit-folder.ts'
import { resourceOf, type AuditParts } from './audit-parts.ts'
import { FileSink } from './file-sink.ts'
import { OtlpSink } from './otlp-sink.ts'
import type { Sink } from './sink.ts'
import type { StreamSink } from './stream-sink.ts'

export interface Opened {
  readonly sink: Sink
  readonly before: Before | undefined
  readonly look?: (nowMs: number) => Promise<string | undefined>
}

const openFile = async (
  path: string,
  { maxFileBytes, maxFileAgeSeconds, keepBytes, onFailure }: AuditConfig,
  { now, wallMs }: AuditParts,
): Promise<Opened> => {
  try {
    const maxFileAgeMs = maxFileAgeSeconds * 1000
    const waits = onFailure === 'refuse'
    const options = { path, maxFileBytes, maxFileAgeMs, keepBytes, waits, now }
    const { sink, before } = await FileSink.open(options, wallMs())
    return { sink, before, look: (nowMs) => sink.look(nowMs) }
  } catch (error) {
    throw new Error(`audit: the file ${path} cannot be written: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

export interface Outlets {
  /** Standard output, which checkpoints go to, too. */
  readonly out: StreamSink
  /** Where one is configured. */
  readonly collector: Logs | undefined
}

/** Rejects with what is wrong. */
export const openSink = async (
  audit: AuditConfig,
  parts: AuditParts,
  { out, collector }: Outlets,
): Promise<Opened> => {
  const { file, onFailure } = audit
  const { log } = parts
  if (file !== undefined) return openFile(file, audit, parts)
  const sink = collector
    ? new OtlpSink({ logs: collector, mayLose: onFailure === 'drop', log })
    : out
  return { sink, before: undefined }
}

/** Undefined where none is configured: then nothing of OpenTelemetry is loaded. */
export const openCollector = async (
  { otlp }: AuditConfig,
  parts: AuditParts,
): Promise<Logs | undefined> => {
  if (!otlp) return undefined
  const { openLogs } = await import('../telemetry/otlp-logs.ts')
  const { endpoint, ca } = otlp
  return openLogs({ endpoint, ca, way: parts.way, resource: resourceOf(parts) })
}
