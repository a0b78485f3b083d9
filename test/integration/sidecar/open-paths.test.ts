// Paths of a server besides MCP: those that are named pass, to the letter, and nothing else does.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { freePort } from '../../support/free-port.ts'
import { openStream } from '../../support/event-stream.ts'
import { startSidecarProgram, type Sidecar } from '../../support/pod.ts'
import { send } from '../../support/raw-http.ts'
import { until } from '../../support/waiting.ts'
import { listening } from '../../support/listening.ts'

const GET = { method: 'GET' } as const

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const PAGES: Readonly<Record<string, Answer>> = {
  '/health': (_request, response) =>
    response
      .writeHead(503, { 'content-type': 'text/plain', 'x-of': 'server', 'mcp-x': '1' })
      .end('ill'),
  '/metrics': (_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('up 1\n'.repeat(100_000))),
  '/v1/mcp': (_request, response) => response.writeHead(200).end('the endpoint'),
  '/events': (_request, response) =>
    void response.writeHead(200, { 'content-type': 'Text/Event-Stream' }).write('data: 1\n\n'),
  '/broken': (_request, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('half', () => response.destroy())
  },
  '/no-status': ({ socket }) => void socket.end('HTTP/1.1 000 None\r\n\r\n'),
  '/continued': ({ socket }) => void socket.end('HTTP/1.1 100 Continue\r\n\r\n'),
  '/upgraded': ({ socket }) =>
    void socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
  '/slow': (_request, response) => void response.writeHead(200).write('a'),
}

describe('open paths', () => {
  let server: Server
  let sidecar: Sidecar
  let base: string
  let standIn: string
  let seen: IncomingMessage[] = []
  let hungUp: number

  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume()
      seen.push(request)
      response.on('close', () => response.writableFinished || hungUp++)
      const page = PAGES[request.url?.split('?', 1)[0] ?? '']
      if (page) page(request, response)
      else response.writeHead(404).end()
    })
    const serverPort = await listening(server)
    const port = await freePort()
    sidecar = await startSidecarProgram({
      settings: {
        transport: 'http',
        port: `${serverPort}`,
        path: '/v1/mcp/',
        'open-paths': '/health,/metrics,/events,/broken,/no-status,/continued,/upgraded,/slow',
      },
      standIns: [{ port, path: '/v1/mcp' }],
    })
    base = sidecar.url.replace(/\/mcp$/, '')
    standIn = `http://127.0.0.1:${port}`
  })

  beforeEach(() => {
    seen = []
    hungUp = 0
  })

  afterAll(async () => {
    sidecar.kill()
    await sidecar.stop()
    server.closeAllConnections()
    server.close()
  })

  test('pass with status, headers and query; ours and those of the protocol stay out', async () => {
    const headers = { accept: 'text/plain', authorization: 'Bearer a', cookie: 'b=c', 'x-d': 'e' }
    const reply = await send(`${base}/health?deep=1`, undefined, headers, GET)
    expect([reply.status, reply.text]).toEqual([503, 'ill'])
    expect(reply.headers).toMatchObject({ 'content-type': 'text/plain', 'x-of': 'server' })
    expect(reply.headers['mcp-x']).toBeUndefined()
    const asked = seen.find(({ url }) => url === '/health?deep=1')
    expect(asked?.headers.accept).toBe('text/plain')
    for (const name of ['authorization', 'cookie', 'x-d']) {
      expect(asked?.headers[name]).toBeUndefined()
    }
  })

  test('pass on the port of a stand-in too, byte for byte', async () => {
    const reply = await send(`${standIn}/metrics`, undefined, { 'accept-encoding': 'gzip' }, GET)
    expect(reply.status).toBe(200)
    expect(reply.headers['content-encoding']).toBe('gzip')
  })

  test.each([
    ['the endpoint', '/v1/mcp/'],
    ['the root', '/'],
    ['what is not named', '/admin'],
    ['what is below', '/health/x'],
    ['a slash more', '/health/'],
    ['two slashes', '//health'],
    ['what walks up', '/health/../admin'],
    ['other letters', '/Health'],
    ['what is encoded', '/%68ealth'],
    ['what walks up from a named one', '/metrics/..%2fadmin'],
  ])('%s is a 404 that names the annotation, and reaches nobody', async (_name, path) => {
    const before = seen.length
    const { status, text } = await send(base + path, undefined, {}, GET)
    expect([status, seen.length]).toEqual([404, before])
    expect(text).toContain('outrigger.dev/open-paths')
  })

  test.each(['POST', 'DELETE', 'PUT', 'PATCH'])('%s is refused', async (method) => {
    const { status, headers } = await send(`${base}/health`, undefined, {}, { method })
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD'])
    expect(seen.filter(({ url }) => url === '/health')).toEqual([])
  })

  test('a HEAD has no body', async () => {
    const { status, text } = await send(`${base}/health`, undefined, {}, { method: 'HEAD' })
    expect([status, text]).toEqual([503, ''])
  })

  test('an event stream does not pass', async () => {
    expect((await send(`${base}/events`, undefined, {}, GET)).status).toBe(404)
    await until(() => hungUp > 0, 'the server is left')
  })

  test.each([
    ['a status that is none', '/no-status', 'HTTP 0, which is no status'],
    ['nothing but a promise', '/continued', 'the connection was dropped'],
    ['another protocol', '/upgraded', 'HTTP 101, which nobody had asked for'],
  ])('%s is the server’s failure, and ends nothing', async (_name, path, said) => {
    const { status, text } = await send(base + path, undefined, {}, GET)
    expect([status, text]).toEqual([502, expect.stringContaining(said)])
  })

  test('what breaks off there breaks off here', async () => {
    await expect(send(`${base}/broken`, undefined, {}, GET)).rejects.toThrow()
  })

  test('who hangs up hangs up there', async () => {
    const stream = await openStream(`${base}/slow`, { method: 'GET' })
    stream.read().destroy()
    await until(() => hungUp > 0, 'the server has noticed')
  })

  test('a Host or Origin that is not known is refused', async () => {
    const host = await send(`${base}/health`, undefined, { host: 'evil.example' }, GET)
    const origin = await send(`${base}/health`, undefined, { origin: 'https://evil.example' }, GET)
    expect([host.status, origin.status]).toEqual([403, 403])
  })

  test('more than 64 at once come again later', async () => {
    const many = [...Array(64).keys()].map(() => openStream(`${base}/slow`, { method: 'GET' }))
    const open = await Promise.all(many)
    const { status, headers } = await send(`${base}/health`, undefined, {}, GET)
    expect([status, headers['retry-after']]).toEqual([503, '1'])
    for (const stream of open) stream.read().destroy()
    await until(() => hungUp >= 64, 'all have gone')
  })

  test('a client of HTTP+SSE is told where MCP is', async () => {
    const { status, text } = await send(`${standIn}/sse`, undefined, {}, GET)
    expect(status).toBe(404)
    expect(text).toContain('the MCP endpoint is /mcp, over Streamable HTTP')
  })
})
