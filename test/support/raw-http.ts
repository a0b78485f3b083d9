// Requests to the bridge byte for byte, as no client library would send them, and legacy sessions made of such.

import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'

export type RawReply = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The body's bytes as they came. */
  readonly text: string
}

export type RawHeaders = Readonly<Record<string, string | readonly string[]>>

export const JSON_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
} as const

export type Method = { readonly method: string }

/** One request on a connection of its own. */
export const send = (
  url: string,
  body: string | Buffer | undefined,
  headers: RawHeaders = {},
  { method }: Method = { method: 'POST' },
): Promise<RawReply> =>
  new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      )
    })
    for (const [name, value] of Object.entries(headers)) sent.setHeader(name, value)
    sent.on('error', reject)
    sent.end(body)
  })

/** Bytes on a connection, and all that comes back until the other side ends it. */
export const sendRaw = (url: string, bytes: string | Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()))
    socket.write(bytes)
  })

/** What a reply says, be it JSON or the last event of a stream. */
export const messageIn = ({ text, headers }: RawReply): string => {
  if (!String(headers['content-type']).startsWith('text/event-stream')) return text
  return (
    text
      .split('\n')
      .findLast((line) => line.startsWith('data: {'))
      ?.slice('data: '.length) ?? ''
  )
}

export type RawSession = {
  readonly id: string
  readonly post: (body: string | Buffer, headers?: RawHeaders) => Promise<RawReply>
  /** Calls a tool and gives the reply's message. */
  readonly call: (name: string, args?: unknown) => Promise<string>
}

export const INITIALIZE =
  '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}'

export const openSession = async (url: string, initialize = INITIALIZE): Promise<RawSession> => {
  const opened = await send(url, initialize, JSON_HEADERS)
  const id = opened.headers['mcp-session-id']
  if (typeof id !== 'string') throw new Error(`no session: HTTP ${opened.status} ${opened.text}`)
  const post = (body: string | Buffer, headers: RawHeaders = {}): Promise<RawReply> =>
    send(url, body, { ...JSON_HEADERS, 'mcp-session-id': id, ...headers })
  await post('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  let last = 0
  const call = async (name: string, args: unknown = {}): Promise<string> => {
    const params = { name, arguments: args }
    return messageIn(
      await post(JSON.stringify({ jsonrpc: '2.0', id: ++last, method: 'tools/call', params })),
    )
  }
  return { id, post, call }
}
