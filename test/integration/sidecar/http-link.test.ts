// A link to an HTTP server that takes requests and answers none: what waits for it is bounded, and goes with the link.

import { aBudget } from '../../support/budgets.ts'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Fault } from '../../../sidecar/mcp/faults.ts'
import { HttpLink } from '../../../sidecar/server/http-link.ts'
import { NO_HEADERS } from '../../../sidecar/server/link.ts'
import { Loopback } from '../../../sidecar/server/loopback.ts'
import { until } from '../../support/waiting.ts'

const MAX_OPEN = 256
/** Further requests wait their turn. */
const SOCKETS = 8
const NOTE = '{"jsonrpc":"2.0","method":"notifications/x"}'
const REQUEST = '{"jsonrpc":"2.0","id":1,"method":"x"}'

let server: Server
let sockets: Set<Socket>
/** Requests that the server has and their client has not left. */
let open: Set<ServerResponse>
let loopback: Loopback
let link: HttpLink
let answers: boolean
let seen: string[]
let failures: number

beforeEach(async () => {
  answers = false
  const noted: string[] = []
  seen = noted
  failures = 0
  sockets = new Set()
  open = new Set()
  server = createServer((request, response) => {
    noted.push(String(request.method))
    open.add(response)
    response.on('close', () => open.delete(response))
    request.resume()
    if (request.method !== 'POST' || !answers) return
    response.writeHead(202, { 'mcp-session-id': 's' }).end()
  }).listen(0, '127.0.0.1')
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  loopback = new Loopback({ port, maxSockets: SOCKETS })
  link = new HttpLink({
    loopback,
    forwards: false,
    path: '/mcp',
    budget: aBudget(),
    endTimeoutMs: 50,
    onClose: () => undefined,
  })
  link.owner = {
    message: () => undefined,
    failed: () => failures++,
    ended: () => undefined,
    odd: () => undefined,
  }
})

afterEach(() => {
  loopback.close()
  server.closeAllConnections()
  server.close()
})

test.each<[string, send: (count: number) => Fault | undefined]>([
  ['requests', (count) => link.send(REQUEST, { ...NO_HEADERS, id: count + 1 })],
  ['notifications', () => link.send(NOTE, NO_HEADERS)],
  [
    'both',
    (count) =>
      count % 2 === 0
        ? link.send(REQUEST, { ...NO_HEADERS, id: count + 1 })
        : link.send(NOTE, NO_HEADERS),
  ],
])('%s', async (_name, send) => {
  const sent = [...Array(MAX_OPEN + 1).keys()].map(send)
  expect(sent.slice(0, MAX_OPEN)).toEqual(Array(MAX_OPEN).fill(undefined))
  expect(sent[MAX_OPEN]).toMatchObject({ code: 'server-not-reading' })
  await until(() => open.size === SOCKETS, 'the server has all that it gets at once')
  expect(sockets.size).toBe(SOCKETS)
  link.close()
  await until(() => open.size === 0, 'nothing of the link is left')
  expect(seen.length).toBe(SOCKETS)
})

test('a session that begins behind a modern question is ended as well', async () => {
  link.send(REQUEST, { headers: () => ({ 'mcp-method': 'server/discover' }), id: 1 })
  await until(() => seen.length > 0, 'it has been asked')
  answers = true
  link.send(REQUEST, { ...NO_HEADERS, id: 2 })
  await until(() => seen.length > 1 && open.size === 1, 'it has been answered')
  await until(() => failures === 1, 'the answer has been read')
  link.close()
  await until(() => seen.includes('DELETE'), 'its end is told')
})

test('a DELETE that the server does not answer is given up', async () => {
  answers = true
  link.send(NOTE, NO_HEADERS)
  await until(() => seen.includes('GET'), 'it has a session, and listens')
  link.close()
  await until(() => seen.includes('DELETE'), 'its end is told')
  await until(() => open.size === 0, 'its connection is closed')
})
