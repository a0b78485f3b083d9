// The admin port: what kubelet and Prometheus see, of a server that works, one that is broken from the start, and
// one that breaks later. No label value comes from the wire.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openLegacy, rpc, startPuppet, toolCall, type PuppetBridge } from '../../support/puppet.ts'
import { startPod, type Pod } from '../../support/pod.ts'
import { INITIALIZE, JSON_HEADERS, send } from '../../support/raw-http.ts'

const RAW = fileURLToPath(new URL('../../fixtures/raw-server.ts', import.meta.url))

const NAMES = [
  'mcp_client_operation_duration_seconds',
  'mcp_server_operation_duration_seconds',
  'nodejs_heap_size_used_bytes',
  'outrigger_build_info',
  'outrigger_children',
  'outrigger_clients_cut_off_total',
  'outrigger_connections',
  'outrigger_ends_total',
  'outrigger_event_loop_lag_seconds',
  'outrigger_exits_total',
  'outrigger_faults_total',
  'outrigger_isolation_weakened',
  'outrigger_memory_budget_bytes',
  'outrigger_memory_ends_total',
  'outrigger_memory_held_bytes',
  'outrigger_memory_waits',
  'outrigger_network_bytes_total',
  'outrigger_ready',
  'outrigger_requests_in_flight',
  'outrigger_sessions',
  'outrigger_spans_dropped_total',
  'outrigger_spawns_total',
  'outrigger_tolerated_total',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'process_start_time_seconds',
]

describe('a server that works', () => {
  let bridge: PuppetBridge

  beforeAll(async () => {
    bridge = await startPuppet()
  })
  afterAll(() => bridge.stop())

  test.each([
    ['/livez', 200, 'ok\n'],
    ['/startupz', 200, 'ok\n'],
    // As ourselves, on a machine of our own: advisory, and told.
    [
      '/readyz',
      200,
      `ok, but the server runs with the sidecar's uid ${process.getuid?.()}: in a pod give it another (runAsUser, or outrigger.dev/run-as-user); on a machine of your own do so for servers that you do not trust\n`,
    ],
    ['/other', 404, 'nothing is here; there are /livez, /startupz, /readyz, /metrics\n'],
  ])('%s answers %i', async (path, status, text) => {
    expect(await bridge.admin.get(path)).toEqual({ status, text })
  })

  test.each([
    ['/livez', 'HEAD', 200],
    ['/startupz', 'HEAD', 200],
    ['/readyz', 'HEAD', 200],
    ['/metrics', 'HEAD', 200],
    ['/readyz', 'POST', 405],
  ])('%s answers %s with %i', async (path, method, status) => {
    const response = await fetch(`http://127.0.0.1:${bridge.admin.port}${path}`, { method })
    const length = Number(response.headers.get('content-length'))
    expect([response.status, length > 0]).toEqual([status, true])
    expect((await response.text()) === '').toBe(method === 'HEAD')
  })

  test('counts by known names only, whatever a client calls', async () => {
    const session = await openLegacy(bridge.url)
    await session.post(rpc('evil/"}\\n{method', {}))
    await session.post(toolCall('a tool with "quotes"'.repeat(3)))
    await session.post(rpc('tools/list', {}))
    const { text } = await bridge.admin.get('/metrics')
    const lines = text.split('\n').filter((line) => line !== '')
    const names = lines
      .filter((line) => line.startsWith('# TYPE'))
      .map((line) => line.split(' ')[2])
    expect(new Set(names)).toEqual(new Set(NAMES))
    for (const line of lines) {
      expect(line).toMatch(
        /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="[\w/+.-]*",?)*\})? [\d.e+-]+)$/,
      )
    }
    expect(text).not.toMatch(/evil|quotes/)
    expect(text).toContain('mcp_method_name="_OTHER"')
    await session.end()
  })
})

describe('a server that is broken', () => {
  let folder: string
  let mood: string
  let pod: Pod

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'outrigger-mood-'))
    mood = join(folder, 'mood')
    writeFileSync(mood, 'dies')
    pod = await startPod([process.execPath, RAW, folder, mood])
  })
  afterAll(async () => {
    await pod.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const notReady = async (): Promise<string> => {
    for (;;) {
      const { status, text } = await pod.admin.get('/readyz')
      if (status === 503 && !text.includes('not')) return text
      if (status === 503 && text.includes('exited')) return text
    }
  }
  const ready = async (): Promise<void> => {
    await pod.admin.ready()
  }

  test('is not ready, and says why; when it works it is; when it breaks again it is not', async () => {
    expect((await pod.admin.get('/startupz')).status).toBe(200)
    expect(await notReady()).toBe(
      'the server exited with code 3; it wrote: no such database: give me a DATABASE_URL\n',
    )
    writeFileSync(mood, '')
    await ready()
    writeFileSync(mood, 'dies')
    for (let count = 0; count < 3; count++) {
      const { text } = await send(pod.url, INITIALIZE, JSON_HEADERS)
      expect(text).toContain('the server exited with code 3')
    }
    expect(await notReady()).toContain('the server exited with code 3')
    expect((await pod.admin.get('/livez')).status).toBe(200)
    writeFileSync(mood, '')
    await ready()
  })
})
