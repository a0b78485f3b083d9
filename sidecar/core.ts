// What a sidecar consists of before anybody can call it: memory, metrics, the link to its server, sessions of both eras. The
// wiring of these, in one page; none of it waits.

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../shared/log.ts'
import type { SidecarConfig } from '../shared/sidecar-config.ts'
import { schedule } from '../shared/timers.ts'
import { loadAudit } from './audit/load-audit.ts'
import { TurnEnd } from './bytes/turn-end.ts'
import type { Observe } from './conversation/call.ts'
import type { Vetting } from './conversation/vetting.ts'
import type { ToldOf } from './egress/ledger/ledger.ts'
import type { Egress } from './egress/start-egress.ts'
import type { Exchange } from './exchange/start-exchange.ts'
import { emulationOf } from './emulation/load-emulation.ts'
import { guardsOf } from './guards/guards.ts'
import { Peers } from './http/peers.ts'
import type { OwnWay } from './identity/own-way.ts'
import type { Trust } from './identity/trust.ts'
import { Legacy, type LegacyOptions } from './legacy/legacy.ts'
import { Drain } from './life/drain.ts'
import { complete, IdleExit } from './life/idle-exit.ts'
import { openJournal } from './life/journal.ts'
import { loadReplicas } from './load-replicas.ts'
import { memoryOf } from './life/memory.ts'
import type { Pod } from './life/pod.ts'
import type { Process } from './life/process.ts'
import { Modern } from './modern/modern.ts'
import { probesOf } from './routing/eras.ts'
import type { ReplicasParts } from './replicas/start-replicas.ts'
import { Readiness } from './routing/readiness.ts'
import { Router, type RouterOptions } from './routing/router.ts'
import { termsOf } from './routing/terms.ts'
import { loadServer } from './server/load-server.ts'
import type { McpServer, ServerMeans } from './server/server.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'
import { createRemarks } from './telemetry/remarks.ts'
import type { Passes } from './telemetry/trace.ts'
import { translationOf } from './translation/load-translation.ts'
import type { TranslationOptions } from './translation/start-translation.ts'

/** How often deadlines, idle times and keep-alives are looked at. */
export const SWEEP_MS = 250

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
  /** For OpenTelemetry's variables, and where the API server is; absent: none is set. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Absent on a machine that is no pod. */
  readonly pod?: Pod
  /** How often a silent stream says that it is alive; tests have no time for the default. */
  readonly keepAliveMs?: number
  /** Hears of what the server reaches, or tries to, where the configuration looks at that. */
  readonly onReached?: (told: ToldOf) => void
  /** To the internet, for what it asks itself; absent: as the configuration says. */
  readonly way?: OwnWay | undefined
  readonly resolveService?: ReplicasParts['resolveService']
}

const meansFor = (
  { process, now, pod }: SidecarParts,
  { budget, turnEnd, egress, exchange }: Pick<Held, 'budget' | 'turnEnd' | 'egress' | 'exchange'>,
  isServing: () => boolean,
): ServerMeans => ({
  outfitter: egress?.outfitter,
  tokens: exchange,
  isServing,
  ownUid: process.uid,
  listeners: pod?.listeners,
  now,
  budget,
  atTurnEnd: turnEnd.last,
  newName: () => randomBytes(16).toString('hex'),
  schedule,
})

/** Who takes note of calls; `worked` hears of a server that does what it is there for. */
const observer =
  (
    { memory, egress }: Pick<Held, 'memory' | 'egress'>,
    metrics: Metrics,
    now: () => number,
    worked: () => void,
  ): Observe =>
  (call, errorType, response) => {
    const nowMs = now()
    memory.used(nowMs)
    metrics.operations.ended(call, nowMs, errorType, response)
    egress?.ended()
    if (call.method !== 'initialize' && errorType === undefined) worked()
  }

/** What there is before anything else: room, records of what is done, and the way to the server. */
export const heldBy = async (parts: SidecarParts, trust: Trust | undefined) => {
  const held = memoryOf(parts)
  const connectServer = await loadServer(parts.config)
  // Last: it has to be ended.
  const turnEnd = new TurnEnd()
  const records = await loadAudit({ ...parts, atTurnEnd: turnEnd.first }, held.budget)
  const replicas = await loadReplicas({ ...parts, onCaller: trust?.note })
  const unknown = (): number => (trust?.pending() ?? 0) + (replicas?.inFlight ?? 0)
  return { ...held, turnEnd, records, connectServer, peers: new Peers(), unknown, replicas }
}

export type Held = Awaited<ReturnType<typeof heldBy>> & {
  /** Undefined where the server may reach what it likes. */
  readonly egress: Egress | undefined
  /** Undefined where processes have no tokens of their callers'. */
  readonly exchange: Exchange | undefined
}

/** Who serves which clients. */
const erasOf = (
  { settings }: SidecarConfig,
  common: LegacyOptions & TranslationOptions,
  readiness: Readiness,
): Pick<RouterOptions, 'legacy' | 'modern' | 'loadTranslation'> => ({
  legacy: new Legacy({ ...common, source: emulationOf(settings, common, readiness) }),
  modern: new Modern(common),
  loadTranslation: translationOf(settings, common),
})

interface CoreParts extends SidecarParts {
  /** What the server's words are held against; nobody asks before the sidecar has started. */
  readonly vetting: () => Vetting | undefined
  /** The same of traces. */
  readonly tracing: () => Passes | undefined
}

export const buildCore = (parts: CoreParts, held: Held) => {
  const { memory, budget, peers, records, connectServer, unknown } = held
  const { config, now } = parts
  const idle = new IdleExit(config.settings['idle-timeout'], now())
  const guards = guardsOf(config.settings, parts)
  const metrics = createMetrics({
    ...parts,
    ...held,
    sweepMs: SWEEP_MS,
    sessions: () => router.sessions,
    children: () => server.count,
    spares: () => server.spares,
    inFlight: () => router.inFlight,
    readiness: () => readiness,
    guards,
  })
  const { log, journal, sweepLogs } = openJournal({ ...parts, metrics })
  const means = meansFor(parts, held, () => readiness.obstacle === undefined)
  const server: McpServer = connectServer(config, means, {
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
    ...termsOf({ ...parts, replicas: held.replicas }),
    observe: observer(held, metrics, now, () => readiness.worked()),
    remarks: createRemarks(log, metrics),
    onSessionEnd: metrics.sessionEnd,
    watchSessions: records?.recorder,
    onProcessEnd: metrics.modernProcessEnd,
    onStarted: () => readiness.started(),
    onStartFailed: (reason: string) => readiness.startFailed(reason),
    onDied: (reason: string) => readiness.died(reason),
  }
  const { startupTimeoutMs: patienceMs, remarks } = common
  const probes = probesOf({ ...common, asksBoth: config.settings['translate-eras'] })
  const readiness: Readiness = new Readiness({ log, patienceMs, ...probes })
  const router: Router = new Router({ ...common, ...erasOf(config, common, readiness), readiness })
  const drain: Drain = new Drain({ router, unknown, readiness, server, records, log, now, sleep })
  const sweep = (): void => {
    for (const one of [metrics, router, server, budget, memory, peers, records]) one?.sweep(now())
    sweepLogs(now())
    if (config.exitWhenIdle) complete(idle.due(router.isUnused, now()), server, log)
  }
  const onFreed = (bytes: number): void => memory.freed(bytes, now())
  const kept = { onFreed, budget, peers, metrics, guards, remarks, log, journal, records }
  return { ...kept, server, readiness, router, drain, sweep }
}

export type Core = ReturnType<typeof buildCore>
