// The figures of /metrics as a collector gets them, where OpenTelemetry's variables ask for it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { startCollector, type Collector } from '../../support/collector.ts'
import {
  openLegacy,
  rpc,
  startPuppetWith,
  toolCall,
  type PuppetBridge,
} from '../../support/puppet.ts'
import { until } from '../../support/waiting.ts'

let collector: Collector
let bridge: PuppetBridge | undefined
beforeEach(async () => {
  collector = await startCollector()
})
afterEach(async () => {
  await bridge?.stop()
  await collector.close()
})

const start = async (env: Readonly<Record<string, string>>): Promise<PuppetBridge> => {
  bridge = await startPuppetWith({ OTEL_METRIC_EXPORT_INTERVAL: '1000', ...env })
  return bridge
}

const DURATION = 'mcp.server.operation.duration'
const OURS = (name: string): string => name.replace(/^mcp_(\w+)_operation_duration_seconds$/, 'mcp.$1.operation.duration') // prettier-ignore

test('every figure, with the names of the conventions; a histogram bucket by bucket', async () => {
  const { url, admin } = await start({
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  })
  const session = await openLegacy(url)
  await session.post(rpc('tools/list', {}))
  for (let call = 0; call < 3; call++) await session.call('echo', { text: 'x' })
  await session.post(toolCall('nowhere'))
  const echoed = await until(
    () =>
      collector.metrics
        .findLast(({ name }) => name === DURATION)
        ?.histogram?.dataPoints.find(
          ({ attributes, count }) => attributes['gen_ai.tool.name'] === 'echo' && count === 3,
        ),
    'three calls have come',
  )
  expect(echoed.attributes).toEqual({ 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'echo' })
  expect(echoed.explicitBounds).toEqual([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]) // prettier-ignore
  expect(echoed.bucketCounts?.reduce((sum, count) => sum + count, 0)).toBe(3)
  expect(echoed.sum).toBeGreaterThan(0)
  const { text } = await admin.get('/metrics')
  const names = [...text.matchAll(/^# TYPE (\S+) \S+\n[^#\n]/gm)].map(([, name = '']) => OURS(name))
  // What was counted last is sent with the next export.
  const sent = await until(() => {
    const all = new Map(collector.metrics.map((metric) => [metric.name, metric]))
    return names.every((name) => all.has(name)) && all
  }, 'every figure has come')
  expect([...sent.keys()].sort()).toEqual(names.sort())
  expect(sent.get(DURATION)).toMatchObject({ unit: 's' })
  expect(sent.get('outrigger_spawns_total')?.sum?.isMonotonic).toBe(true)
  const sessions = collector.metrics.findLast(({ name }) => name === 'outrigger_sessions')
  expect(sessions?.gauge?.dataPoints).toMatchObject([{ asDouble: 1 }])
  expect(collector.paths).toEqual(new Set(['/v1/metrics']))
})

test('the configuration asks for it as well, and says how often', async () => {
  const config = join(mkdtempSync(join(tmpdir(), 'otlp-')), 'config.yaml')
  writeFileSync(
    config,
    JSON.stringify({ metrics: { endpoint: collector.url, intervalSeconds: 1 } }),
  )
  bridge = await startPuppetWith({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }, '--config', config) // prettier-ignore
  const session = await openLegacy(bridge.url)
  await session.call('echo', { text: 'x' })
  await until(() => collector.metrics.find(({ name }) => name === DURATION), 'it has come')
  rmSync(dirname(config), { recursive: true })
})

test('what was counted last is sent at the end', async () => {
  const own = await start({
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${collector.url}/v1/metrics`,
    OTEL_METRIC_EXPORT_INTERVAL: '600000',
  })
  const session = await openLegacy(own.url)
  await session.call('echo', { text: 'x' })
  await own.stop()
  bridge = undefined
  expect(collector.metrics.some(({ name }) => name === DURATION)).toBe(true)
})

test.each([
  ['nobody asks for it', {}],
  ['another exporter is asked for', { OTEL_METRICS_EXPORTER: 'prometheus' }],
  ['the SDK is disabled', { OTEL_METRICS_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'true' }],
])('nothing is sent where %s', async (_name, env) => {
  const own = await start({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  await openLegacy(own.url)
  await own.stop()
  bridge = undefined
  expect(collector.paths.size).toBe(0)
})
