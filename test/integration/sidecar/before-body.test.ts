// What is refused by its head is answered before its body comes, and what still comes of the body is bounded.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openSession, type RawSession } from '../../support/raw-http.ts'
import { startRaw, type RawBridge } from '../../support/raw-server.ts'

const MIB = 1024 * 1024
const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'

let bridge: RawBridge
let session: RawSession

beforeAll(async () => {
  bridge = await startRaw()
  session = await openSession(bridge.url)
})

afterAll(() => bridge.stop())

type Client = {
  readonly socket: Socket
  /** What has come, once it holds this. */
  readonly until: (part: string) => Promise<string>
  readonly closed: Promise<void>
}

const client = (): Client => {
  const { hostname, port } = new URL(bridge.url)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  // Who is cut off while it writes hears a reset.
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  const until = async (part: string): Promise<string> => {
    while (!text.includes(part)) await once(socket, 'data')
    return text
  }
  return { socket, until, closed }
}

const head = (lines: Readonly<Record<string, string>>): string => {
  const all = {
    Host: 'localhost',
    Accept: 'application/json, text/event-stream',
    'Content-Type': 'application/json',
    'Mcp-Session-Id': session.id,
    ...lines,
  }
  const text = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST /mcp HTTP/1.1\r\n${text.join('')}\r\n`
}

const length = (bytes: number): Readonly<Record<string, string>> => ({
  'Content-Length': `${bytes}`,
})

describe('answered before the body has come', () => {
  test.each([
    ['another content type', { 'Content-Type': 'text/plain', ...length(4 * MIB) }, '415'],
    ['another host', { Host: 'evil.example', ...length(4 * MIB) }, '403'],
    ['a length over the bound', length(6 * MIB), '413'],
  ])('%s', async (_name, lines, status) => {
    const { socket, until } = client()
    socket.write(head(lines))
    expect(await until('"error"')).toContain(`HTTP/1.1 ${status} `)
    socket.destroy()
  })

  test('the body may follow, and the connection serves the next request', async () => {
    const { socket, until } = client()
    socket.write(head({ 'Content-Type': 'text/plain', ...length(4 * MIB) }))
    await until('"error"')
    socket.write(Buffer.alloc(4 * MIB, 'x'))
    socket.write(head(length(PING.length)) + PING)
    expect(await until('"result"')).toContain('"id":1,"result":{}')
    socket.destroy()
  })

  test('a body without end is cut', async () => {
    const { socket, until, closed } = client()
    socket.write(head({ 'Content-Type': 'text/plain', 'Transfer-Encoding': 'chunked' }))
    await until('"error"')
    const piece = Buffer.alloc(MIB, 'x')
    const more = (): void => {
      if (socket.destroyed) return
      socket.write(`${piece.length.toString(16)}\r\n`)
      socket.write(piece)
      socket.write('\r\n', more)
    }
    more()
    await closed
    expect(socket.bytesWritten).toBeGreaterThan(32 * MIB)
  })
})

describe('Expect: 100-continue', () => {
  test('who may send is told so', async () => {
    const { socket, until } = client()
    socket.write(head({ Expect: '100-continue', ...length(PING.length) }))
    expect(await until('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    socket.write(PING)
    expect(await until('"result"')).toContain('"id":1,"result":{}')
    socket.destroy()
  })

  test('who may not hears why, and the connection ends: it might send the body or not', async () => {
    const { socket, until, closed } = client()
    socket.write(head({ Expect: '100-continue', 'Content-Type': 'text/plain', ...length(4) }))
    const answer = await until('"error"')
    expect(answer).toMatch(/^HTTP\/1.1 415 /)
    expect(answer).toContain('connection: close')
    await closed
  })
})
