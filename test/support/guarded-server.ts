// A server of the official SDK over HTTP that knows its callers itself: without the right Authorization it answers 401.
// What each request brought is kept.

import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listening } from './listening.ts'

export const CHALLENGE = 'Bearer realm="mcp", error="invalid_token"'

export interface Seen {
  /** `POST /mcp`. */
  readonly line: string
  readonly headers: IncomingMessage['headers']
}

export interface GuardedServer {
  readonly port: number
  readonly seen: Seen[]
  /** Tokens that are let in. */
  readonly tokens: Set<string>
  readonly close: () => void
}

const aServer = (): McpServer => {
  const server = new McpServer({ name: 'guarded', version: '1' })
  server.registerTool('who', { description: 'says whose call it is' }, (extra) => {
    const { authorization, 'x-tenant': tenant } = extra.requestInfo?.headers ?? {}
    return { content: [{ type: 'text', text: `${String(authorization)} ${String(tenant)}` }] }
  })
  return server
}

type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>

const streamable = (): Handle => {
  const transports = new Map<string, StreamableHTTPServerTransport>()
  return async (request, response) => {
    let transport = transports.get(String(request.headers['mcp-session-id']))
    if (!transport) {
      const opened = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        onsessioninitialized: (id) => void transports.set(id, opened),
      })
      await aServer().connect(opened)
      transport = opened
    }
    await transport.handleRequest(request, response)
  }
}

const sse = (): Handle => {
  const transports = new Map<string, SSEServerTransport>()
  return async (request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost')
    if (request.method === 'GET') {
      const transport = new SSEServerTransport('/message', response)
      transports.set(transport.sessionId, transport)
      await aServer().connect(transport)
      return
    }
    const transport = transports.get(url.searchParams.get('sessionId') ?? '')
    if (transport) await transport.handlePostMessage(request, response)
    else response.writeHead(404).end()
  }
}

const TRANSPORTS = {
  http: [streamable, /^\/mcp$/],
  sse: [sse, /^\/(?:sse|message)$/],
} as const

export const startGuardedServer = async (
  transport: keyof typeof TRANSPORTS,
): Promise<GuardedServer> => {
  const [handler, paths] = TRANSPORTS[transport]
  const handle = handler()
  const seen: Seen[] = []
  const tokens = new Set<string>()
  const server = createServer((request, response) => {
    const { method, url = '', headers } = request
    const path = url.split('?', 1)[0] ?? ''
    seen.push({ line: `${method} ${path}`, headers })
    if (!paths.test(path)) response.writeHead(404).end()
    else if (!tokens.has(headers.authorization ?? '')) {
      request.resume()
      response.writeHead(401, { 'www-authenticate': CHALLENGE }).end('who are you?')
    } else void handle(request, response)
  })
  const port = await listening(server)
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { port, seen, tokens, close }
}
