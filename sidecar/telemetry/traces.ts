// Traces, with all that they need: a bundle of its own, so that who has none configured never loads it.

import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { Log } from '../../shared/log.ts'
import type { OwnWay } from '../identity/own-way.ts'
import { startOpenTelemetry } from './opentelemetry.ts'
import { Tracing } from './tracing.ts'

export interface TracesOptions {
  readonly traces: NonNullable<SidecarConfig['traces']>
  /** The server's name. */
  readonly server: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Log
  readonly now: () => number
  readonly onDropped: (spans: number) => void
  /** To the internet; undefined: as the system goes. */
  readonly way?: OwnWay | undefined
}

/** Undefined where the environment forbids it. */
export const openTraces = (options: TracesOptions): Tracing | undefined => {
  const { traces, server, environment, log, now, onDropped, way } = options
  const spans = startOpenTelemetry({
    ...traces,
    way,
    serviceName: server,
    environment,
    log,
    onDropped,
    chance: Math.random,
  })
  return spans && new Tracing(spans, now, traces.earlierNames === true ? server : undefined)
}
