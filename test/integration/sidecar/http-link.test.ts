// A link to an HTTP server that takes requests and answers none: what waits for it is bounded, and goes with the link.

import { aBudget } from '../../support/budgets.ts'
import type { Budget } from '../../../sidecar/bytes/budget.ts'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Fault } from '../../../sidecar/mcp/faults.ts'
import { HttpLink } from '../../../sidecar/server/http-link.ts'
import { NO_HEADERS } from '../../../sidecar/server/link.ts'
import { Loopback } from '../../../sidecar/server/loopback.ts'
import { until } from '../../support/waiting.ts'
import { listening } from '../../support/listening.ts'

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
let budget: Budget
let link: HttpLink
let heard: string[]
/** How the server answers a message; undefined: it does not. */
let answer: ((response: ServerResponse) => void) | undefined
/** The same for the listening stream. */
let listened: ((request: IncomingMessage, response: ServerResponse) => void) | undefined
let seen: string[]
let failures: number

beforeEach(async () => {
  answer = undefined
  listened = undefined
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
    if (request.method === 'POST') answer?.(response)
    if (request.method === 'GET') listened?.(request, response)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  loopback = new Loopback({ port: await listening(server), maxSockets: SOCKETS })
  budget = aBudget()
  heard = []
  link = linkThatWaits(60_000)
})

const linkThatWaits = (acceptTimeoutMs: number): HttpLink => {
  const link = new HttpLink({
    loopback,
    forwards: false,
    path: '/mcp',
    budget,
    endTimeoutMs: 50,
    acceptTimeoutMs,
    onClose: () => undefined,
  })
  link.owner = {
    underway: [],
    message: ({ text }) => void heard.push(text),
    failed: () => failures++,
    ended: () => undefined,
    odd: () => undefined,
  }
  return link
}

const accept = (response: ServerResponse): void =>
  void response.writeHead(202, { 'mcp-session-id': 's' }).end()

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

test('subscriptions take the place of no call, and are as many at most', async () => {
  const listen = (id: number) => link.send(REQUEST, { ...NO_HEADERS, id, isLasting: true })
  const listened = [...Array(MAX_OPEN + 1).keys()].map(listen)
  expect(listened.slice(0, MAX_OPEN)).toEqual(Array(MAX_OPEN).fill(undefined))
  expect(listened[MAX_OPEN]).toMatchObject({ code: 'too-many-requests' })
  await until(() => open.size === MAX_OPEN, 'the server has all of them')
  answer = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  expect(link.send(REQUEST, { ...NO_HEADERS, id: 1000 })).toBeUndefined()
  await until(() => failures === 1, 'a call has reached the server beside them')
  link.abandon(0)
  expect(listen(1001)).toBeUndefined()
  link.close()
  await until(() => open.size === 0, 'nothing of the link is left')
})

test('a session that begins behind a modern question is ended as well', async () => {
  link.send(REQUEST, { headers: () => ({ 'mcp-method': 'server/discover' }), id: 1 })
  await until(() => seen.length > 0, 'it has been asked')
  answer = accept
  link.send(REQUEST, { ...NO_HEADERS, id: 2 })
  await until(() => seen.length > 1 && open.size === 1, 'it has been answered')
  await until(() => failures === 1, 'the answer has been read')
  link.close()
  await until(() => seen.includes('DELETE'), 'its end is told')
})

test('a DELETE that the server does not answer is given up', async () => {
  answer = accept
  link.send(NOTE, NO_HEADERS)
  await until(() => seen.includes('GET'), 'it has a session, and listens')
  link.close()
  await until(() => seen.includes('DELETE'), 'its end is told')
  await until(() => open.size === 0, 'its connection is closed')
})

const STREAM = { 'content-type': 'text/event-stream' }

test.each<[string, refuse: (response: ServerResponse) => void]>([
  ['refuses it for now', (response) => response.writeHead(503).end('later')],
  ['still has the one before', (response) => response.writeHead(409).end()],
  ['breaks it off', (response) => response.destroy()],
])('a server that %s is asked for its stream again', async (_name, refuse) => {
  listened = (_request, response) => {
    if (seen.filter((method) => method === 'GET').length === 1) refuse(response)
    else response.writeHead(200, STREAM).write(`data: ${NOTE}\n\n`)
  }
  answer = accept
  link.send(NOTE, NO_HEADERS)
  await until(() => heard.length > 0, 'what it says is heard')
  expect(heard).toEqual([NOTE])
  link.close()
})

test('a server that does not know the last event any more is asked for what comes', async () => {
  const asked: unknown[] = []
  listened = ({ headers }, response) => {
    const last = headers['last-event-id']
    asked.push(last)
    if (last !== undefined) response.writeHead(400).end()
    else if (asked.length === 1) response.writeHead(200, STREAM).end('retry: 50\nid: 7\ndata\n\n')
    else response.writeHead(200, STREAM).write(`data: ${NOTE}\n\n`)
  }
  answer = accept
  link.send(NOTE, NO_HEADERS)
  await until(() => heard.length > 0, 'what it says is heard')
  expect(asked).toEqual([undefined, '7', undefined])
  link.close()
})

test.each<[string, refuse: (response: ServerResponse) => void]>([
  ['has none', (response) => response.writeHead(405).end()],
  [
    'answers with a page',
    (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
  ],
])('a server that %s is not asked again', async (_name, refuse) => {
  listened = (_request, response) => refuse(response)
  answer = accept
  link.send(NOTE, NO_HEADERS)
  await until(() => seen.includes('GET') && open.size === 0, 'it has refused')
  // Longer than the first pause.
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect(seen.filter((method) => method === 'GET')).toHaveLength(1)
  link.close()
})

test('the stream of an answer that has come is closed, whether the server ends it or not', async () => {
  answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n')
  }
  link.send(REQUEST, { ...NO_HEADERS, id: 1 })
  await until(() => heard.length > 0, 'it has been answered')
  expect(open.size).toBe(1)
  await until(() => open.size === 0, 'its connection is closed')
  expect(failures).toBe(0)
})

test('such a stream goes with the link', async () => {
  answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n')
  }
  link.send(REQUEST, { ...NO_HEADERS, id: 1 })
  await until(() => heard.length > 0, 'it has been answered')
  link.close()
  await until(() => open.size === 0, 'its connection is closed')
})

test.each<[string, typeof answer]>([
  ['has no answer', undefined],
  ['is answered without end', (response) => response.writeHead(202).write('Acc')],
])('a notification that %s takes a connection for a while only', async (_name, answerIt) => {
  answer = answerIt
  link = linkThatWaits(200)
  link.send(NOTE, NO_HEADERS)
  await until(() => seen.length > 0, 'the server has it')
  await until(() => open.size === 0, 'its connection is closed')
  expect(failures).toBe(0)
})

test('what waits for the server is counted, however small, and let go with the link', async () => {
  const small = `{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"${'x'.repeat(60_000)}"}}`
  for (let id = 1; id <= 64; id++) link.send(small, { ...NO_HEADERS, id })
  await until(() => open.size === SOCKETS, 'the server has all that it gets at once')
  const waiting = 64 - SOCKETS
  expect(budget.of('inputs')).toBeGreaterThanOrEqual(waiting * small.length)
  link.close()
  await until(() => budget.of('inputs') === 0, 'nothing is held')
})
