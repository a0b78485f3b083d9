// Modern clients before a legacy server that speaks HTTP, by either transport: as before one that is a process of ours.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { connectClientTwo } from '../../support/client-two.ts'
import { startEverything } from '../../support/everything-over-http.ts'
import { freePort } from '../../support/free-port.ts'
import type { McpClient } from '../../support/mcp-client.ts'
import { startSidecarProgram, type Sidecar } from '../../support/pod.ts'
import type { Running } from '../../support/running.ts'
import { until } from '../../support/waiting.ts'

describe.each([
  ['Streamable HTTP', 'streamableHttp'],
  ['HTTP+SSE', 'sse'],
])('server-everything over %s', (_name, transport) => {
  let server: Running
  let sidecar: Sidecar
  let client: McpClient

  beforeAll(async () => {
    const port = await freePort()
    server = await startEverything(transport, port)
    const settings = { transport: 'http', port: `${port}`, 'translate-eras': 'true' }
    sidecar = await startSidecarProgram({ settings })
    const isReady = async (): Promise<boolean> =>
      (await sidecar.admin.get('/readyz')).text === 'ok\n'
    await until(isReady, 'readiness')
    client = await connectClientTwo(sidecar.url)
  })

  afterAll(async () => {
    await client.close()
    await server.stop()
    process.kill(sidecar.pid, 'SIGKILL')
    await sidecar.stop()
  })

  test('is served in the modern era', async () => {
    expect([client.era, client.revision]).toEqual(['modern', '2026-07-28'])
    expect(await client.call('echo', { message: 'Grüße' })).toMatchObject({
      content: [{ text: 'Echo: Grüße' }],
    })
  })

  test('asks its client', async () => {
    client.answers.sampling = () => ({
      role: 'assistant',
      model: 'none',
      content: { type: 'text', text: 'Paris, of course' },
    })
    const args = { prompt: 'Capital?', maxTokens: 10 }
    const sampled = await client.call('trigger-sampling-request', args)
    expect(JSON.stringify(sampled)).toContain('Paris, of course')
  })
})
