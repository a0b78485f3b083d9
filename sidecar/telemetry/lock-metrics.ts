// What a tool lock has found, as metrics.

import { Counter, type Registry } from 'prom-client'
import { LOCKED_KINDS } from '../../shared/lock/kinds.ts'

/** What becomes of what is found. */
const ACTIONS = ['hidden', 'refused', 'reported']

export interface LockMetrics {
  /** Something is not as the tool lock has it. */
  readonly lockFinding: (finding: { readonly kind: string; readonly action: string }) => void
  /** The tool lock's file has changed. */
  readonly lockReload: (outcome: 'taken' | 'refused') => void
}

export const lockMetrics = (registers: Registry[]): LockMetrics => {
  const findings = new Counter({
    name: 'outrigger_tool_lock_findings_total',
    help: 'What was not as the tool lock has it, by kind: hidden in a list, refused in a call, or only reported.',
    labelNames: ['kind', 'action'] as const,
    registers,
  })
  const reloads = new Counter({
    name: 'outrigger_tool_lock_reloads_total',
    help: "Changes of the tool lock's file: taken, or refused since it cannot be used.",
    labelNames: ['outcome'] as const,
    registers,
  })
  for (const outcome of ['taken', 'refused']) reloads.inc({ outcome }, 0)
  for (const kind of [...LOCKED_KINDS, 'instructions']) {
    for (const action of ACTIONS) findings.inc({ kind, action }, 0)
  }
  return {
    lockFinding: ({ kind, action }) => findings.inc({ kind, action }),
    lockReload: (outcome) => reloads.inc({ outcome }),
  }
}
