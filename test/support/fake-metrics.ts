// The sidecar's metrics over a sidecar that does nothing.

import { createMetrics, type Metrics } from '../../sidecar/telemetry/metrics.ts'
import { aBudget } from './budgets.ts'

export type FakeMetrics = {
  readonly metrics: Metrics
  /** The text exposition. */
  readonly text: () => Promise<string>
}

export const fakeMetrics = (): FakeMetrics => {
  const metrics = createMetrics({
    sessions: () => 0,
    children: () => 0,
    inFlight: () => 0,
    readiness: () => ({ obstacle: undefined, weakness: undefined }),
    has: { toolPolicy: '/policy', toolLock: '/lock', tls: true },
    guards: undefined,
    budget: aBudget(),
    process: { residentBytes: () => 0, heapUsedBytes: () => 0, cpuMicroseconds: () => 0 },
  })
  return { metrics, text: metrics.text }
}
