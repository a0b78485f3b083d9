// A server over HTTP whose endpoint nobody has named: found where it is, or a sentence that says what to do.

import { afterEach, describe, expect, test } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import { startSidecarProgram, type Sidecar } from '../../support/pod.ts'
import { rpc } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS, send } from '../../support/raw-http.ts'
import { listening } from '../../support/listening.ts'

/** A server without sessions that speaks MCP at one path, and redirects from others. */
const startServer = async (
  endpoint: string,
  redirects: Readonly<Record<string, string>>,
): Promise<{ readonly server: Server; readonly port: number; readonly asked: string[] }> => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const { url = '' } = request
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    request.on('end', () => {
      asked.push(url)
      const location = redirects[url]
      if (location !== undefined) response.writeHead(307, { location }).end()
      else if (url !== endpoint) response.writeHead(404).end()
      else if (!text.includes('"id"')) response.writeHead(202).end()
      else {
        const { id } = JSON.parse(text)
        const result = {
          protocolVersion: '2025-06-18',
          capabilities: { tools: {} },
          serverInfo: { name: 'small', version: '1' },
          tools: [],
        }
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ jsonrpc: '2.0', id, result }))
      }
    })
  })
  return { server, port: await listening(server), asked }
}

describe('the path of a server', () => {
  let server: Server | undefined
  let sidecar: Sidecar | undefined

  afterEach(async () => {
    sidecar?.kill()
    await sidecar?.stop()
    server?.closeAllConnections()
    server?.close()
  })

  const start = async (endpoint: string, redirects: Readonly<Record<string, string>> = {}) => {
    const started = await startServer(endpoint, redirects)
    server = started.server
    sidecar = await startSidecarProgram({
      settings: { transport: 'http', port: `${started.port}` },
    })
    return { ...started, sidecar }
  }

  test.each<[string, string, Readonly<Record<string, string>>]>([
    ['the usual one', '/mcp', {}],
    ['the root', '/', {}],
    ['behind a redirect to a slash', '/mcp/', { '/mcp': '/mcp/' }],
  ])('%s is found', async (_name, endpoint, redirects) => {
    const { sidecar, asked } = await start(endpoint, redirects)
    const opened = await send(sidecar.url, INITIALIZE, JSON_HEADERS)
    expect(opened.status).toBe(200)
    const session = opened.headers['mcp-session-id'] ?? ''
    const headers = { ...JSON_HEADERS, 'mcp-session-id': session }
    expect((await send(sidecar.url, rpc('tools/list', {}), headers)).text).toContain('"tools":[]')
    expect(asked.at(-1)).toBe(endpoint)
  })

  test('none of the usual ones is a sentence that names the annotation', async () => {
    const { sidecar } = await start('/api/mcp')
    const { status, text } = await send(sidecar.url, INITIALIZE, JSON_HEADERS)
    expect(status).toBe(502)
    expect(text).toContain(
      'not over Streamable HTTP at /mcp, /, /http, not over HTTP+SSE at /sse; name its path with outrigger.dev/path',
    )
  })
})
