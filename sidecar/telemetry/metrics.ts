// Every metric of the sidecar, registered once. No label value comes from the wire unless it is in
// a known set. What is counted elsewhere already is read by `collected.ts`.

import { Counter, Registry, type Metric } from 'prom-client'
import { FAULTS, type FaultCode } from '../mcp/faults.ts'
import type { Tolerance } from '../mcp/tolerance.ts'
import { egressMetrics, type EgressFigures } from './egress-metrics.ts'
import { LoopLag } from './loop-lag.ts'
import { lockMetrics, type LockMetrics } from './lock-metrics.ts'
import { Operations } from './operations.ts'
import {
  processMetrics,
  trafficMetrics,
  type ProcessFigures,
  type TrafficFigures,
} from './process-metrics.ts'
import { counter } from './collected.ts'
import { replicaMetrics, type ReplicaFigures } from './replica-metrics.ts'
import { tlsMetrics, type TlsMetrics } from './tls-metrics.ts'
import {
  auditMetrics,
  budgetMetrics,
  gaugeOf,
  guardMetrics,
  type AuditFigures,
  type BudgetFigures,
  type GuardFigures,
} from './collected.ts'

export interface Metrics extends LockMetrics, TlsMetrics {
  /** How long requests take. */
  readonly operations: Operations
  /** Called every `sweepMs`. */
  readonly sweep: (nowMs: number) => void
  /** A fault that a client is told. */
  readonly fault: (code: FaultCode) => void
  /** A server process has ended, for one of few causes. */
  readonly exit: (cause: string) => void
  /** A client was cut off because it did not read. */
  readonly cutOff: () => void
  /** Something was taken although it is not as it should be. */
  readonly tolerated: (what: Tolerance) => void
  readonly spawn: (outcome: string) => void
  /** A legacy session, or a process of the modern era, has ended for one of a few reasons. */
  readonly sessionEnd: (reason: string) => void
  readonly modernProcessEnd: (reason: string) => void
  readonly droppedSpans: (count: number) => void
  /** The tool policy has decided about a message; `rule` is one of its own. */
  readonly policyDecision: (decision: Decided) => void
  /** The tool policy's file has changed. */
  readonly policyReload: (outcome: 'taken' | 'refused') => void
  /** All figures, as they are now. */
  readonly read: () => Promise<readonly Figure[]>
  /** The Prometheus text exposition. */
  readonly text: () => Promise<string>
  readonly contentType: string
}

/** One line of the exposition; `metricName` of a histogram's. */
export interface FigureValue {
  readonly metricName?: string
  readonly labels: Readonly<Partial<Record<string, string | number>>>
  readonly value: number
}

export interface Figure {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly FigureValue[]
}

export interface Decided {
  readonly isAllowed: boolean
  readonly isDryRun: boolean
  readonly rule: string | undefined
}

export interface Gauges {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** How often `sweep` is called. */
  readonly sweepMs: number
  readonly sessions: () => number
  readonly children: () => number
  readonly inFlight: () => number
  readonly readiness: () => ReadinessFigures
  readonly budget: BudgetFigures
  readonly process: ProcessFigures
  readonly peers: { readonly traffic: TrafficFigures }
  /** What there is: of the rest nothing is to be shown. */
  readonly config: {
    readonly toolPolicy?: unknown
    readonly basePolicy?: unknown
    readonly toolLock?: unknown
    readonly baseLock?: unknown
    readonly tls?: unknown
    readonly settings: { readonly 'spare-processes'?: number }
  }
  readonly spares: () => SpareFigures | undefined
  /** Absent where nothing is limited. */
  readonly guards: GuardFigures | undefined
  /** Absent where no records are kept. */
  readonly records?: { readonly figures: () => AuditFigures } | undefined
  /** Absent where nobody looks at what servers reach. */
  readonly egress?: { readonly figures: EgressFigures } | undefined
  /** Absent where there is one replica alone. */
  readonly replicas?: { readonly figures: ReplicaFigures } | undefined
  /** Absent where no tokens are exchanged. */
  readonly exchange?: { readonly outcomes: ReadonlyMap<string, number> } | undefined
}

/** Processes that are there before anybody asks, and failures of theirs in a row. */
export interface SpareFigures {
  readonly free: number
  readonly failures: number
}

/** Why calls cannot be served, and what of isolation does not hold; undefined where all is well. */
export interface ReadinessFigures {
  readonly obstacle: string | undefined
  readonly weakness: string | undefined
}

const endsIn = (registers: Registry[]): Counter<'what' | 'reason'> =>
  new Counter({
    name: 'outrigger_ends_total',
    help: 'Legacy sessions and processes of the modern era that have ended, by reason.',
    labelNames: ['what', 'reason'] as const,
    registers,
  })

/** Makes counters of one label, or of none. */
const counting =
  (registers: Registry[]) =>
  <Label extends string = never>(name: string, help: string, label?: Label): Counter<Label> =>
    new Counter({ name, help, registers, labelNames: label === undefined ? [] : [label] })

type Outcome = 'allowed' | 'denied' | 'dry_run'

const policyMetrics = (registers: Registry[]): Pick<Metrics, 'policyDecision' | 'policyReload'> => {
  // By rule, counted here: prom-client makes a text of the labels each time, which takes as long as a decision.
  const counts = new Map<string, Record<Outcome, number>>()
  const countsOf = (rule: string): Record<Outcome, number> => {
    const before = counts.get(rule)
    if (before) return before
    const created = { allowed: 0, denied: 0, dry_run: 0 }
    counts.set(rule, created)
    return created
  }
  const decisions = new Counter({
    name: 'outrigger_policy_decisions_total',
    help: 'Messages that the tool policy has decided about: allowed, denied or dry_run (denied, and let through), and by which rule.',
    labelNames: ['decision', 'rule'] as const,
    registers: [],
    collect() {
      this.reset()
      for (const [rule, outcomes] of counts) {
        for (const [decision, count] of Object.entries(outcomes)) {
          if (count > 0) this.inc({ decision, rule }, count)
        }
      }
    },
  })
  for (const registry of registers) registry.registerMetric(decisions)
  const reloads = counting(registers)(
    'outrigger_policy_reloads_total',
    "Changes of the tool policy's file: taken, or refused since it cannot be used.",
    'outcome',
  )
  for (const outcome of ['taken', 'refused']) reloads.inc({ outcome }, 0)
  return {
    policyDecision: ({ isAllowed, isDryRun, rule = '' }) => {
      const against = isDryRun ? 'dry_run' : 'denied'
      countsOf(rule)[isAllowed ? 'allowed' : against]++
    },
    policyReload: (outcome) => reloads.inc({ outcome }),
  }
}

const registerGauges = (gauges: Gauges, registry: Registry): void => {
  const gauge = (name: string, help: string, value: () => number): void =>
    registry.registerMetric(gaugeOf(name, help, value))
  gauge('outrigger_sessions', 'Legacy sessions that are open.', gauges.sessions)
  gauge('outrigger_children', 'Server processes that run or are being started.', gauges.children)
  gauge('outrigger_requests_in_flight', 'Requests that wait for the server.', gauges.inFlight)
  gauge('outrigger_ready', 'Whether calls can be served.', () =>
    gauges.readiness().obstacle === undefined ? 1 : 0,
  )
  gauge('outrigger_isolation_weakened', 'Whether isolation is advisory and does not hold.', () =>
    gauges.readiness().weakness === undefined ? 0 : 1,
  )
}

type Counted =
  | 'fault'
  | 'exit'
  | 'cutOff'
  | 'tolerated'
  | 'spawn'
  | 'sessionEnd'
  | 'modernProcessEnd'
  | 'droppedSpans'

const ownCounters = (registers: Registry[]): Pick<Metrics, Counted> => {
  const counter = counting(registers)
  const faults = counter(
    'outrigger_faults_total',
    'Requests that the sidecar itself refused or failed, by fault code.',
    'code',
  )
  const spawns = counter(
    'outrigger_spawns_total',
    'Server processes asked for, by outcome.',
    'outcome',
  )
  const tolerated = counter(
    'outrigger_tolerated_total',
    'What was taken although it is not as it should be, by what it was.',
    'what',
  )
  const ends = endsIn(registers)
  const exits = counter(
    'outrigger_exits_total',
    'Server processes that have ended: by a signal, out_of_memory, a code, asked to, or lost with the shim.',
    'cause',
  )
  const cutOffs = counter(
    'outrigger_clients_cut_off_total',
    'Clients whose connection was broken off because they did not read, or waited longer than their token lets them.',
  )
  const droppedSpans = counter(
    'outrigger_spans_dropped_total',
    'Spans that did not reach the collector: the queue was full, or sending failed.',
  )
  // A counter that begins with its first event hides that from whoever asks for an increase.
  for (const code of Object.keys(FAULTS)) faults.inc({ code }, 0)
  for (const outcome of ['started', 'refused', 'full']) spawns.inc({ outcome }, 0)
  for (const cause of ['out_of_memory', 'code', 'lost']) exits.inc({ cause }, 0)
  return {
    fault: (code) => faults.inc({ code }),
    exit: (cause) => exits.inc({ cause }),
    cutOff: () => cutOffs.inc(),
    tolerated: (what) => tolerated.inc({ what }),
    spawn: (outcome) => spawns.inc({ outcome }),
    sessionEnd: (reason) => ends.inc({ what: 'session', reason }),
    modernProcessEnd: (reason) => ends.inc({ what: 'modern_process', reason }),
    droppedSpans: (count) => droppedSpans.inc(count),
  }
}

const spareMetrics = ({ spares, config }: Pick<Gauges, 'spares' | 'config'>): readonly Metric[] =>
  config.settings['spare-processes'] === undefined
    ? []
    : [
        gaugeOf(
          'outrigger_spare_processes',
          'Server processes that are nobody’s yet.',
          () => spares()?.free ?? 0,
        ),
        gaugeOf(
          'outrigger_spare_failures',
          'Spare processes in a row that did not start, or did not last.',
          () => spares()?.failures ?? 0,
        ),
      ]

const wherePresent = ({
  guards,
  records,
  egress,
  replicas,
  exchange,
  ...gauges
}: Gauges): readonly Metric[] => [
  ...(guards ? guardMetrics(guards) : []),
  ...(records ? auditMetrics(records.figures) : []),
  ...(egress ? egressMetrics(egress.figures) : []),
  ...(replicas ? replicaMetrics(replicas.figures) : []),
  ...(exchange
    ? [
        counter(
          {
            name: 'outrigger_token_exchanges_total',
            help: 'Exchanges of callers’ tokens for their processes’, by what became of them.',
            by: 'outcome',
          },
          () => exchange.outcomes,
        ),
      ]
    : []),
  ...spareMetrics(gauges),
]

export const createMetrics = (gauges: Gauges): Metrics => {
  const registers = [new Registry()]
  const [registry = new Registry()] = registers
  const { config } = gauges
  const operations = new Operations(gauges.now)
  const lag = new LoopLag(gauges.sweepMs)
  registerGauges(gauges, registry)
  const own = [
    ...operations.metrics(),
    ...processMetrics(gauges.process),
    ...trafficMetrics(gauges.peers.traffic),
    lag.metric,
    ...budgetMetrics(gauges.budget),
    ...wherePresent(gauges),
  ]
  for (const metric of own) registry.registerMetric(metric)
  return {
    operations,
    sweep: (nowMs) => lag.tick(nowMs),
    ...ownCounters(registers),
    ...policyMetrics((config.toolPolicy ?? config.basePolicy) === undefined ? [] : registers),
    ...lockMetrics((config.toolLock ?? config.baseLock) === undefined ? [] : registers),
    ...tlsMetrics(config.tls === undefined ? [] : registers),
    read: async () =>
      (await registry.getMetricsAsJSON()).map(({ name, help, type, values }) => ({
        name,
        help,
        type: String(type),
        values,
      })),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
