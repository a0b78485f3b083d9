// Starts one sidecar from its configuration, step by step, and ends it. Programs call it (main.ts in a pod, `outrigger run` and
// `dev` on a machine); it touches no environment and no signal.

import { sweepSpares } from './bytes/spares.ts'
import { buildCore, heldBy, SWEEP_MS, type Core, type SidecarParts } from './core.ts'
import { closeAll, listen, logFailures } from './http/listen.ts'
import { startTrust } from './identity/start-trust.ts'
import { loadVetting, type StartedVetting } from './load-vetting.ts'
import type { Finding } from './lock/findings.ts'
import { loadPolicy } from './policy/load-policy.ts'
import type { Readiness } from './routing/readiness.ts'
import { createServers } from './servers.ts'
import { startTelemetry, type Telemetry } from './telemetry/start-telemetry.ts'
import { loadTls } from './tls/load-tls.ts'

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

/** Who hears of files that change and of what is not as it was locked: also the record, where there is one. */
const hearers = ({ metrics, records }: Core) => ({
  metrics: records ? { ...metrics, ...records.hearing(metrics) } : metrics,
  onFound: records && ((finding: Finding): void => records.recorder.found(finding)),
})

/** Starts a sidecar; rejects with the reason where it cannot listen. */
export const startSidecar = async (parts: SidecarParts): Promise<Sidecar> => {
  const { config, now } = parts
  let port = 0
  const trust = await startTrust(parts, () => port)
  let vetting: StartedVetting | undefined
  let telemetry: Telemetry | undefined
  const later = { vetting: () => vetting?.vetting, tracing: () => telemetry?.tracing }
  const core = buildCore({ ...parts, ...later }, await heldBy(parts, trust))
  const { server, readiness, router, drain, sweep, metrics, records, onFreed } = core
  const told = { ...core, now, ...hearers(core) }
  const policy = await loadPolicy(config, told, () => router.endBlocked())
  vetting = await loadVetting(config, told)
  const tls = await loadTls(config, { ...parts, metrics: told.metrics, onFreed }, trust?.svids)
  telemetry = await startTelemetry(parts, metrics)
  let isStarted = false
  const beside = { trust, policy, tls, tracing: telemetry.tracing, isStarted: () => isStarted }
  const { mcp, admin, standIns } = createServers(parts, { ...core, ...beside })
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
    for (const one of [policy, vetting, tls, trust]) one?.close()
    await closeAll(servers, 0)
    await telemetry.close(0)
    await records?.close(CLOSE_PATIENCE_MS)
    throw error
  }
  logFailures([...mcp, ...admin], parts.log)
  isStarted = true
  const sweeping = setInterval(() => {
    sweep()
    sweepSpares()
    standIns.sweep(now())
  }, SWEEP_MS)
  /** `patience`: how long the network and the collector are waited for, asked anew for each. */
  const close = async (patience = (): number => CLOSE_PATIENCE_MS): Promise<void> => {
    clearInterval(sweeping)
    for (const one of [policy, vetting, tls, trust, readiness, router, server]) one?.close()
    await closeAll(servers, patience())
    await telemetry?.close(patience())
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
