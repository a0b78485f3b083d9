// Builds one sidecar from its configuration and runs it: the wiring, in one page. Programs call it
// (main.ts in a pod, `outrigger run` and `dev` on a machine); it touches no environment and no signal.

import type { Server } from 'node:http'
import { randomBytes } from 'node:crypto'
import type { Log } from '../shared/log.ts'
import type { SidecarConfig } from '../shared/sidecar-config.ts'
import { createAdmin } from './admin/server.ts'
import { Bridge } from './bridge/bridge.ts'
import { probe } from './bridge/eras.ts'
import { Readiness } from './bridge/readiness.ts'
import { Drain } from './drain.ts'
import { originRules } from './front/origin.ts'
import { createFront, listen } from './front/server.ts'
import { Legacy } from './legacy/legacy.ts'
import { Modern } from './modern/modern.ts'
import { pipeline } from './pipeline.ts'
import { createStages } from './stages.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { createUpstream, type Upstream } from './upstream/upstream.ts'

/** How often deadlines, idle times and keep-alives are looked at. */
const SWEEP_MS = 250
/** Every open stream hears from us at least this often. */
const KEEP_ALIVE_MS = 15_000

export interface Sidecar {
  readonly port: number
  readonly adminPort: number
  /** Resolves when calls can be served. */
  readonly ready: Promise<void>
  /** Resolves with the reason when a start of the server has failed; it is tried again. */
  readonly failed: Promise<string>
  /** Finishes what is in flight, at most for so long, and closes. */
  drain(leftMs: number): Promise<void>
  close(): Promise<void>
}

export interface SidecarParts {
  readonly config: SidecarConfig
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now: () => number
}

const counter = (): (() => number) => {
  let last = 0
  return () => ++last
}

const build = ({ config, log, now }: SidecarParts) => {
  const { settings } = config
  const drain = new Drain({ log, now })
  const metrics = createMetrics({
    sessions: () => bridge.sessions,
    children: () => upstream.count,
    inFlight: () => bridge.inFlight,
    ready: () => readiness.obstacle === undefined,
  })
  const upstream: Upstream = createUpstream(config, {
    log,
    onThere: () => readiness.begin(),
    onGone: () => readiness.stop("the server's container has ended"),
    onTerminating: (leftMs) => drain.begin(leftMs),
    onSpawn: metrics.spawn,
  })
  const common = {
    source: upstream.source,
    model: settings['process-model'],
    nextId: counter(),
    now,
    observe: metrics.operation,
    requestTimeoutMs: settings['request-timeout'],
    startupTimeoutMs: settings['startup-timeout'],
    idleTimeoutMs: settings['idle-timeout'],
    keepAliveMs: KEEP_ALIVE_MS,
  }
  const readiness: Readiness = new Readiness({ log, probe: () => probe(common) })
  const bridge: Bridge = new Bridge({
    legacy: new Legacy({ ...common, newSessionId: () => randomBytes(24).toString('base64url') }),
    modern: new Modern(common),
    readiness,
  })
  drain.attach({ bridge, readiness, upstream })
  return { metrics, upstream, readiness, bridge, drain }
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

/** Starts a sidecar; rejects with the reason where it cannot listen. */
export const startSidecar = async (parts: SidecarParts): Promise<Sidecar> => {
  const { config, log, now } = parts
  const { metrics, upstream, readiness, bridge, drain } = build(parts)
  const rules = originRules(
    config.allowedHosts,
    config.allowedOrigins,
    config.settings['public-url'],
  )
  const front = {
    stages: pipeline(createStages({ rules, bridge })),
    rules,
    log,
    now,
    onFault: metrics.fault,
  }
  let isStarted = false
  const admin = (): Server =>
    createAdmin({
      isStarted: () => isStarted,
      obstacle: () => readiness.obstacle,
      metrics: metrics.text,
      metricsType: metrics.contentType,
    })
  const servers = [createFront(front), createFront(front), admin(), admin()] as const
  const port = await listen(servers[0], servers[1], config.port, config.host)
  const adminPort = await listen(servers[2], servers[3], config.adminPort, config.host)
  await upstream.start()
  isStarted = true
  const sweeping = setInterval(() => bridge.sweep(now()), SWEEP_MS)
  const close = async (): Promise<void> => {
    clearInterval(sweeping)
    readiness.close()
    bridge.close()
    upstream.close()
    await Promise.all(servers.map(closed))
  }
  return {
    port,
    adminPort,
    ready: readiness.whenReady,
    failed: readiness.whenFailed,
    drain: async (leftMs) => {
      await drain.run(leftMs)
      await close()
    },
    close,
  }
}
