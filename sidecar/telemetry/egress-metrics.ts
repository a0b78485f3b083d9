// What is counted of what servers reach, read when somebody asks for it. Labels are of known sets: verdicts, ways, and what was
// declared.

import { Counter, Gauge, type Metric } from 'prom-client'
import { gaugeOf } from './collected.ts'

export interface EgressFigures {
  /** `VERDICT HOW`, and how often. */
  readonly attempts: ReadonlyMap<string, number>
  /** By destination as it was declared. */
  readonly passed: ReadonlyMap<
    string,
    { readonly sentBytes: number; readonly receivedBytes: number }
  >
  readonly connections: () => number
  /** Each word for what holds the server, and 1 where it is that. */
  readonly enforcement: () => Iterable<readonly [state: string, value: number]>
}

export const egressMetrics = (figures: EgressFigures): readonly Metric[] => [
  new Counter({
    name: 'outrigger_egress_attempts_total',
    help: 'What servers have tried to reach: allowed, denied, failed or observed (let through, and denied under enforce), and by which way; direct is around the proxy.',
    labelNames: ['verdict', 'how'] as const,
    registers: [],
    collect() {
      this.reset()
      for (const verdict of ['allowed', 'denied', 'failed', 'observed'])
        this.inc({ verdict, how: 'connect' }, 0)
      for (const [key, count] of figures.attempts) {
        const [verdict = '', how = ''] = key.split(' ')
        this.inc({ verdict, how }, count)
      }
    },
  }),
  new Counter({
    name: 'outrigger_egress_bytes_total',
    help: 'Bytes by way of the proxy: sent by servers, or received, by the declared destination.',
    labelNames: ['direction', 'destination'] as const,
    registers: [],
    collect() {
      this.reset()
      for (const [destination, { sentBytes, receivedBytes }] of figures.passed) {
        this.inc({ direction: 'sent', destination }, sentBytes)
        this.inc({ direction: 'received', destination }, receivedBytes)
      }
    },
  }),
  gaugeOf(
    'outrigger_egress_connections',
    'Connections and requests of servers by way of the proxy that are not over.',
    figures.connections,
  ),
  new Gauge({
    name: 'outrigger_egress_enforcement',
    help: 'What holds servers to what they may reach: enforced, observed, or advisory (they can go around).',
    labelNames: ['state'] as const,
    registers: [],
    collect() {
      for (const [state, value] of figures.enforcement()) this.set({ state }, value)
    },
  }),
]
