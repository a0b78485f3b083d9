// Builds one sidecar from its configuration and runs it: the wiring, in one page. Programs call it
// (main.ts in a pod, `outrigger run` and `dev` on a machine); it touches no environment and no signal.

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../shared/log.ts'
import type { SidecarConfig } from '../shared/sidecar-config.ts'
import type { Budget } from './bytes/budget.ts'
import { sweepSpares } from './bytes/spares.ts'
import { createAdmin } from './admin/server.ts'
import type { Vetting } from './conversation/vetting.ts'
import { Router } from './routing/router.ts'
import type { Observe } from './conversation/channel.ts'
import { probesOf } from './routing/eras.ts'
import { Readiness } from './routing/readiness.ts'
import { Drain } from './life/drain.ts'
import { DeadPeers } from './http/dead-peers.ts'
import { guardsOf } from './guards/guards.ts'
import { openJournal } from './life/journal.ts'
import { closeAll, listen, logFailures, type Listener } from './http/listen.ts'
import { createListener, type ListenerOptions } from './http/listener.ts'
import { StandIns } from './http/stand-ins.ts'
import { startTrust } from './identity/start-trust.ts'
import type { Trust } from './identity/trust.ts'
import type { IdleMemory } from './life/idle-memory.ts'
import type { Pod } from './life/pod.ts'
import type { Process } from './life/process.ts'
import { memoryOf } from './life/memory.ts'
import { complete, IdleExit } from './life/idle-exit.ts'
import { Legacy } from './legacy/legacy.ts'
import { Modern } from './modern/modern.ts'
import { loadAudit } from './audit/load-audit.ts'
import { loadVetting, type StartedVetting } from './load-vetting.ts'
import { loadPolicy } from './policy/load-policy.ts'
import type { PolicyParts, StartedPolicy } from './policy/start-policy.ts'
import { isAllowedOrigin, originRules } from './pipeline/origin.ts'
import { besideMcp } from './pipeline/beside-mcp.ts'
import { createServe } from './pipeline/serve.ts'
import { loadTls, type Tls } from './tls/load-tls.ts'
import { stagesOf } from './pipeline/stages.ts'
import { termsOf } from './routing/terms.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'
import { createRemarks } from './telemetry/remarks.ts'
import { startTracing } from './telemetry/start-tracing.ts'
import type { Tracing } from './telemetry/tracing.ts'
import { CarriedPort } from './server/carried-port.ts'
import { connectServer, type McpServer, type ServerMeans } from './server/server.ts'

/** How often deadlines, idle times and keep-alives are looked at. */
const SWEEP_MS = 250

/** For answers that are still on their way through the network: when all shall end at once, and in a drain. */
const CLOSE_PATIENCE_MS = 250
const DRAIN_PATIENCE_MS = 2000
/** For records that are not written yet: nobody asks for them again. */
const RECORDS_PATIENCE_MS = 2000

export interface Sidecar {
  readonly port: number
  readonly adminPort: number
  /** Resolves when calls can be served. */
  readonly ready: Promise<void>
  /** Resolves with the reason when a start of the server has failed; it is tried again. */
  readonly failed: Readiness['whenFailed']
  /** Why calls cannot be served now; undefined where they can. */
  obstacle(): string | undefined
  /** Finishes what is in flight, at most for so long, and closes. */
  drain(leftMs: number): Promise<void>
  close(): Promise<void>
}

export interface SidecarParts {
  readonly config: SidecarConfig
  readonly log: Log
  /** For what servers write to stderr; absent where somebody else shows it. */
  readonly serverLog?: Log
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds since 1970, by which tokens are valid. */
  readonly wallMs: () => number
  readonly process: Process
  /** Absent on a machine that is no pod. */
  readonly pod?: Pod
  /** How often a silent stream says that it is alive; tests have no time for the default. */
  readonly keepAliveMs?: number
}

const meansFor = ({ process, now, pod }: SidecarParts, budget: Budget): ServerMeans => ({
  ownUid: process.uid,
  listeners: pod?.listeners,
  now,
  budget,
  newName: () => randomBytes(16).toString('hex'),
  schedule: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
})

/** Who takes note of calls; `worked` hears of a server that does what it is there for. */
const observer =
  (memory: IdleMemory, metrics: Metrics, now: () => number, worked: () => void): Observe =>
  (method, durationMs, errorType) => {
    memory.used(now())
    metrics.operation(method, durationMs, errorType)
    if (method !== 'initialize' && errorType === undefined) worked()
  }

/** What there is before anything else: room, and records of what is done. */
const heldBy = async (parts: SidecarParts, trust: Trust | undefined) => {
  const held = memoryOf(parts)
  const unknown = (): number => trust?.verifier.pending ?? 0
  return { ...held, records: await loadAudit(parts, held.budget), unknown }
}

type Held = Awaited<ReturnType<typeof heldBy>>

interface BuildParts extends SidecarParts {
  /** What the server's words are held against; nobody asks before the sidecar has started. */
  readonly vetting: () => Vetting | undefined
}

const build = (parts: BuildParts, { memory, budget, records, unknown }: Held) => {
  const { config, now } = parts
  const { settings } = config
  const idle = new IdleExit(settings['idle-timeout'], now())
  const guards = guardsOf(settings, parts)
  const metrics = createMetrics({
    sessions: () => router.sessions,
    children: () => server.count,
    inFlight: () => router.inFlight,
    readiness: () => readiness,
    budget,
    process: parts.process,
    has: config,
    guards,
    audit: records?.figures,
  })
  const { log, journal, sweepLogs } = openJournal({ ...parts, metrics })
  const server: McpServer = connectServer(config, meansFor(parts, budget), {
    log,
    onThere: (weakness) => {
      drain.takeBack()
      idle.begin(now())
      readiness.begin(weakness)
    },
    onGone: (why) => readiness.stop(why),
    onTerminating: (leftMs) => drain.begin(leftMs),
    onSpawn: metrics.spawn,
    onExit: (code) => idle.ended(code),
    watch: records?.watching(journal) ?? journal,
  })
  const common = {
    source: server.source,
    budget,
    ...termsOf(parts),
    observe: observer(memory, metrics, now, () => readiness.worked()),
    remarks: createRemarks(log, metrics),
    onSessionEnd: metrics.sessionEnd,
    watchSessions: records?.recorder,
    onProcessEnd: metrics.modernProcessEnd,
    onStarted: () => readiness.started(),
    onStartFailed: (reason: string) => readiness.startFailed(reason),
    onDied: (reason: string) => readiness.died(reason),
  }
  const { startupTimeoutMs: patienceMs, remarks } = common
  const readiness: Readiness = new Readiness({ log, patienceMs, ...probesOf(common) })
  const router: Router = new Router({
    ...common,
    legacy: new Legacy(common),
    modern: new Modern(common),
    readiness,
  })
  const drain: Drain = new Drain({ router, unknown, readiness, server, log, now, sleep })
  const sweep = (): void => {
    for (const one of [router, server, budget, memory, records]) one?.sweep(now())
    sweepLogs(now())
    if (config.exitWhenIdle) complete(idle.due(router.isUnused, now()), server, log)
  }
  const kept = { budget, metrics, guards, remarks, log, journal, records }
  return { ...kept, server, readiness, router, drain, sweep }
}

type Built = ReturnType<typeof build> & {
  readonly peers: DeadPeers
  /** Undefined where plain HTTP is spoken. */
  readonly tls: Tls | undefined
  readonly callers: {
    /** Undefined where everybody is let in. */
    readonly trust: Trust | undefined
    /** Undefined where everybody may do everything. */
    readonly policy: StartedPolicy | undefined
  }
}

const createServers = (
  { config, now, pod }: SidecarParts,
  built: Built,
  tracing: Tracing | undefined,
  isStarted: () => boolean,
) => {
  const { budget, peers, callers, metrics, remarks, log, journal, readiness, server, tls } = built
  const { recorder } = built.records ?? {}
  const rules = originRules(config)
  const listener = {
    serve: createServe({
      stages: stagesOf({ ...built, ...callers, rules, tracing, recorder }),
      log,
      isOpen: !callers.trust,
      recorder,
    }),
    ...besideMcp(server, callers.trust, rules),
    isAllowedOrigin: (text: string) => isAllowedOrigin(rules, text),
    now,
    budget,
    watch: journal,
    peers,
    isDraining: () => readiness.isDraining,
    remarks,
  }
  const admin = {
    isStarted,
    obstacle: () => readiness.obstacle,
    weakness: () => readiness.weakness ?? tls?.weakness(),
    metrics: metrics.text,
    metricsType: metrics.contentType,
    log,
  }
  const listenerWith = (more: Pick<ListenerOptions, 'path'> = {}): Listener => {
    const http = createListener({ ...listener, ...more })
    return tls ? tls.before(http) : http
  }
  // Two of each: where one socket cannot take both address families, they share the port.
  return {
    mcp: [listenerWith(), listenerWith()],
    admin: [createAdmin(admin), createAdmin(admin)],
    standIns: new StandIns({
      ports: [...config.standIns.map(({ port }) => port), ...config.carriedPorts],
      addresses: config.isSupervised ? (pod?.addresses ?? []) : [config.host],
      createListener: (port) => {
        if (config.carriedPorts.includes(port)) return new CarriedPort(port)
        const known = config.standIns.find((one) => one.port === port)?.path
        return listenerWith({ path: () => known ?? server.path })
      },
      log,
      now,
      onFault: (fault) => {
        readiness.unreachable = fault
      },
    }),
  } as const
}

/** What is told of the tool policy, also on record where there is any. */
const heard = (core: ReturnType<typeof build>): PolicyParts => core.records?.hearing(core) ?? core

/** Starts a sidecar; rejects with the reason where it cannot listen. */
export const startSidecar = async (parts: SidecarParts): Promise<Sidecar> => {
  const { config, now } = parts
  let port = 0
  const trust = await startTrust(parts, () => port)
  let vetting: StartedVetting | undefined
  const core = build({ ...parts, vetting: () => vetting?.vetting }, await heldBy(parts, trust))
  const { server, readiness, router, drain, sweep, metrics, records } = core
  const policy = await loadPolicy(config, heard(core), () => router.endBlocked())
  vetting = await loadVetting(config, { ...core, now })
  const tls = await loadTls(config, { ...parts, metrics })
  const built = { ...core, peers: new DeadPeers(), tls, callers: { trust, policy } }
  let isStarted = false
  const tracing = await startTracing(parts, metrics.droppedSpans)
  const { mcp, admin, standIns } = createServers(parts, built, tracing, () => isStarted)
  const servers = [...mcp, ...admin, ...standIns.servers]
  let adminPort: number
  try {
    port = await listen(mcp, config.port, config.host)
    adminPort = await listen(admin, config.adminPort, config.host)
    const fault = await standIns.take()
    // Beside a server on loopback it is tried again; what nobody else can hold is a fault of the configuration.
    if (fault !== undefined && !config.isSupervised) throw new Error(fault)
    await server.start((isHeld) => (isHeld ? standIns.take() : standIns.giveBack()))
  } catch (error) {
    for (const one of [policy, vetting, tls]) one?.close()
    await closeAll(servers, 0)
    await tracing?.close(0)
    await records?.close(CLOSE_PATIENCE_MS)
    throw error
  }
  logFailures([...mcp, ...admin], parts.log)
  isStarted = true
  const sweeping = setInterval(() => {
    sweep()
    sweepSpares()
    standIns.sweep(now())
    built.peers.sweep(now())
  }, SWEEP_MS)
  /** `patience`: how long the network and the collector are waited for, asked anew for each. */
  const close = async (patience = (): number => CLOSE_PATIENCE_MS): Promise<void> => {
    clearInterval(sweeping)
    for (const one of [policy, vetting, tls, readiness, router, server]) one?.close()
    await closeAll(servers, patience())
    await tracing?.close(patience())
    await records?.close(Math.max(patience(), RECORDS_PATIENCE_MS))
  }
  return {
    port,
    adminPort,
    ready: readiness.whenReady,
    failed: readiness.whenFailed,
    obstacle: () => readiness.obstacle,
    drain: async (leftMs) => {
      const endMs = now() + leftMs
      await drain.run(leftMs)
      await close(() => Math.max(Math.min(DRAIN_PATIENCE_MS, endMs - now()), 0))
    },
    close: () => close(),
  }
}
