// Metrics of what others count by themselves: limits, memory, audit records. Read when somebody asks for them.

import { Counter, Gauge, type Metric } from 'prom-client'
import { KINDS, type Kind } from '../bytes/budget.ts'

/** What limits have refused by their settings, and how many circuit breakers are in each state. */
export interface GuardFigures {
  readonly refusals: ReadonlyMap<string, number>
  breakers(): Readonly<Record<string, number>> | undefined
}

/** What may be held for others, and what is. */
export interface BudgetFigures {
  readonly bytes: number
  readonly waits: number
  readonly of: (kind: Kind) => number
  readonly ends: Readonly<Record<Kind, number>>
}

/** What became of audit records. */
export interface AuditFigures {
  readonly written: number
  readonly dropped: number
  readonly unwritten: number
  /** How long the oldest record that is not out has waited. */
  readonly lagMs: number
  readonly isFailing: boolean
}

type Counts = () => Iterable<readonly [value: string, count: number]>

interface Labelled {
  readonly name: string
  readonly help: string
  /** Its one label. */
  readonly by: string
}

/** A counter, or gauge, that is counted elsewhere. */
export const counter = ({ name, help, by }: Labelled, counts: Counts): Counter =>
  new Counter({
    name,
    help,
    labelNames: [by],
    registers: [],
    collect() {
      this.reset()
      for (const [value, count] of counts()) this.inc({ [by]: value }, count)
    },
  })

export const gaugeOf = (name: string, help: string, value: () => number): Gauge =>
  new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(value())
    },
  })

/** A counter without labels that is counted elsewhere. */
export const totalOf = (name: string, help: string, value: () => number): Counter =>
  new Counter({
    name,
    help,
    registers: [],
    collect() {
      this.reset()
      this.inc(value())
    },
  })

const gauges = ({ name, help, by }: Labelled, counts: Counts): Gauge =>
  new Gauge({
    name,
    help,
    labelNames: [by],
    registers: [],
    collect() {
      for (const [value, count] of counts()) this.set({ [by]: value }, count)
    },
  })

export const guardMetrics = (guards: GuardFigures): readonly Metric[] => [
  counter(
    {
      name: 'outrigger_limited_total',
      help: 'Requests that a limit of their caller or tool has refused, or the circuit breaker.',
      by: 'by',
    },
    () => guards.refusals,
  ),
  gauges(
    {
      name: 'outrigger_circuit_breakers',
      help: 'Circuit breakers by state: one, or one for each caller that has servers of its own.',
      by: 'state',
    },
    () => Object.entries(guards.breakers() ?? {}),
  ),
]

export const auditMetrics = (figures: () => AuditFigures): readonly Metric[] => [
  counter(
    {
      name: 'outrigger_audit_records_total',
      help: 'Audit records: written; dropped, for want of room; unwritten, denials that are only counted.',
      by: 'outcome',
    },
    () => {
      const { written, dropped, unwritten } = figures()
      return Object.entries({ written, dropped, unwritten })
    },
  ),
  gaugeOf('outrigger_audit_failing', 'Whether audit records cannot be written now.', () =>
    figures().isFailing ? 1 : 0,
  ),
  gaugeOf(
    'outrigger_audit_lag_seconds',
    'How long the oldest audit record that is not written yet has waited.',
    () => figures().lagMs / 1000,
  ),
]

export const budgetMetrics = (budget: BudgetFigures): readonly Metric[] => [
  gaugeOf(
    'outrigger_memory_budget_bytes',
    'Most that is held for clients and servers together.',
    () => budget.bytes,
  ),
  gaugeOf(
    'outrigger_memory_waits',
    'Clients and servers that are not read because the budget is used up.',
    () => budget.waits,
  ),
  gauges(
    {
      name: 'outrigger_memory_held_bytes',
      help: 'Held for clients and servers, by what it is.',
      by: 'kind',
    },
    () => KINDS.map((kind) => [kind, budget.of(kind)]),
  ),
  counter(
    {
      name: 'outrigger_memory_ends_total',
      help: 'What was given up for the memory that it took, by what it was.',
      by: 'kind',
    },
    () => Object.entries(budget.ends),
  ),
]
