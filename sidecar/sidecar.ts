// Starts one sidecar from its configuration, step by step, and ends it. Programs call it (main.ts in a pod, `outrigger run` and
// `dev` on a machine); it touches no environment and no signal.

import { sweepSpares } from './bytes/spares.ts'
import { buildCore, heldBy, SWEEP_MS, type Core, type Held, type SidecarParts } from './core.ts'
import { closeAll, listen, logFailures, type Listener } from './http/listen.ts'
import { startTrust } from './identity/start-trust.ts'
import type { Trust } from './identity/trust.ts'
import { loadEgress } from './load-egress.ts'
import { RECORDS_MS } from './life/drain.ts'
import { loadExchange } from './load-exchange.ts'
import { loadOwnWay } from './load-own-way.ts'
import { loadVetting, type StartedVetting } from './load-vetting.ts'
import type { Finding } from './lock/findings.ts'
import { loadPolicy } from './policy/load-policy.ts'
import type { StartedPolicy } from './policy/start-policy.ts'
import type { Readiness } from './routing/readiness.ts'
import { createServers } from './servers.ts'
import { startTelemetry, type Telemetry } from './telemetry/start-telemetry.ts'
import { loadTls, type Tls } from './tls/load-tls.ts'

/** For answers that are still on their way through the network: when all shall end at once, and in a drain. */
const CLOSE_PATIENCE_MS = 250
const DRAIN_PATIENCE_MS = 2000

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

/** Who hears of files that change and of what is not as it was locked: also the record, where there is one. */
const hearers = ({ metrics, records }: Core) => ({
  metrics: records ? { ...metrics, ...records.hearing(metrics) } : metrics,
  onFound: records && ((finding: Finding): void => records.recorder.found(finding)),
})

/** What has been started so far. */
interface Begun {
  trust?: Trust | undefined
  records?: Core['records']
  egress?: Held['egress']
  replicas?: Held['replicas']
  core?: Core
  policy?: StartedPolicy | undefined
  vetting?: StartedVetting
  tls?: Tls | undefined
  telemetry?: Telemetry
  servers?: readonly Listener[]
}

/** Ends it. `left`: how much time there is, asked anew for each that is waited for; records have all of it. */
const end = async (begun: Begun, left: () => number): Promise<void> => {
  const {
    trust,
    records,
    core,
    policy,
    vetting,
    tls,
    telemetry,
    egress,
    replicas,
    servers = [],
  } = begun
  const { readiness, router, server } = core ?? {}
  // What is still reached is over when its records are told to be.
  for (const one of [policy, vetting, tls, trust, readiness, router, server, egress]) one?.close()
  const patience = (): number => Math.max(Math.min(DRAIN_PATIENCE_MS, left()), 0)
  // Answers that clients do not fetch must not take the time that records have.
  const unkept = left() - (records ? RECORDS_MS : 0)
  await closeAll(servers, Math.min(patience(), Math.max(unkept, CLOSE_PATIENCE_MS)))
  await replicas?.close(CLOSE_PATIENCE_MS)
  await Promise.all([telemetry?.close(patience()), records?.close(Math.max(left(), RECORDS_MS))])
}

/** Starts a sidecar; rejects with the reason where it cannot, and leaves nothing of it running. */
export const startSidecar = async (parts: SidecarParts): Promise<Sidecar> => {
  const begun: Begun = {}
  try {
    return await start(parts, begun)
  } catch (error) {
    await end(begun, () => 0)
    throw error
  }
}

/** What there is before anything else, with whoever looks at what the server reaches: that is on record as well. */
const hold = async (parts: SidecarParts, begun: Begun): Promise<Held> => {
  const held = await heldBy(parts, begun.trust)
  begun.records = held.records
  begun.replicas = held.replicas
  begun.egress = await loadEgress(parts, held.records?.recorder.egress)
  const exchange = await loadExchange(parts, begun.trust, held.records?.recorder)
  return { ...held, egress: begun.egress, exchange }
}

/** Each step is noted in `begun` as soon as there is something to end. */
const start = async (given: SidecarParts, begun: Begun): Promise<Sidecar> => {
  const { config, now } = given
  const parts = { ...given, way: given.way ?? (await loadOwnWay(given)) }
  let port = 0
  const trust = await startTrust(parts, () => port)
  begun.trust = trust
  const held = await hold(parts, begun)
  const later = { vetting: () => begun.vetting?.vetting, tracing: () => begun.telemetry?.tracing }
  const core = buildCore({ ...parts, ...later }, held)
  begun.core = core
  held.egress?.watchCalls(() => core.server.underway)
  const { server, readiness, router, drain, sweep, metrics, onFreed } = core
  const told = { ...core, now, ...hearers(core) }
  const policy = await loadPolicy(config, told, () => router.endBlocked())
  begun.policy = policy
  begun.vetting = await loadVetting(config, told)
  const tls = await loadTls(config, { ...parts, metrics: told.metrics, onFreed }, trust?.svids)
  begun.tls = tls
  const telemetry = await startTelemetry(parts, metrics)
  begun.telemetry = telemetry
  let isStarted = false
  const beside = { trust, policy, tls, tracing: telemetry.tracing, isStarted: () => isStarted }
  const { mcp, admin, standIns, createHeld } = createServers(parts, { ...core, ...held, ...beside })
  begun.servers = [...mcp, ...admin, ...standIns.servers]
  port = await listen(mcp, config.port, config.host)
  const adminPort = await listen(admin, config.adminPort, config.host)
  if (createHeld) await held.replicas?.listen(createHeld)
  const fault = await standIns.take()
  // Beside a server on loopback it is tried again; what nobody else can hold is a fault of the configuration.
  if (fault !== undefined && !config.isSupervised) throw new Error(fault)
  await server.start((isHeld) => (isHeld ? standIns.take() : standIns.giveBack()))
  logFailures([...mcp, ...admin], parts.log)
  isStarted = true
  const sweeping = setInterval(() => {
    sweep()
    sweepSpares()
    for (const one of [standIns, held.egress, held.exchange]) one?.sweep(now())
    trust?.sweep?.(now(), server.tenants ?? [])
  }, SWEEP_MS)
  const close = (left = (): number => CLOSE_PATIENCE_MS): Promise<void> => {
    clearInterval(sweeping)
    return end(begun, left)
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
      await close(() => endMs - now())
    },
    close: () => close(),
  }
}
