// What is sent to a collector: traces and metrics, each where it is asked for.

import type { Metrics } from './metrics.ts'
import { startExport, type ExportParts } from './start-export.ts'
import { startTracing, type TracingParts } from './start-tracing.ts'
import type { Tracing } from './tracing.ts'

export interface Telemetry {
  /** Undefined where nothing is traced. */
  readonly tracing: Tracing | undefined
  /** Sends what is left, for at most so long. */
  close(patienceMs: number): Promise<void>
}

export const startTelemetry = async (
  parts: ExportParts & TracingParts,
  metrics: Pick<Metrics, 'read' | 'droppedSpans'>,
): Promise<Telemetry> => {
  const tracing = await startTracing(parts, metrics.droppedSpans)
  const exported = await startExport(parts, metrics)
  return {
    tracing,
    close: async (patienceMs) => {
      await Promise.all([tracing?.close(patienceMs), exported?.close(patienceMs)])
    },
  }
}
