// A link to a server of HTTP+SSE that does as it likes: where it takes messages, how it takes them, how it goes.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Budget } from '../../../sidecar/bytes/budget.ts'
import { slice } from '../../../sidecar/mcp/message.ts'
import type { LinkEnd } from '../../../sidecar/server/link.ts'
import { NO_HEADERS } from '../../../sidecar/server/link.ts'
import { Loopback } from '../../../sidecar/server/loopback.ts'
import { SseLink } from '../../../sidecar/server/sse-link.ts'
import { aBudget } from '../../support/budgets.ts'
import { until } from '../../support/waiting.ts'
import { listening } from '../../support/listening.ts'

const MAX_OPEN = 256
const NOTE = '{"jsonrpc":"2.0","method":"notifications/x"}'
const request = (id: number): string => `{"jsonrpc":"2.0","id":${id},"method":"x"}`

/** A request to the server that has been read, and how to answer it. */
interface Taken {
  readonly line: string
  readonly body: string
  readonly response: ServerResponse
}

let server: Server
let loopback: Loopback
let port: number
let link: SseLink
let taken: Taken[]
let heard: string[]
let failures: string[]
let ends: LinkEnd[]
let closes: number
let budget: Budget

const bodyOf = async (message: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const chunk of message) text += String(chunk)
  return text
}

beforeEach(async () => {
  const seen: Taken[] = []
  taken = seen
  server = createServer((message, response) => {
    void bodyOf(message).then((body) =>
      seen.push({ line: `${message.method} ${message.url}`, body, response }),
    )
  })
  port = await listening(server)
  loopback = new Loopback({ port })
  heard = []
  failures = []
  ends = []
  closes = 0
  budget = aBudget()
  link = new SseLink({
    loopback,
    forwards: false,
    path: '/sse',
    budget,
    openTimeoutMs: 60_000,
    acceptTimeoutMs: 60_000,
    onClose: () => closes++,
  })
  link.owner = {
    underway: [],
    message: (message) => {
      heard.push(message.text)
      // As a channel does.
      if (message.kind === 'response' && message.id)
        link.abandon(Number(slice(message.text, message.id)))
    },
    odd: ({ messages }) => void heard.push(...messages.map(({ text }) => text)),
    failed: (id, why) => void failures.push(`${id}: ${why}`),
    ended: (end) => void ends.push(end),
  }
})

afterEach(() => {
  link.close()
  loopback.close()
  server.closeAllConnections()
  server.close()
})

/** Whether it is on its way. */
const sendRequest = (id: number): boolean =>
  link.send(request(id), { ...NO_HEADERS, id }) === undefined

/** The next request that the server gets. */
const next = (line: string): Promise<Taken> =>
  until(() => {
    const index = taken.findIndex((one) => one.line === line)
    return index !== -1 && taken.splice(index, 1)[0]
  }, `the server gets ${line}`)

const EVENTS = { 'content-type': 'text/event-stream' }

/** The event stream, begun, with this endpoint. */
const open = async (endpoint: string): Promise<ServerResponse> => {
  const { response } = await next('GET /sse')
  response.writeHead(200, EVENTS)
  response.write(`event: endpoint\ndata: ${endpoint}\n\n`)
  return response
}

const ended = (): Promise<LinkEnd> => until(() => ends[0], 'the link has ended')

test('messages wait for the endpoint; answers come on the stream, whatever a POST is answered', async () => {
  sendRequest(1)
  const stream = await open('/message?sessionId=7')
  const { body, response } = await next('POST /message?sessionId=7')
  expect(body).toBe(request(1))
  stream.write('data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n')
  await until(() => heard.length > 0, 'the answer has come')
  response.writeHead(202).end('Accepted')
  stream.write(': ping\n\nevent: other\ndata: {"jsonrpc":"2.0","method":"a"}\n\n')
  stream.write('event: message\ndata: {"jsonrpc":"2.0","method":"b"}\n\n')
  await until(() => heard.length > 1, 'a notification has come')
  expect(heard).toEqual(['{"jsonrpc":"2.0","id":1,"result":{}}', '{"jsonrpc":"2.0","method":"b"}'])
  expect(ends).toEqual([])
})

test('nothing overtakes a notification that has not been accepted', async () => {
  sendRequest(1)
  await open('/message')
  await next('POST /message')
  link.send(NOTE, NO_HEADERS)
  link.send(NOTE, NO_HEADERS)
  sendRequest(2)
  const first = await next('POST /message')
  expect([first.body, taken.length]).toEqual([NOTE, 0])
  first.response.writeHead(202).end()
  const second = await next('POST /message')
  expect([second.body, taken.length]).toEqual([NOTE, 0])
  second.response.writeHead(202).end()
  expect((await next('POST /message')).body).toBe(request(2))
})

test('what waits is bounded, and goes with the link', async () => {
  const sent = [...Array(MAX_OPEN + 1).keys()].map((count) => sendRequest(count + 1))
  expect(sent).toEqual([...Array<boolean>(MAX_OPEN).fill(true), false])
  link.close()
  expect(ends).toEqual([{ message: 'the session with the server was closed' }])
  expect(closes).toBe(1)
})

test('a server that never answers a POST is served on: what it has answered, or nobody waits for, makes room', async () => {
  sendRequest(1)
  const stream = await open('/message')
  for (let id = 1; id <= 2 * MAX_OPEN; id++) {
    await next('POST /message')
    if (id % 2 === 0) link.abandon(id)
    else {
      stream.write(`data: {"jsonrpc":"2.0","id":${id},"result":{}}\n\n`)
      await until(() => heard.length > (id - 1) / 2, 'the answer has come')
    }
    expect(sendRequest(id + 1)).toBe(true)
  }
  expect(failures).toEqual([])
})

test('a server that never ends its answer to a POST is served on', async () => {
  sendRequest(1)
  await open('/message')
  const { response } = await next('POST /message')
  response.writeHead(202).write('Acc')
  await once(response, 'close')
  expect([failures, ends]).toEqual([[], []])
})

test('what waits for the endpoint is counted, however small, and let go with the link', () => {
  for (let id = 1; id <= 10; id++) sendRequest(id)
  expect(budget.of('inputs')).toBeGreaterThan(10 * request(1).length)
  link.close()
  expect(budget.of('inputs')).toBe(0)
})

test('what nobody waits for before the endpoint is known is never sent', async () => {
  sendRequest(1)
  sendRequest(2)
  link.abandon(1)
  await open('/message')
  expect((await next('POST /message')).body).toBe(request(2))
  expect(taken).toEqual([])
})

test('a POST that is refused is the failure of its request alone', async () => {
  sendRequest(1)
  await open('/message')
  const { response } = await next('POST /message')
  const said = '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no such method"}}'
  response.writeHead(400, { 'content-type': 'application/json' }).end(said)
  await until(() => failures.length > 0, 'it has failed')
  expect(failures).toEqual(['1: the server answered HTTP 400 and said: no such method'])
  expect(ends).toEqual([])
})

describe('the link ends', () => {
  test.each<[string, string]>([
    ['another host', 'http://example.com/message'],
    ['another port', 'http://localhost:1/message'],
    ['another scheme', 'file:///etc/passwd'],
    ['an address without end', `/${'x'.repeat(5000)}`],
  ])('where the endpoint is at %s, and nothing is sent there', async (_name, endpoint) => {
    sendRequest(1)
    await open(endpoint)
    const { code, message } = await ended()
    expect(code).toBe('server-failed')
    expect(message).toContain(JSON.stringify(endpoint.slice(0, 200)))
    expect(taken).toEqual([])
  })

  test.each<[string, (response: ServerResponse) => void, string]>([
    ['there is no stream', (response) => response.writeHead(404).end(), 'HTTP 404'],
    [
      'there is a page',
      (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      'no event stream at /sse',
    ],
    [
      'the stream ends before the endpoint',
      (response) => response.writeHead(200, EVENTS).end(': hi\n\n'),
      'has ended its event stream',
    ],
    [
      'an event never ends',
      (response) => response.writeHead(200, EVENTS).end(`data: ${'x'.repeat(17 * 1024 * 1024)}`),
      'longer than 16777216 bytes',
    ],
  ])('where %s', async (_name, answer, said) => {
    sendRequest(1)
    answer((await next('GET /sse')).response)
    expect((await ended()).message).toContain(said)
  })

  test('and what has come behind its end in one piece is not heard', async () => {
    sendRequest(1)
    await open('http://example.com/message\n\ndata: {"jsonrpc":"2.0","method":"a"}')
    await ended()
    expect(heard).toEqual([])
  })

  test('with its stream, and sends nothing any more', async () => {
    sendRequest(1)
    const stream = await open('/message')
    await next('POST /message')
    stream.end()
    expect((await ended()).message).toContain('has ended its event stream')
    expect(sendRequest(2)).toBe(true)
    expect([ends.length, closes]).toEqual([1, 1])
  })

  test('where the server does not know the session any more', async () => {
    sendRequest(1)
    await open('/message')
    const { response } = await next('POST /message')
    response.writeHead(404).end()
    expect((await ended()).message).toContain('has ended its session')
  })
})

describe('a server that is silent', () => {
  const impatient = (openTimeoutMs: number, acceptTimeoutMs: number): SseLink => {
    const { owner } = link
    const times = { openTimeoutMs, acceptTimeoutMs }
    link = new SseLink({
      loopback,
      forwards: false,
      path: '/sse',
      budget,
      ...times,
      onClose: () => closes++,
    })
    link.owner = owner
    return link
  }

  test('about its endpoint is given up', async () => {
    impatient(20, 60_000)
    sendRequest(1)
    expect((await ended()).message).toContain('did not say within 20 ms where it takes messages')
  })

  test('about a notification holds up the rest for a while only', async () => {
    impatient(60_000, 20)
    link.send(NOTE, NO_HEADERS)
    sendRequest(1)
    await open('/message')
    expect((await next('POST /message')).body).toBe(NOTE)
    expect((await next('POST /message')).body).toBe(request(1))
  })
})
