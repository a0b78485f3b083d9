// The sidecar's metrics over a sidecar that does nothing, and every metric that there is.

import { Figures } from '../../sidecar/replicas/figures.ts'
import { createMetrics, type Gauges, type Metrics } from '../../sidecar/telemetry/metrics.ts'
import { aBudget } from './budgets.ts'
import { aRequest } from './messages.ts'

export type FakeMetrics = {
  readonly metrics: Metrics
  /** The text exposition. */
  readonly text: () => Promise<string>
}

export const fakeMetrics = (more: Partial<Gauges> = {}): FakeMetrics => {
  const metrics = createMetrics({
    sessions: () => 0,
    children: () => 0,
    inFlight: () => 0,
    readiness: () => ({ obstacle: undefined, weakness: undefined }),
    spares: () => undefined,
    config: {
      settings: { 'spare-processes': 1 },
      toolPolicy: '/policy',
      toolLock: '/lock',
      tls: true,
    },
    guards: undefined,
    budget: aBudget(),
    now: () => 0,
    sweepMs: 250,
    peers: { traffic: { connections: 0, bytes: () => ({ received: 0, sent: 0 }) } },
    process: {
      residentBytes: () => 0,
      heapUsedBytes: () => 0,
      cpuMicroseconds: () => 0,
      startedMs: 0,
      node: 'v24.0.0',
    },
    ...more,
  })
  return { metrics, text: metrics.text }
}

/** Where every feature is configured, and everything has happened once. */
const busyMetrics = (): FakeMetrics => {
  const fake = fakeMetrics({
    guards: { refusals: new Map([['rate-limit', 1]]), breakers: () => ({ closed: 1 }) },
    records: {
      figures: () => ({ written: 0, dropped: 0, unwritten: 0, isFailing: false, lagMs: 0 }),
    },
    egress: {
      figures: {
        attempts: new Map([['allowed connect', 1]]),
        passed: new Map([['api.example.com:443', { sentBytes: 1, receivedBytes: 1 }]]),
        connections: () => 0,
        enforcement: () => [['enforced', 1]],
      },
    },
    replicas: { figures: new Figures(() => 0) },
    exchange: { outcomes: new Map([['exchanged', 1]]) },
  })
  const { metrics } = fake
  const operation = metrics.operations.begin(
    aRequest('{"jsonrpc":"2.0","id":1,"method":"ping"}'),
    0,
  )
  metrics.operations.ended({ method: 'ping', operation, sentMs: 0 }, 0)
  metrics.exit('asked')
  metrics.tolerated('batch')
  metrics.sessionEnd('client')
  metrics.policyDecision({ isAllowed: true, isDryRun: false, rule: 'reads' })
  metrics.policyReload('taken')
  metrics.lockFinding({ kind: 'tools', action: 'hidden' })
  metrics.lockReload('taken')
  metrics.tlsHandshake('done')
  metrics.tlsReload('taken')
  metrics.tlsUntil(0)
  return fake
}

/** Each metric that there is, with its labels: `le` of a histogram is none. */
export const everyMetric = async (): Promise<ReadonlyMap<string, readonly string[]>> => {
  const text = await busyMetrics().text()
  const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name)
  return new Map(
    names.map((name) => {
      const [, labels = ''] = new RegExp(`^${name}(?:_bucket)?\\{(.*)\\}`, 'm').exec(text) ?? []
      const own = [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label)
      return [name, own.filter((label) => label !== 'le')]
    }),
  )
}
