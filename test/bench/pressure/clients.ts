// The clients of the pressure bench, the polite and the others: sessions, calls, and bytes on bare connections.

import { Agent, request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { JSON_HEADERS } from '../../support/raw-http.ts'

const agent = new Agent({ keepAlive: true, maxSockets: 16 })

export type Answer = {
  readonly status: number
  readonly session: string | undefined
  readonly bytes: number
}

const ask = (
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer = '',
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method, agent, headers }, (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      response.on('error', reject)
      response.on('end', () => {
        const session = response.headers['mcp-session-id']
        resolve({
          status: response.statusCode ?? 0,
          session: typeof session === 'string' ? session : undefined,
          bytes,
        })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })

/** A tool call of so many bytes, or whatever else stands in place of the name. */
export const toolCall = (id: number, name: string, bytes = 0): string =>
  `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${name}","arguments":{"text":"${'x'.repeat(bytes)}"}}}`

/** Opens a session and gives its id. */
export const openSession = async (url: string, version = '2025-06-18'): Promise<string> => {
  const params = `{"protocolVersion":"${version}","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}`
  const body = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":${params}}`
  const { status, session } = await ask(url, 'POST', JSON_HEADERS, body)
  if (session === undefined) throw new Error(`initialize was answered ${status}`)
  return session
}

export const post = (url: string, session: string, body: string | Buffer): Promise<Answer> =>
  ask(url, 'POST', { ...JSON_HEADERS, 'mcp-session-id': session }, body)

export const endSession = (url: string, session: string): Promise<Answer> =>
  ask(url, 'DELETE', { 'mcp-session-id': session })

/** A bare connection that has sent a request head and some of what should follow, and reads nothing unless told to. */
export const bare = (
  url: string,
  {
    method = 'POST',
    session = '',
    declared = 0,
    body = '',
  }: {
    readonly method?: string
    readonly session?: string
    readonly declared?: number
    readonly body?: string | Buffer
  },
): Socket => {
  const { hostname, port, pathname } = new URL(url)
  const socket = connect(Number(port), hostname)
  // The sidecar may well cut it off.
  socket.on('error', () => undefined)
  const headers = [
    `${method} ${pathname} HTTP/1.1`,
    'Host: localhost',
    'Accept: application/json, text/event-stream',
    ...(session === '' ? [] : [`Mcp-Session-Id: ${session}`]),
    ...(method === 'POST' ? ['Content-Type: application/json', `Content-Length: ${declared}`] : []),
  ]
  socket.write(`${headers.join('\r\n')}\r\n\r\n`)
  socket.write(body)
  return socket
}

/** All of something, at most so many at once. */
export const inTurns = async <T>(
  count: number,
  parallel: number,
  work: (index: number) => Promise<T>,
): Promise<T[]> => {
  const results: T[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) results.push(await work(next++))
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return results
}
