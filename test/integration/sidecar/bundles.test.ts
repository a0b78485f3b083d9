// The bundles as the sidecar's image has them: what traces need stands in its own, and only who has them configured
// reads it. `npm run build` has made them.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { CONFIG_VARIABLE } from '../../../shared/names.ts'
import type { SidecarDocument } from '../../../shared/sidecar-config.ts'
import { SIDECAR_NODE_FLAGS } from '../../../sidecar/life/runtime.ts'
import { adminOf } from '../../support/admin.ts'
import { freePort } from '../../support/free-port.ts'
import { startCollector } from '../../support/collector.ts'
import { rpc } from '../../support/puppet.ts'
import { JSON_HEADERS, send } from '../../support/raw-http.ts'
import { startProgram } from '../../support/running.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const dockerfile = readFileSync(join(root, 'Dockerfile.sidecar'), 'utf8')

/** The packages that a bundle is made of, by its source map. */
const packagesOf = (bundle: string): Set<string> => {
  const { sources } = z
    .object({ sources: z.array(z.string()) })
    .parse(JSON.parse(readFileSync(join(root, 'dist', `${bundle}.map`), 'utf8')))
  return new Set(
    sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []),
  )
}

/** What only some sidecars load. */
const APART = readdirSync(join(root, 'dist')).filter((name) => name.endsWith('.mjs'))

const telemetry = (bundle: string): string[] =>
  [...packagesOf(bundle)].filter((name) => name.startsWith('@opentelemetry/'))

test('the sidecar is made of few packages, and OpenTelemetry is none of them', () => {
  expect([...packagesOf('sidecar.js')].sort()).toEqual(['prom-client', 'zod'])
})

test('the sidecar is small: a library that comes whole costs megabytes of every pod', () => {
  expect(statSync(join(root, 'dist/sidecar.js')).size).toBeLessThan(500_000)
})

test("no bundle imports Node's modules by their facades, which load what nobody uses", () => {
  for (const name of ['sidecar.js', ...APART, 'webhook.js']) {
    const bundle = readFileSync(join(root, 'dist', name), 'utf8')
    expect(bundle.match(/^import .*/gm) ?? []).toEqual([])
  }
})

test('the image has every bundle', () => {
  const copied = [...dockerfile.matchAll(/^COPY \S+ dist\/(\S+\.mjs) \/app\/\1$/gm)]
  expect(copied.map(([, name = '']) => name).sort()).toEqual([...APART].sort())
  expect(APART).toContain('policy.mjs')
})

test('traces need the parts of an exporter, and nothing of the SDK', () => {
  const packages = telemetry('tracing.mjs')
  expect(packages).toContain('@opentelemetry/otlp-exporter-base')
  expect(packages.filter((name) => name.includes('/sdk-'))).toEqual([])
})

test('metrics over OTLP go by the SDK', () => {
  expect(telemetry('otlp-metrics.mjs')).toContain('@opentelemetry/sdk-node')
})

test('records need nothing of OpenTelemetry but with a collector, and then little', () => {
  expect(telemetry('audit.mjs')).toEqual([])
  expect(telemetry('otlp-logs.mjs')).not.toContain('@opentelemetry/sdk-node')
})

describe('in a folder as in the image', () => {
  let app: string

  beforeEach(() => {
    app = mkdtempSync(join(tmpdir(), 'outrigger-app-'))
    for (const [, from = '', to = ''] of dockerfile.matchAll(/^COPY \S+ (dist\/\S+) (\S+)$/gm)) {
      copyFileSync(join(root, from), join(app, basename(to)))
    }
  })
  afterEach(() => rmSync(app, { recursive: true, force: true }))

  const start = async (document: SidecarDocument) => {
    const [port, adminPort] = [await freePort(), await freePort()]
    const admin = adminOf(adminPort)
    const settings = { auth: 'none', transport: 'http', port: `${await freePort()}` }
    const whole: SidecarDocument = { host: '127.0.0.1', port, adminPort, settings, ...document }
    const running = await startProgram({
      command: process.execPath,
      args: [...SIDECAR_NODE_FLAGS, join(app, 'sidecar.mjs')],
      env: { [CONFIG_VARIABLE]: JSON.stringify(whole) },
      ready: () =>
        admin.get('/startupz').then(
          ({ status }) => status === 200,
          () => false,
        ),
    })
    return { ...running, admin, url: `http://127.0.0.1:${port}/mcp` }
  }

  test.each<[string, readonly string[], SidecarDocument]>([
    ['a server over HTTP', ['http-server.mjs'], {}],
    ['a server over stdio', [], { settings: { auth: 'none' } }],
  ])(
    'for %s it starts without the bundles of what is not configured',
    async (_name, needed, document) => {
      for (const name of APART) if (!needed.includes(name)) rmSync(join(app, name))
      const sidecar = await start({ graceSeconds: 0, runDir: app, ...document })
      expect((await send(sidecar.url, rpc('ping', {}), JSON_HEADERS)).status).toBe(400)
      await sidecar.stop()
    },
  )

  test.each<[string, (file: string) => SidecarDocument]>([
    ['a file', (toolPolicy) => ({ toolPolicy })],
    ['the configuration', () => ({ basePolicy: { version: 1 } })],
  ])('it decides by the policy of %s, and counts that', async (_name, documentOf) => {
    const file = join(app, 'policy.yaml')
    writeFileSync(file, 'version: 1\n')
    const sidecar = await start({ graceSeconds: 0, ...documentOf(file) })
    const { text } = await send(sidecar.url, rpc('tools/call', { name: 'x' }), JSON_HEADERS)
    expect(text).toContain('no rule allows it')
    const { text: metrics } = await sidecar.admin.get('/metrics')
    expect(metrics).toMatch(/^outrigger_policy_decisions_total\{decision="denied",.*\} 1$/m)
    await sidecar.stop()
  })

  test('it counts what goes to other replicas, where there may be any', async () => {
    const replicas = { service: 'echo.team-a.svc', keys: join(app, 'keys') }
    const sidecar = await start({ graceSeconds: 0, replicas })
    const { text: metrics } = await sidecar.admin.get('/metrics')
    expect(metrics).toMatch(/^outrigger_replica_hops_total\{result="answered"\} 0$/m)
    await sidecar.stop()
  })

  test('it takes the lock of the configuration, and counts by it', async () => {
    const sidecar = await start({ graceSeconds: 0, baseLock: { version: 1, tools: {} } })
    const { text: metrics } = await sidecar.admin.get('/metrics')
    expect(metrics).toContain('# TYPE outrigger_tool_lock_findings_total counter')
    await sidecar.stop()
  })

  test('it sends records to a collector where that is configured', async () => {
    const collector = await startCollector()
    const audit = { otlp: { endpoint: collector.url } }
    const sidecar = await start({ graceSeconds: 0, audit })
    await sidecar.stop()
    expect(collector.logs.map(({ eventName }) => eventName)).toContain('outrigger.audit.begin')
    await collector.close()
  })

  test('it sends traces where they are configured', async () => {
    const collector = await startCollector()
    const traces = { endpoint: collector.url, sampleRatio: 1 }
    const sidecar = await start({ graceSeconds: 0, traces })
    await send(sidecar.url, rpc('ping', {}), JSON_HEADERS)
    const span = await collector.find(({ name }) => name === 'ping', 'a ping')
    expect(span).toMatchObject({ kind: 'SERVER', resource: { 'service.name': 'local' } })
    await sidecar.stop()
    await collector.close()
  })
})
