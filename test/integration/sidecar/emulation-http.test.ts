// Legacy clients before a modern server that speaks HTTP: as before one that is a process of ours, with the headers that the
// revision wants.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fileURLToPath } from 'node:url'
import { connectClientOne } from '../../support/client-one.ts'
import { freePort } from '../../support/free-port.ts'
import type { McpClient } from '../../support/mcp-client.ts'
import { startSidecarProgram, type Sidecar } from '../../support/pod.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { testsOfEitherEra } from '../../support/served-fixture.ts'
import { until } from '../../support/waiting.ts'

const FIXTURE = fileURLToPath(new URL('../../fixtures/conformance-server.ts', import.meta.url))

describe('a modern server over HTTP', () => {
  let server: Running
  let sidecar: Sidecar
  let client: McpClient

  beforeAll(async () => {
    const port = await freePort()
    server = await startProgram({
      command: process.execPath,
      args: [FIXTURE, '--modern'],
      env: { PORT: `${port}` },
      ready: async () => {
        try {
          return (await fetch(`http://127.0.0.1:${port}/mcp`)).status >= 400
        } catch {
          return false
        }
      },
    })
    const settings = { transport: 'http', port: `${port}`, 'translate-eras': 'true' }
    sidecar = await startSidecarProgram({ settings })
    const isReady = async (): Promise<boolean> =>
      (await sidecar.admin.get('/readyz')).text === 'ok\n'
    await until(isReady, 'readiness')
    client = await connectClientOne(sidecar.url)
  })

  afterAll(async () => {
    await client.close()
    await server.stop()
    process.kill(sidecar.pid, 'SIGKILL')
    await sidecar.stop()
  })

  test('is served in a session', () => {
    expect([client.era, client.revision]).toEqual(['legacy', '2025-11-25'])
    expect(client.sessionId).toBeDefined()
  })

  testsOfEitherEra(() => client)
})
