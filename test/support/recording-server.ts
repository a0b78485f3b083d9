// A Streamable HTTP server of the legacy era that answers everything and keeps every body that it was sent.

import { createServer } from 'node:http'
import { listening } from './listening.ts'

export type RecordingServer = {
  readonly port: number
  /** Bodies that have come since this was called last. */
  readonly news: () => readonly Buffer[]
  readonly close: () => void
}

const SESSION = 'recorded'

/** The result for a method; of `initialize` the version that was asked for. */
const answer = (body: string): string | undefined => {
  const id = /"id":\s*(\d+)/.exec(body)?.[1]
  const method = /"method":\s*"([^"]+)"/.exec(body)?.[1]
  if (id === undefined || method === undefined) return undefined
  if (method === 'server/discover') {
    return `{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"unknown"}}`
  }
  const version = /"protocolVersion":"([^"]+)"/.exec(body)?.[1]
  const result =
    version === undefined
      ? '{}'
      : `{"protocolVersion":"${version}","capabilities":{},"serverInfo":{"name":"r","version":"1"}}`
  return `{"jsonrpc":"2.0","id":${id},"result":${result}}`
}

export const startRecordingServer = async (): Promise<RecordingServer> => {
  let bodies: Buffer[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.method !== 'POST') {
        response.writeHead(405).end()
        return
      }
      const body = Buffer.concat(chunks)
      bodies.push(body)
      const text = answer(body.toString())
      if (text === undefined) response.writeHead(202).end()
      else {
        response
          .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': SESSION })
          .end(text)
      }
    })
  })
  const port = await listening(server)
  return {
    port,
    news: () => {
      const fresh = bodies
      bodies = []
      return fresh
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
