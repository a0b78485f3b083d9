// The webhook's metrics: names and labels, registered once per server. No label value comes from a
// request: decisions and reasons are our own words.

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { VERSION } from '../shared/names.ts'
import { EFFECTS, type Breaches } from './admission/answering.ts'
import { watchFollowers, type Followed } from './watch-telemetry.ts'

const FAILURES = ['malformed', 'no-room', 'crowd', 'late', 'internal'] as const
type Failure = (typeof FAILURES)[number]

/** What reviews wait for. */
export interface QueueFigures {
  readonly waiting: () => number
  readonly heldBytes: () => number
}

export interface Telemetry {
  readonly registry: Registry
  /** Shows how many reviews wait, and what their bodies take. */
  watchQueue(figures: QueueFigures): void
  /** A review has found rules broken; each is given once. */
  broken(breaches: Breaches): void
  reviewed(decision: string, reason: string, seconds: number): void
  /** For how long one review kept the event loop. */
  judged(seconds: number): void
  /** For how long a whole body waited until its turn came. */
  waited(seconds: number): void
  /** A body that was no review, that had no room or came to its turn too late, or a fault of our own. */
  failed(reason: Failure): void
  /** Relaxations of the floor that are in force. */
  relaxed(names: readonly string[]): void
  /** The cluster configuration has changed; whether what stands there now is taken. */
  reconfigured(isTaken: boolean): void
  /** Another certificate serves; `authority`: the digest of who has signed it, where that is known. */
  certificateUntil(notAfter: Date, authority?: string): void
  /** When each authority ends, by what it is for: `signing`, `next`, `old`. */
  authoritiesUntil(ends: readonly (readonly [role: string, end: Date])[]): void
}

/** What shows of the cluster configuration. */
const watchConfig = (registers: Registry[]): Pick<Telemetry, 'relaxed' | 'reconfigured'> => {
  const relaxation = new Gauge({
    name: 'outrigger_floor_relaxed',
    help: '1 for each relaxation of the floor that the cluster configuration has on.',
    labelNames: ['relaxation'],
    registers,
  })
  const changes = new Counter({
    name: 'outrigger_config_changes_total',
    help: 'Changes of the cluster configuration that were seen, by whether they were taken.',
    labelNames: ['outcome'],
    registers,
  })
  const refused = new Gauge({
    name: 'outrigger_config_refused',
    help: '1 while the cluster configuration that stands there is not taken, and the last good one goes on.',
    registers,
  })
  return {
    relaxed(names) {
      relaxation.reset()
      for (const name of names) relaxation.set({ relaxation: name }, 1)
    },
    reconfigured(isTaken) {
      changes.inc({ outcome: isTaken ? 'taken' : 'refused' })
      refused.set(isTaken ? 0 : 1)
    },
  }
}

const watchCertificates = (
  registers: Registry[],
): Pick<Telemetry, 'certificateUntil' | 'authoritiesUntil'> => {
  const expiry = new Gauge({
    name: 'outrigger_certificate_not_after_seconds',
    help: 'When the serving certificate ends, in seconds since the epoch.',
    registers,
  })
  const authorities = new Gauge({
    name: 'outrigger_certificate_authority_not_after_seconds',
    help: 'When the authorities of serving certificates end, in seconds since the epoch; of several old ones the last.',
    labelNames: ['role'],
    registers,
  })
  const signedBy = new Gauge({
    name: 'outrigger_certificate_signed_by',
    help: '1 for the authority of the serving certificate, by the beginning of its SHA-256.',
    labelNames: ['authority'],
    registers,
  })
  return {
    certificateUntil: (notAfter, authority) => {
      expiry.set(notAfter.getTime() / 1000)
      signedBy.reset()
      if (authority !== undefined) signedBy.set({ authority }, 1)
    },
    authoritiesUntil: (ends) => {
      authorities.reset()
      const sorted = ends.toSorted(([, one], [, other]) => one.getTime() - other.getTime())
      for (const [role, end] of sorted) authorities.set({ role }, end.getTime() / 1000)
    },
  }
}

const watchQueue = (registers: Registry[], { waiting, heldBytes }: QueueFigures): void => {
  const gauge = (name: string, help: string, valueOf: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(valueOf())
      },
    })
  gauge('outrigger_admission_queue', 'Reviews that wait for their turn.', waiting)
  gauge(
    'outrigger_admission_held_bytes',
    'Bodies that are being read or wait, in bytes.',
    heldBytes,
  )
}

/** What runs, and which rules it finds broken. */
const watchRules = (registers: Registry[]): Pick<Telemetry, 'broken'> => {
  const build = new Gauge({
    name: 'outrigger_build_info',
    help: 'Always 1; its labels say what runs.',
    labelNames: ['version', 'node'],
    registers,
  })
  build.set({ version: VERSION, node: process.versions.node }, 1)
  const breaches = new Counter({
    name: 'outrigger_rule_breaches_total',
    help: 'Reviews in which a rule was found broken, by what came of it.',
    labelNames: ['rule', 'effect'],
    registers,
  })
  return {
    broken: (found) => {
      for (const effect of EFFECTS) for (const rule of found[effect]) breaches.inc({ rule, effect })
    },
  }
}

export const createTelemetry = (followers: readonly Followed[] = []): Telemetry => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  watchFollowers(() => followers, registry)
  const registers = [registry]
  const reviews = new Counter({
    name: 'outrigger_admission_reviews_total',
    help: 'Admission reviews by decision and reason.',
    labelNames: ['decision', 'reason'],
    registers,
  })
  const duration = new Histogram({
    name: 'outrigger_admission_duration_seconds',
    help: 'Time from a whole body to its answer.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
    registers,
  })
  const waiting = new Histogram({
    name: 'outrigger_admission_waiting_seconds',
    help: 'Time from a whole body to its turn.',
    buckets: [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1],
    registers,
  })
  const judging = new Histogram({
    name: 'outrigger_admission_judging_seconds',
    help: 'Time for which reading and judging one review kept the event loop.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25],
    registers,
  })
  const failures = new Counter({
    name: 'outrigger_admission_failures_total',
    help: 'Requests that got no review as an answer.',
    labelNames: ['reason'],
    registers,
  })
  // A counter that begins with its first event hides that from whoever asks for an increase.
  for (const reason of FAILURES) failures.inc({ reason }, 0)
  return {
    registry,
    reviewed(decision, reason, seconds) {
      reviews.inc({ decision, reason })
      duration.observe(seconds)
    },
    waited: (seconds) => waiting.observe(seconds),
    judged: (seconds) => judging.observe(seconds),
    failed: (reason) => failures.inc({ reason }),
    watchQueue: (figures) => watchQueue(registers, figures),
    ...watchRules(registers),
    ...watchConfig(registers),
    ...watchCertificates(registers),
  }
}
