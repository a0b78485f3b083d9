// The dashboard, the rules and what they are scraped by: every name and label in them is one that sidecar, webhook or controller have.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { z } from 'zod'
import { INJECTED_LABEL, SERVER_LABEL } from '../../shared/names.ts'
import { createControllerTelemetry } from '../../webhook/controller/telemetry.ts'
import { ADMIN_PORT_NAME } from '../../webhook/inject/port-names.ts'
import { createTelemetry } from '../../webhook/telemetry.ts'
import { FOLDER, readPanels } from '../observability/dashboard.ts'
import { everyMetric } from '../support/fake-metrics.ts'

const read = (name: string): string => readFileSync(`${FOLDER}${name}`, 'utf8')

const annotations = z.object({ summary: z.string(), description: z.string() })
const rule = z.union([
  z.object({ record: z.string(), expr: z.string() }),
  z.object({
    alert: z.string(),
    expr: z.string(),
    for: z.string().optional(),
    labels: z.object({ severity: z.enum(['critical', 'warning', 'info']) }),
    annotations,
  }),
])
const ruleFile = z.object({ groups: z.array(z.object({ name: z.string(), rules: z.array(rule) })) })
const ruleTests = z.object({
  tests: z.array(
    z.object({
      input_series: z.array(z.object({ series: z.string() })),
      alert_rule_test: z
        .array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) }))
        .default([]),
    }),
  ),
})

const groups = ruleFile.parse(parse(read('rules.yaml'))).groups
const rules = groups.flatMap((group) => group.rules)
const records = rules.flatMap((one) => ('record' in one ? [one.record] : []))
const { tests } = ruleTests.parse(parse(read('rules.test.yaml')))

/** Given by discovery, not by what is scraped. */
const DISCOVERED = ['namespace', 'pod', 'mcp_server']
const WEBHOOK: Readonly<Record<string, readonly string[]>> = {
  outrigger_certificate_not_after_seconds: [],
  outrigger_certificate_authority_not_after_seconds: ['role'],
  outrigger_config_refused: [],
  outrigger_admission_failures_total: ['reason'],
  outrigger_admission_reviews_total: ['decision', 'reason'],
  outrigger_admission_duration_seconds: [],
  outrigger_admission_waiting_seconds: [],
  outrigger_admission_judging_seconds: [],
  outrigger_admission_queue: [],
  outrigger_admission_held_bytes: [],
  outrigger_rule_breaches_total: ['rule', 'effect'],
  outrigger_floor_relaxed: ['relaxation'],
  outrigger_watch_age_seconds: ['resource'],
}
/** Of one that has put a workload right. */
const CONTROLLER: Readonly<Record<string, readonly string[]>> = {
  outrigger_controller_leading: [],
  outrigger_controller_waiting: [],
  outrigger_controller_refused: [],
  outrigger_controller_foreign: [],
  outrigger_controller_bare_pods: [],
  outrigger_controller_denied_deployments: [],
  outrigger_controller_open_policies: [],
  outrigger_controller_held_pods: [],
  outrigger_controller_other_sidecars: [],
  outrigger_controller_companions_total: ['result'],
  outrigger_controller_workloads_total: ['result'],
}

const known = async (): Promise<ReadonlyMap<string, readonly string[]>> => {
  const metrics = [...(await everyMetric()), ...Object.entries({ ...WEBHOOK, ...CONTROLLER })]
  const all = metrics.flatMap(([name, labels]): (readonly [string, readonly string[]])[] => [
    [name, labels],
    [`${name}_bucket`, [...labels, 'le']],
    [`${name}_count`, labels],
  ])
  return new Map([...all, ...records.map((name) => [name, []] as const)])
}

const words = (text: string): readonly string[] => text.match(/\w+/g) ?? []

/** What in an expression is no metric, or no label of those that stand in it. */
const wrongIn = async (expr: string): Promise<readonly string[]> => {
  const metrics = await known()
  const bare = expr.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
  const outside = bare.replaceAll(/\{[^}]*\}|\b(?:by|on) \([^)]*\)/g, '')
  const named = outside.match(/\b(?:mcp|outrigger|process|nodejs|namespace)_[\w:]+/g) ?? []
  const own = new Set([...DISCOVERED, ...named.flatMap((name) => metrics.get(name) ?? [])])
  const grouped = [...bare.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, inner = '']) =>
    words(inner),
  )
  const matched = [...bare.matchAll(/([\w:]+)\{([^}]*)\}/g)].flatMap(
    ([, name = '', inner = '']) => {
      const labels = new Set([...DISCOVERED, ...(metrics.get(name) ?? [])])
      return [...inner.matchAll(/(\w+)(?:=~|!~|!=|=)/g)].flatMap(([, label = '']) =>
        labels.has(label) ? [] : [`${name}{${label}}`],
      )
    },
  )
  return [
    ...(named.length === 0 ? ['no metric at all'] : []),
    ...named.filter((name) => !metrics.has(name)),
    ...grouped.filter((label) => !own.has(label)),
    ...matched,
  ]
}

describe('the check itself finds', () => {
  test.each([
    ['a metric that there is not', 'rate(outrigger_fault_total[5m])', ['outrigger_fault_total']],
    ['a label to group by', 'sum by (cod) (rate(outrigger_faults_total[5m]))', ['cod']],
    ['a label to match', 'outrigger_faults_total{cod="x"}', ['outrigger_faults_total{cod}']],
    ['an expression without any', 'vector(1)', ['no metric at all']],
  ])('%s', async (_name, expr, wrong) => {
    expect(await wrongIn(expr)).toEqual(wrong)
  })
})

describe('the dashboard', () => {
  const targets = readPanels().flatMap(({ title, targets }) =>
    targets.map((target) => [`${title}: ${target.expr}`, target] as const),
  )

  test.each(targets)('%s', async (_name, { expr, legendFormat }) => {
    expect(await wrongIn(expr)).toEqual([])
    const grouped = new Set(
      [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, inner = '']) => words(inner)),
    )
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
      expect(grouped).toContain(label)
    }
  })

  test('no two panels stand in one place', () => {
    const places = readPanels().map(({ gridPos: { x, y } }) => `${x} ${y}`)
    expect(new Set(places).size).toBe(places.length)
  })
})

describe('the rules', () => {
  test.each(rules.map((one) => ['alert' in one ? one.alert : one.record, one.expr] as const))(
    '%s',
    async (_name, expr) => {
      expect(await wrongIn(expr)).toEqual([])
    },
  )

  test('each alert has a unit test in which it fires, and no other has any', () => {
    const alerts = rules.flatMap((one) => ('alert' in one ? [one.alert] : []))
    const firing = tests
      .flatMap((one) => one.alert_rule_test)
      .flatMap(({ alertname, exp_alerts: expected }) => (expected.length > 0 ? [alertname] : []))
    expect([...new Set(firing)].sort()).toEqual(alerts.sort())
  })

  test('unit tests are about metrics and labels that there are', async () => {
    const series = tests.flatMap((one) => one.input_series.map(({ series: name }) => name))
    expect((await Promise.all(series.map(wrongIn))).flat()).toEqual([])
  })

  test('the operator gets the same (npm run golden)', () => {
    const object = {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { name: 'outrigger', namespace: 'outrigger-system' },
      spec: parse(read('rules.yaml')),
    }
    const text = `# The rules of rules.yaml, for the Prometheus operator. Written by npm run golden.\n${stringify(object, { lineWidth: 0, singleQuote: true })}`
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(`${FOLDER}prometheus-rule.yaml`, text)
    expect(read('prometheus-rule.yaml')).toBe(text)
  })
})

/** Each is there, with these labels and no others. */
const expectExposed = (
  text: string,
  metrics: Readonly<Record<string, readonly string[]>>,
): void => {
  for (const [name, labels] of Object.entries(metrics)) {
    // Of a histogram it is how many there were.
    const [, inner = ''] = new RegExp(`^${name}(?:_count)?(?:\\{(.*)\\})? `, 'm').exec(text) ?? [
      name,
    ]
    expect([name, words(inner.replaceAll(/"[^"]*"/g, ''))]).toEqual([name, labels])
    expect(text).toContain(`# TYPE ${name} `)
  }
}

describe('what is scraped', () => {
  test('the names of the webhook’s metrics are its own', async () => {
    const telemetry = createTelemetry([
      { resource: 'pods', ageMs: () => 0, current: () => ({ leftOut: 0 }) },
    ])
    telemetry.authoritiesUntil([['signing', new Date(0)]])
    telemetry.reviewed('deny', 'rule', 0.1)
    telemetry.waited(0.1)
    telemetry.judged(0.1)
    telemetry.relaxed(['allowAnonymous'])
    telemetry.broken({ denied: ['host-ports'], warned: [], recorded: [] })
    telemetry.watchQueue({ waiting: () => 0, heldBytes: () => 0 })
    expectExposed(await telemetry.registry.metrics(), WEBHOOK)
  })

  test('those of the controller, too', async () => {
    const telemetry = createControllerTelemetry({
      isLeading: () => true,
      waiting: () => 0,
      refused: () => 0,
      foreign: () => 0,
      opened: () => 0,
      bare: () => 0,
      other: () => 0,
      held: () => 0,
      denied: () => 0,
      followers: () => [],
    })
    telemetry.reconciled(false)
    telemetry.counted('written')
    expectExposed(await telemetry.registry.metrics(), CONTROLLER)
  })

  test.each([
    ['outrigger-webhook', 'deployment.yaml'],
    ['outrigger-controller', 'companions/deployment.yaml'],
  ])('the deployment of %s has that label, and that port', (name, file) => {
    const deployment = readFileSync(`${FOLDER}../base/${file}`, 'utf8')
    expect(deployment).toContain(`app.kubernetes.io/name: ${name}\n`)
    expect(deployment).toMatch(/name: admin, containerPort/)
  })

  test('the pods of sidecars, webhook and controller, by the labels and ports that they have', () => {
    const own = (name: string) => ({
      spec: {
        selector: { matchLabels: { 'app.kubernetes.io/name': name } },
        podMetricsEndpoints: [{ port: 'admin', path: '/metrics' }],
      },
    })
    const monitors = parseAllDocuments(read('pod-monitor.yaml')).map((one): unknown => one.toJS())
    const meta = `__meta_kubernetes_pod_label_${SERVER_LABEL.replaceAll(/[^a-z]/g, '_')}`
    expect(monitors).toMatchObject([
      {
        spec: {
          namespaceSelector: { any: true },
          selector: { matchLabels: { [INJECTED_LABEL]: 'true' } },
          podMetricsEndpoints: [
            {
              port: ADMIN_PORT_NAME,
              relabelings: [{ sourceLabels: [meta], targetLabel: 'mcp_server' }],
            },
          ],
        },
      },
      own('outrigger-webhook'),
      own('outrigger-controller'),
    ])
  })

  test('the kustomization has every file, but what is for promtool alone', () => {
    const listed = read('kustomization.yaml')
    const files = readdirSync(FOLDER).filter((name) => /\.(yaml|json)$/.test(name))
    const left = files.filter((name) => !listed.includes(name))
    expect(left.sort()).toEqual(['kustomization.yaml', 'rules.test.yaml', 'rules.yaml'])
  })
})
