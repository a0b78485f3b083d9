// A server that knows its callers itself, by either transport over HTTP: what it gets of them, and what they hear of it.

import { afterEach, describe, expect, test } from '@jest/globals'
import { CHALLENGE, startGuardedServer, type GuardedServer } from '../../support/guarded-server.ts'
import { startSidecarProgram, type Sidecar } from '../../support/pod.ts'
import { modernCall } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS, messageIn, send } from '../../support/raw-http.ts'
import { until } from '../../support/waiting.ts'
import { createServer } from 'node:http'
import { listening } from '../../support/listening.ts'

const CALL = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"who","arguments":{}}}'
const INITIALIZED = '{"jsonrpc":"2.0","method":"notifications/initialized"}'

describe.each(['http', 'sse'] as const)('a server over %s', (transport) => {
  let server: GuardedServer
  let sidecar: Sidecar

  const start = async (settings: Readonly<Record<string, string>>): Promise<void> => {
    server = await startGuardedServer(transport)
    sidecar = await startSidecarProgram({
      settings: { transport: 'http', port: `${server.port}`, ...settings },
    })
  }

  afterEach(async () => {
    sidecar.kill()
    await sidecar.stop()
    server.close()
  })

  const readiness = async (isWanted: (text: string) => boolean): Promise<string> => {
    for (;;) {
      const { text } = await sidecar.admin.get('/readyz')
      if (isWanted(text)) return text
    }
  }

  /** A session in the name of a caller. */
  const open = async (headers: Readonly<Record<string, string>>) => {
    const opened = await send(sidecar.url, INITIALIZE, { ...JSON_HEADERS, ...headers })
    const id = String(opened.headers['mcp-session-id'])
    const own = { ...JSON_HEADERS, ...headers, 'mcp-session-id': id }
    const post = (body: string, more = {}) => send(sidecar.url, body, { ...own, ...more })
    const end = () => send(sidecar.url, undefined, own, { method: 'DELETE' })
    return { opened, post, end }
  }

  const asked = (line: string): Promise<unknown> =>
    until(() => server.seen.some((one) => one.line === line), `the server gets ${line}`)

  test('gets the named headers of each caller, in every request of its session, and is ready before anybody calls', async () => {
    await start({ 'forward-headers': 'Authorization, X-Tenant' })
    await readiness((text) => text === 'ok\n')
    server.tokens.add('Bearer a').add('Bearer b')
    const a = await open({ authorization: 'Bearer a', 'x-tenant': 'red', 'x-other': 'secret' })
    const b = await open({ authorization: 'Bearer b' })
    expect([a.opened.status, b.opened.status]).toEqual([200, 200])
    server.seen.length = 0
    await a.post(INITIALIZED)
    expect(messageIn(await a.post(CALL))).toContain('"text":"Bearer a red"')
    expect(messageIn(await b.post(CALL))).toContain('"text":"Bearer b undefined"')
    if (transport === 'http') await asked('GET /mcp')
    await a.end()
    if (transport === 'http') await asked('DELETE /mcp')
    const brought = server.seen.map(({ headers }) => headers)
    expect(brought.length).toBeGreaterThanOrEqual(3)
    for (const headers of brought) {
      expect(headers.authorization).toMatch(/^Bearer [ab]$/)
      expect(headers['x-other']).toBeUndefined()
    }
  })

  test('tells each caller itself that its token is not right, any more or at all', async () => {
    await start({ 'forward-headers': 'authorization' })
    await readiness((text) => text === 'ok\n')
    const { opened } = await open({})
    expect(opened.status).toBe(401)
    expect(opened.headers['www-authenticate']).toBe(CHALLENGE)
    expect(opened.headers['mcp-session-id']).toBeUndefined()
    expect(opened.text).toContain('"code":"server-unauthorized"')
    server.tokens.add('Bearer old')
    const session = await open({ authorization: 'Bearer old' })
    server.tokens.delete('Bearer old')
    server.tokens.add('Bearer new')
    const refused = await session.post(CALL)
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, CHALLENGE])
    const served = await session.post(CALL, { authorization: 'Bearer new' })
    expect(messageIn(served)).toContain('"text":"Bearer new undefined"')
    await readiness((text) => text === 'ok\n')
  })

  test('gets nothing without the setting: readiness and the caller are told of it', async () => {
    await start({})
    server.tokens.add('Bearer a')
    const why = await readiness((text) => text.includes('401'))
    expect(why).toContain('set outrigger.dev/forward-headers: Authorization')
    const { opened } = await open({ authorization: 'Bearer a' })
    expect(opened.status).toBe(502)
    expect(opened.headers['www-authenticate']).toBeUndefined()
    await until(() => server.seen.length > 2, 'it has been asked')
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(
      server.seen.map(() => undefined),
    )
  })
})

describe('a server of the newer era that says to anybody what it is', () => {
  test('gets the headers of each caller in each of its requests, also in what we ask before it', async () => {
    const brought: (readonly [method: string, authorization: string | undefined])[] = []
    const server = createServer((request, response) => {
      let text = ''
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      request.on('end', () => {
        const { id, method } = JSON.parse(text)
        const { authorization } = request.headers
        brought.push([method, authorization])
        const isOpen = method === 'server/discover' || authorization === 'Bearer a'
        const result =
          method === 'server/discover'
            ? { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: {} }
            : {
                resultType: 'complete',
                tools: [],
                content: [{ type: 'text', text: authorization }],
              }
        const answer = JSON.stringify({ jsonrpc: '2.0', id, result })
        if (isOpen) response.writeHead(200, { 'content-type': 'application/json' }).end(answer)
        else response.writeHead(401, { 'www-authenticate': CHALLENGE }).end()
      })
    })
    const port = await listening(server)
    const sidecar = await startSidecarProgram({
      settings: { transport: 'http', port: `${port}`, 'forward-headers': 'authorization' },
    })
    try {
      const { body, headers } = modernCall('who')
      const ask = (authorization: string) => send(sidecar.url, body, { ...headers, authorization })
      await sidecar.admin.ready()
      brought.length = 0
      const refused = await ask('Bearer b')
      expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, CHALLENGE])
      expect(messageIn(await ask('Bearer a'))).toContain('"text":"Bearer a"')
      expect((await ask('Bearer b')).status).toBe(401)
      expect(brought).toEqual([
        ['tools/list', 'Bearer b'],
        ['tools/list', 'Bearer a'],
        ['tools/call', 'Bearer a'],
        ['tools/call', 'Bearer b'],
      ])
    } finally {
      sidecar.kill()
      await sidecar.stop()
      server.closeAllConnections()
      server.close()
    }
  })
})
