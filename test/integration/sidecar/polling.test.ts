// SEP-1699: a server of the official SDK that closes the stream of an answer and expects to be asked for the rest. Its
// client hears nothing of that.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { CLIENTS } from '../../support/clients.ts'
import { startSidecarProgram, type Sidecar } from '../../support/pod.ts'
import { listening } from '../../support/listening.ts'

type Stored = { readonly stream: string; readonly message: unknown }

/** Every event of every stream, in the order in which they came. */
const anEventStore = (): EventStore => {
  const events = new Map<string, Stored>()
  return {
    storeEvent: (stream, message) => {
      const id = `${events.size + 1}`
      events.set(id, { stream, message })
      return Promise.resolve(id)
    },
    getStreamIdForEventId: (id) => Promise.resolve(events.get(id)?.stream),
    replayEventsAfter: async (last, { send }) => {
      const stream = events.get(last)?.stream ?? ''
      for (const [id, event] of events) {
        if (event.stream !== stream || Number(id) <= Number(last)) continue
        // oxlint-disable-next-line no-await-in-loop -- their order is the point
        await send(id, JSON.parse(JSON.stringify(event.message)))
      }
      return stream
    },
  }
}

/** A server whose only tool leaves its caller's connection before it answers. */
const aPollingServer = (): McpServer => {
  const server = new McpServer({ name: 'polling', version: '1' })
  server.registerTool('slow', { description: 'closes its stream, then answers' }, async (extra) => {
    extra.closeSSEStream?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
    return { content: [{ type: 'text', text: 'at last' }] }
  })
  return server
}

describe('a server that closes the stream of an answer', () => {
  let server: Server
  let sidecar: Sidecar
  let asked: string[]

  beforeAll(async () => {
    const seen: string[] = []
    asked = seen
    const transports = new Map<string, StreamableHTTPServerTransport>()
    const open = async (): Promise<StreamableHTTPServerTransport> => {
      const transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        eventStore: anEventStore(),
        retryInterval: 60,
        onsessioninitialized: (id) => void transports.set(id, transport),
      })
      await aPollingServer().connect(transport)
      return transport
    }
    server = createServer((request, response) => {
      const { method, headers } = request
      seen.push(`${method} ${String(headers['last-event-id'] ?? '')}`.trim())
      const known = transports.get(String(headers['mcp-session-id']))
      void (known ? Promise.resolve(known) : open()).then((transport) =>
        transport.handleRequest(request, response),
      )
    })
    const port = await listening(server)
    sidecar = await startSidecarProgram({ settings: { transport: 'http', port: `${port}` } })
  })

  afterAll(async () => {
    sidecar.kill()
    await sidecar.stop()
    server.closeAllConnections()
    server.close()
  })

  test.each(CLIENTS)('is asked for the rest on behalf of $client', async ({ connect }) => {
    const client = await connect(sidecar.url)
    asked.length = 0
    expect(await client.call('slow')).toMatchObject({
      content: [{ type: 'text', text: 'at last' }],
    })
    expect(asked.filter((line) => /^GET \d+$/.test(line)).length).toBeGreaterThan(0)
    await client.close()
  })
})
