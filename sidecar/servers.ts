// What listens: at MCP's port, at the admin one, at those that the server or a bridge would hold; and what answers there.

import { createAdmin } from './admin/server.ts'
import type { Core, Held, SidecarParts } from './core.ts'
import type { Listener } from './http/listen.ts'
import type { Egress } from './egress/start-egress.ts'
import { createListener, type ListenerOptions } from './http/listener.ts'
import { StandIns } from './http/stand-ins.ts'
import type { Trust } from './identity/trust.ts'
import { besideMcp } from './pipeline/beside-mcp.ts'
import { isAllowedOrigin, originRules } from './pipeline/origin.ts'
import { createServe } from './pipeline/serve.ts'
import { fromReplica, pipeline } from './pipeline/pipeline.ts'
import type { Fork } from './pipeline/stage.ts'
import { stagesOf } from './pipeline/stages.ts'
import type { StartedPolicy } from './policy/start-policy.ts'
import { CarriedPort } from './server/carried-port.ts'
import type { Tracing } from './telemetry/tracing.ts'
import type { Tls } from './tls/load-tls.ts'

type Built = Core & {
  readonly isStarted: () => boolean
  /** Undefined where nothing is traced. */
  readonly tracing: Tracing | undefined
  /** Undefined where plain HTTP is spoken. */
  readonly tls: Tls | undefined
  /** Undefined where the server may reach what it likes. */
  readonly egress: Egress | undefined
  /** Undefined where everybody is let in. */
  readonly trust: Trust | undefined
  /** Undefined where everybody may do everything. */
  readonly policy: StartedPolicy | undefined
  /** Undefined where there is one replica alone. */
  readonly replicas: Held['replicas']
}

/** One sentence of all that is weak. */
const allOf = (weaknesses: readonly (string | undefined)[]): string | undefined => {
  const known = weaknesses.filter((one) => one !== undefined)
  return known.length === 0 ? undefined : known.join('; ')
}

/** What listens at the ports that the server, or a bridge before it, would hold. */
const standInsOf = (
  { config, now, pod }: SidecarParts,
  { log, readiness, server }: Pick<Built, 'log' | 'readiness' | 'server'>,
  listenerWith: (more: Pick<ListenerOptions, 'path'>) => Listener,
): StandIns =>
  new StandIns({
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
  })

/** What answers at each port; nobody listens yet. */
export const createServers = (parts: SidecarParts, built: Built) => {
  const { config, now } = parts
  const { budget, peers, trust, metrics, remarks, log, journal, readiness, server, tls } = built
  const { egress, replicas, router } = built
  const { recorder } = built.records ?? {}
  const rules = originRules(config)
  const stages = stagesOf({
    ...built,
    rules,
    recorder,
    replica: replicas?.forkFor({ ...built, hasSession: (id) => router.hasSession(id) }),
  })
  const serveBy = (way: readonly Fork[]) =>
    createServe({ stages: way, log, isOpen: !trust, recorder })
  const listener = {
    serve: serveBy(pipeline(stages)),
    ...besideMcp(server, trust, rules),
    isAllowedOrigin: (text: string) => isAllowedOrigin(rules, text),
    now,
    budget,
    watch: journal,
    peers,
    isDraining: () => readiness.isDraining,
    remarks,
  }
  const admin = {
    isStarted: built.isStarted,
    obstacle: () => readiness.obstacle,
    weakness: () =>
      allOf([readiness.weakness, egress?.weakness(), tls?.weakness(), server.spares?.weakness]),
    egressEnforcement: () => egress?.state().enforcement,
    metrics: metrics.text,
    metricsType: metrics.contentType,
    log,
  }
  const listenerWith = (more: Pick<ListenerOptions, 'path'> = {}): Listener => {
    const http = createListener({ ...listener, ...more })
    return tls ? tls.before(http) : http
  }
  /** For what other replicas send; what they say of a caller may be long. */
  const heldWith = ({ voucher }: NonNullable<typeof replicas>) => {
    const serve = serveBy(fromReplica(stages, voucher))
    const isAllowedOrigin = (): boolean => false
    const own = { serve, serveOther: undefined, isAllowedOrigin, maxHeaderBytes: 128 * 1024 }
    return () => createListener({ ...listener, ...own })
  }
  // Two of each: where one socket cannot take both address families, they share the port.
  return {
    mcp: [listenerWith(), listenerWith()],
    admin: [createAdmin(admin), createAdmin(admin)],
    createHeld: replicas && heldWith(replicas),
    standIns: standInsOf(parts, built, listenerWith),
  } as const
}
