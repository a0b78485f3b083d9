// A real server that speaks HTTP behind the sidecar, by either transport, for both official clients; one that is not
// there yet, one that goes away, and one that answers what is no MCP.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import { freePort } from '../../support/free-port.ts'
import { connectClientOne } from '../../support/client-one.ts'
import { connectClientTwo } from '../../support/client-two.ts'
import { startEverything } from '../../support/everything-over-http.ts'
import { startSidecarProgram, type Sidecar } from '../../support/pod.ts'
import { openLegacy, rpc } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS, send } from '../../support/raw-http.ts'
import type { Running } from '../../support/running.ts'
import { listening } from '../../support/listening.ts'

const startSidecar = (port: number): Promise<Sidecar> =>
  startSidecarProgram({ settings: { transport: 'http', port: `${port}` } })

const readiness = async (sidecar: Sidecar, isWanted: (text: string) => boolean): Promise<void> => {
  for (;;) if (isWanted((await sidecar.admin.get('/readyz')).text)) return
}

describe.each([
  ['Streamable HTTP', 'streamableHttp', /ECONNREFUSED/],
  ['HTTP+SSE', 'sse', /ECONNREFUSED|has ended its event stream/],
])('server-everything over %s', (_name, transport, lost) => {
  let port: number
  let server: Running
  let sidecar: Sidecar

  beforeAll(async () => {
    port = await freePort()
    sidecar = await startSidecar(port)
    await readiness(sidecar, (text) => text.includes('ECONNREFUSED'))
    server = await startEverything(transport, port)
    await readiness(sidecar, (text) => text === 'ok\n')
  })

  afterAll(async () => {
    await server.stop()
    process.kill(sidecar.pid, 'SIGKILL')
    await sidecar.stop()
  })

  test.each([
    ['SDK 1.x', connectClientOne],
    ['client 2.x', connectClientTwo],
  ])(
    'serves %s: tools, progress, resources, what the server asks its client',
    async (_name, connect) => {
      const client = await connect(sidecar.url)
      const tools = await client.listTools()
      expect(tools.map(({ name }) => name)).toContain('echo')
      expect(await client.call('echo', { message: 'hi' })).toMatchObject({
        content: [{ type: 'text', text: 'Echo: hi' }],
      })
      const progress: unknown[] = []
      await client.call(
        'trigger-long-running-operation',
        { duration: 1, steps: 2 },
        { onProgress: ({ progress: done }) => progress.push(done) },
      )
      expect(progress).toContain(2)
      expect((await client.listResources()).length).toBeGreaterThan(0)
      client.answers.sampling = () => ({
        role: 'assistant',
        model: 'test',
        content: { type: 'text', text: 'sampled words' },
      })
      const sampled = await client.call('trigger-sampling-request', { prompt: 'p', maxTokens: 5 })
      expect(JSON.stringify(sampled)).toContain('sampled words')
      await client.close()
    },
  )

  test('a session ends with its server, and the sidecar is not ready until there is one again', async () => {
    const session = await openLegacy(sidecar.url)
    await server.stop()
    const pending = await session.post(rpc('tools/list', {}))
    expect(pending.text).toMatch(lost)
    expect((await session.post(rpc('ping', {}))).status).toBe(404)
    for (let count = 0; count < 3; count++) {
      const refused = await send(sidecar.url, INITIALIZE, JSON_HEADERS)
      expect(refused.text).toContain('ECONNREFUSED')
    }
    await readiness(sidecar, (text) => text.includes('ECONNREFUSED'))
    server = await startEverything(transport, port)
    await readiness(sidecar, (text) => text === 'ok\n')
    await (await openLegacy(sidecar.url)).end()
  })
})

const NOTHING = [404, 'text/plain', ''] as const

describe('a server whose answer is no MCP', () => {
  let server: Server
  let sidecar: Sidecar
  let answer: readonly [status: number, type: string, body: string]

  beforeAll(async () => {
    answer = [502, 'text/html', '<h1>Bad gateway</h1>']
    server = createServer((request, response) => {
      request.resume()
      const [status, type, body] = request.method === 'GET' ? NOTHING : answer
      response.writeHead(status, { 'content-type': type }).end(body)
    })
    sidecar = await startSidecar(await listening(server))
  })

  afterAll(async () => {
    process.kill(sidecar.pid, 'SIGKILL')
    await sidecar.stop()
    server.closeAllConnections()
    server.close()
  })

  test.each([
    ['a web page', [502, 'text/html', '<h1>Bad</h1>'], 'HTTP 502 without an answer'],
    [
      'an error about nobody',
      [
        400,
        'application/json',
        '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no host"}}',
      ],
      'HTTP 400 and said: no host',
    ],
    ['an empty stream', [200, 'text/event-stream', ''], 'stream ended before its answer'],
    ['an empty stream in other letters', [200, 'Text/Event-Stream', ''], 'stream ended before'],
    [
      'a stream whose rest nobody has',
      [200, 'text/event-stream', 'retry: 1\nid: 1\ndata:\n\n'],
      'HTTP 404 without an answer',
    ],
    [
      'a body without end',
      [200, 'application/json', 'x'.repeat(17 * 1024 * 1024)],
      "the server's answer is longer than 16777216 bytes",
    ],
    [
      'an event without end',
      [200, 'text/event-stream', `data: ${'x'.repeat(17 * 1024 * 1024)}`],
      "the server's answer is longer than 16777216 bytes",
    ],
    [
      "another's answer",
      [200, 'text/event-stream', 'data: {"jsonrpc":"2.0","id":999999,"result":{}}\n\n'],
      'stream ended before its answer',
    ],
  ] as const)('%s is an error that says so', async (_name, given, said) => {
    answer = given
    const { status, text } = await send(sidecar.url, INITIALIZE, JSON_HEADERS)
    expect(status).toBe(502)
    expect(text).toContain(said)
    expect(text).toContain('"code":"server-failed"')
  })

  test('is not ready', async () => {
    await readiness(sidecar, (text) => text.startsWith('the server'))
    expect((await sidecar.admin.get('/readyz')).status).toBe(503)
  })
})
