// A collector whose certificate a private authority has signed: what the cluster configuration says of it reaches the sidecar
// of a pod, and by it the collector is believed, and no other.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { CONFIG_VARIABLE, SIDECAR_CONTAINER } from '../../../shared/names.ts'
import { objectAt, objectsAt, stringAt, type JsonObject } from '../../../shared/json.ts'
import { render } from '../../../webhook/inject/render.ts'
import { anAuthority, issue } from '../../support/certificates.ts'
import { clusterConfig } from '../../support/cluster-config.ts'
import { startCollector, type Collector } from '../../support/collector.ts'
import { askModern, modernCall, startPuppetWith, type PuppetBridge } from '../../support/puppet.ts'
import { until } from '../../support/waiting.ts'

const POD: JsonObject = {
  metadata: { name: 'web', annotations: { 'outrigger.dev/inject': 'true' } },
  spec: { containers: [{ name: 'server', image: 'example.com/server:1', command: ['server'] }] },
}

const [own, other] = [anAuthority('collectors'), anAuthority('others')]
const serving = issue({ names: ['127.0.0.1'], by: own })

let dir = ''
let collector: Collector
let bridge: PuppetBridge | undefined
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'outrigger-collector-'))
  collector = await startCollector(200, serving)
})
afterEach(async () => {
  await bridge?.stop().catch(() => undefined)
  bridge = undefined
  await collector.close()
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 })
})

/** What a pod's sidecar is told by a cluster configuration. */
const documentOf = (telemetry: object): JsonObject => {
  const config = clusterConfig({
    sidecar: { image: 'example.com/sidecar:1' },
    settings: { auth: 'none', 'audit-sink': 'otlp' },
    floor: { allowAnonymous: true },
    ...telemetry,
  })
  const outcome = render(POD, { name: 'servers', labels: {}, annotations: {} }, config)
  if (outcome.kind !== 'inject') throw new Error(JSON.stringify(outcome))
  const sidecar = objectsAt(outcome.pod, 'spec', 'initContainers').find(
    ({ name }) => name === SIDECAR_CONTAINER,
  )
  const variable = objectsAt(sidecar, 'env').find(({ name }) => name === CONFIG_VARIABLE)
  return objectAt({ document: JSON.parse(stringAt(variable, 'value') ?? '') }, 'document')
}

/** Runs a sidecar that is told the same of its collector. */
const run = async (telemetry: object): Promise<PuppetBridge> => {
  const { traces, metrics, audit } = documentOf(telemetry)
  const path = join(dir, 'config.json')
  const told = { traces, metrics, audit: { otlp: objectAt(audit, 'otlp') } }
  writeFileSync(path, JSON.stringify(told))
  bridge = await startPuppetWith({ TMPDIR: dir }, '--config', path, '--audit-sink', 'otlp')
  return bridge
}

const COMPLETE = ['/v1/logs', '/v1/metrics', '/v1/traces']

test.each([
  ['one for all', () => ({})],
  ['each signal its own', () => ({ endpoint: collector.url, ca: own.cert })],
])('%s: spans, metrics and records come, and the call is answered', async (_name, others) => {
  const { url } = await run({
    traces: { endpoint: collector.url, sampleRatio: 1, ca: own.cert },
    metrics: { intervalSeconds: 1, ...others() },
    audit: { otlp: others() },
  })
  expect(await askModern(url, modernCall('echo', { text: 'x' }))).toContain('"result"')
  await until(() => collector.paths.size === 3 && collector.metrics.length > 0, 'all have come')
  expect([...collector.paths].sort()).toEqual(COMPLETE)
  await collector.find(({ name }) => name === 'tools/call echo', 'the call')
  const isCall = ({ body }: { readonly body: string }): boolean => body.includes('"tool":"echo"')
  await until(() => collector.logs.some(isCall), 'its record')
})

test.each([
  ['of another authority', { ca: other.cert }],
  ['of the usual ones', {}],
])(
  'by certificates %s nobody believes it: nothing is sent, and nothing served',
  async (_name, more) => {
    const started = run({ traces: { endpoint: collector.url, sampleRatio: 1, ...more } })
    await expect(started).rejects.toThrow('nobody who is trusted here has signed its certificate')
    expect([...collector.paths]).toEqual([])
  },
)
