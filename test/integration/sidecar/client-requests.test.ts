// Requests as the many clients write them, each with what reaches the server, byte for byte ($ID for our number), or with the
// answer that it gets instead. What is off in form and is tolerated stands in client-form.test.ts, what a body may hold in
// strictness.test.ts.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  askModern,
  META,
  modern,
  modernCall,
  startPuppet,
  textOf,
  VERSION,
  type Modern,
  type PuppetBridge,
} from '../../support/puppet.ts'
import {
  INITIALIZE,
  JSON_HEADERS,
  openSession,
  send,
  sendRaw,
  type RawHeaders,
  type RawReply,
  type RawSession,
} from '../../support/raw-http.ts'
import { startRaw, type RawBridge } from '../../support/raw-server.ts'

const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
const PONG = '{"jsonrpc":"2.0","id":1,"result":{}}'
/** PING as the server gets it. */
const OURS = '{"jsonrpc":"2.0","id":$ID,"method":"ping"}'

let bridge: RawBridge
let session: RawSession
let known = 0

/** What has reached the session's server since the last time. */
const reached = async (): Promise<readonly string[]> => {
  const all = (await bridge.recorded(session)).toString()
  const fresh = all.slice(known)
  known = all.length
  // The last line is our own question.
  return fresh
    .split('\n')
    .slice(0, -2)
    .map((line) => line.replace(/"(id|progressToken)":("?)\d+/g, '"$1":$2$$ID'))
}

beforeAll(async () => {
  bridge = await startRaw()
  session = await openSession(bridge.url)
  await reached()
})

afterAll(() => bridge.stop())

type Ask = {
  readonly method?: string
  readonly target?: string
  readonly body?: string
  readonly headers?: RawHeaders
}

const ask = ({ method = 'POST', target = '/mcp', body, headers = {} }: Ask): Promise<RawReply> => {
  const { origin } = new URL(bridge.url)
  const bodied = method === 'POST' ? (body ?? PING) : body
  const all = { ...JSON_HEADERS, 'mcp-session-id': session.id, ...headers }
  return send(`${origin}${target}`, bodied, all, { method })
}

type Row = readonly [name: string, ask: Ask]

const SERVED: readonly Row[] = [
  ['a slash behind the path', { target: '/mcp/' }],
  ['a query', { target: '/mcp?api_key=x&tools=a%20b' }],
  ['a slash and a query', { target: '/mcp/?x' }],
  ['the types turned round', { headers: { accept: 'text/event-stream, application/json' } }],
  ['the types in upper case', { headers: { accept: 'Application/JSON, TEXT/Event-Stream' } }],
  ['the types without a space', { headers: { accept: 'application/json,text/event-stream' } }],
  [
    'the types with weights',
    { headers: { accept: 'application/json;q=0.9, text/event-stream;q=0.1, */*;q=0' } },
  ],
  ['the types in two headers', { headers: { accept: ['application/json', 'text/event-stream'] } }],
  ['the types by their ranges', { headers: { accept: 'text/*, application/*' } }],
  ["a browser's Accept", { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } }],
  ['a type in upper case', { headers: { 'content-type': 'APPLICATION/JSON' } }],
  ['a charset', { headers: { 'content-type': 'application/json; charset=utf-8' } }],
  ['a charset in quotes', { headers: { 'content-type': 'application/json;charset="UTF-8"' } }],
  ['a body in chunks', { headers: { 'transfer-encoding': 'chunked' } }],
  ['codings that it accepts', { headers: { 'accept-encoding': 'gzip, deflate, br, zstd' } }],
  ['the revision 2024-11-05', { headers: { 'mcp-protocol-version': '2024-11-05' } }],
  ['the revision 2025-03-26', { headers: { 'mcp-protocol-version': '2025-03-26' } }],
  ['the revision 2025-06-18', { headers: { 'mcp-protocol-version': '2025-06-18' } }],
  ['the revision 2025-11-25', { headers: { 'mcp-protocol-version': '2025-11-25' } }],
  ['a revision of nothing', { headers: { 'mcp-protocol-version': '' } }],
  ['no revision', { headers: { 'mcp-protocol-version': [] } }],
  ['an event of nothing', { headers: { 'last-event-id': '' } }],
  ['an event, which means nothing here', { headers: { 'last-event-id': '7-7' } }],
  ['headers of the newer era', { headers: { 'mcp-method': 'ping', 'mcp-name': 'x' } }],
  ['credentials that nobody asks for', { headers: { authorization: 'Bearer x' } }],
  ['a cookie', { headers: { cookie: 'session=1; mcp-session-id=2' } }],
  ['forwarding headers', { headers: { forwarded: 'for=::1', 'x-forwarded-host': 'evil.example' } }],
  ['a page of our own machine', { headers: { origin: 'http://localhost:6274' } }],
  ['the name of this machine', { headers: { host: 'LOCALHOST:80' } }],
]

describe('a ping is served with', () => {
  test.each(SERVED)('%s', async (_name, asked) => {
    const reply = await ask(asked)
    expect([reply.status, reply.text]).toEqual([200, PONG])
    expect(await reached()).toEqual([OURS])
  })

  const raw = (lines: readonly string[], body: string): string =>
    [
      'POST /mcp HTTP/1.1',
      'Host: localhost',
      'Content-Type: application/json',
      'Connection: close',
      ...lines,
      '',
      body,
    ].join('\r\n')

  test.each([
    ['header names in other cases', ['CONTENT-LENGTH: 40', 'MCP-SESSION-ID: $SESSION'], PING],
    ['white space around a value', ['Content-Length: 40', 'Mcp-Session-Id:\t $SESSION \t'], PING],
    [
      'a chunk for each few bytes, extensions and a trailer',
      ['Transfer-Encoding: chunked', 'Trailer: X', 'Mcp-Session-Id: $SESSION'],
      `5;x=1\r\n${PING.slice(0, 5)}\r\n23;y\r\n${PING.slice(5)}\r\n0\r\nX: 1\r\n\r\n`,
    ],
    [
      'white space around the message',
      ['Content-Length: 48', 'Mcp-Session-Id: $SESSION'],
      `\r\n\t ${PING} \r\n\n`,
    ],
  ])('%s', async (_name, lines, body) => {
    const reply = await sendRaw(bridge.url, raw(lines, body).replace('$SESSION', session.id))
    expect(reply).toMatch(/^HTTP\/1.1 200 /)
    expect(reply).toContain(PONG)
    expect((await reached()).map((line) => line.trim())).toEqual([OURS])
  })

  test('a body that is asked for first', async () => {
    const lines = ['Content-Length: 40', 'Expect: 100-continue', `Mcp-Session-Id: ${session.id}`]
    const reply = await sendRaw(bridge.url, raw(lines, PING))
    expect(reply).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /)
    expect(await reached()).toEqual([OURS])
  })
})

type Through = readonly [name: string, body: string, reaches: readonly string[], status: 200 | 202]

const call = (params: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`
const ours = (params: string): string =>
  `{"jsonrpc":"2.0","id":$ID,"method":"tools/call","params":${params}}`
const note = (method: string, params: string): string =>
  `{"jsonrpc":"2.0","method":"${method}","params":${params}}`

const THROUGH: readonly Through[] = [
  ['a call', call('{"name":"none"}'), [ours('{"name":"none"}')], 200],
  [
    'a call of null',
    call('{"name":"none","arguments":null}'),
    [ours('{"name":"none","arguments":null}')],
    200,
  ],
  ['a call of no name', call('{}'), [ours('{}')], 200],
  [
    'the token of a call',
    call('{"_meta":{"progressToken":"t"},"name":"none"}'),
    [
      '{"jsonrpc":"2.0","id":$ID,"method":"tools/call","params":{"_meta":{"progressToken":"$ID"},"name":"none"}}',
    ],
    200,
  ],
  [
    'a list from a cursor',
    '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":""}}',
    ['{"jsonrpc":"2.0","id":$ID,"method":"tools/list","params":{"cursor":""}}'],
    200,
  ],
  [
    'a method of its own',
    '{"jsonrpc":"2.0","id":1,"method":"x-acme/do.it"}',
    ['{"jsonrpc":"2.0","id":$ID,"method":"x-acme/do.it"}'],
    200,
  ],
  ['a notification', note('notifications/x', '{"a":1}'), [note('notifications/x', '{"a":1}')], 202],
  [
    'changed roots',
    '{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}',
    ['{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}'],
    202,
  ],
  ['a request as a notification', note('tools/list', '{}'), [note('tools/list', '{}')], 202],
  [
    'that it is initialized, again',
    '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    [],
    202,
  ],
  ['a cancellation of nothing', note('notifications/cancelled', '{"requestId":77}'), [], 202],
  ['a cancellation without a request', note('notifications/cancelled', '{}'), [], 202],
  ['an answer that nobody has asked for', '{"jsonrpc":"2.0","id":5,"result":{}}', [], 202],
  [
    'an error for nobody',
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}',
    [],
    202,
  ],
]

describe('what a session may send', () => {
  test.each(THROUGH)('%s', async (_name, body, reaches, status) => {
    const reply = await ask({ body })
    expect(reply.status).toBe(status)
    if (status === 202) expect(reply.text).toBe('')
    expect(await reached()).toEqual(reaches)
  })
})

type Refusal = readonly [name: string, ask: Ask, status: number, code: string]

const REFUSED: readonly Refusal[] = [
  ['a path below', { target: '/mcp/messages' }, 404, 'path-not-found'],
  ['a path in another case', { target: '/MCP' }, 404, 'path-not-found'],
  ['a path with a parameter', { target: '/mcp;v=1' }, 404, 'path-not-found'],
  ['a path in escapes', { target: '/%6dcp' }, 404, 'path-not-found'],
  ['two slashes before the path', { target: '//mcp' }, 404, 'path-not-found'],
  ['two slashes behind the path', { target: '/mcp//' }, 404, 'path-not-found'],
  ['the path of HTTP+SSE', { target: '/sse', method: 'GET' }, 404, 'path-not-found'],
  ['PATCH', { method: 'PATCH', body: PING }, 405, 'method-not-allowed'],
  ['QUERY', { method: 'QUERY', body: PING }, 405, 'method-not-allowed'],
  ['OPTIONS of nobody', { method: 'OPTIONS' }, 405, 'method-not-allowed'],
  [
    'a GET with a body',
    { method: 'GET', body: PING, headers: { 'content-length': '40' } },
    400,
    'invalid-request',
  ],
  [
    'a DELETE with a body',
    { method: 'DELETE', body: '{}', headers: { 'content-length': '2' } },
    400,
    'invalid-request',
  ],
  ['a type like JSON', { headers: { 'content-type': 'application/json-rpc' } }, 415, 'media-type'],
  ['a type of lines', { headers: { 'content-type': 'application/x-ndjson' } }, 415, 'media-type'],
  ['two types', { headers: { 'content-type': 'application/json, text/plain' } }, 415, 'media-type'],
  ['a session in quotes', { headers: { 'mcp-session-id': '"a"' } }, 404, 'session-unknown'],
  ['a session of nothing', { headers: { 'mcp-session-id': '' } }, 404, 'session-unknown'],
  ['two sessions in one header', { headers: { 'mcp-session-id': 'a, b' } }, 404, 'session-unknown'],
  [
    'a revision in quotes',
    { headers: { 'mcp-protocol-version': '"2025-06-18"' } },
    400,
    'unsupported-version',
  ],
  [
    'two revisions in one header',
    { headers: { 'mcp-protocol-version': '2025-06-18, 2025-11-25' } },
    400,
    'unsupported-version',
  ],
  [
    'a revision twice',
    { headers: { 'mcp-protocol-version': ['2025-06-18', '2025-06-18'] } },
    400,
    'invalid-request',
  ],
  ['a page', { headers: { origin: 'https://evil.example' } }, 403, 'origin-refused'],
  ['a page in a sandbox', { headers: { origin: 'null' } }, 403, 'origin-refused'],
  ['a name that leads here', { headers: { host: 'localhost.evil.example' } }, 403, 'host-refused'],
  ['no version of JSON-RPC', { body: '{"id":1,"method":"ping"}' }, 400, 'invalid-request'],
  [
    'a version as a number',
    { body: '{"jsonrpc":2.0,"id":1,"method":"ping"}' },
    400,
    'invalid-request',
  ],
  ['another version', { body: '{"jsonrpc":"1.0","id":1,"method":"ping"}' }, 400, 'invalid-request'],
  ['a method of nothing', { body: '{"jsonrpc":"2.0","id":1,"method":""}' }, 400, 'invalid-request'],
  [
    'a method that is a number',
    { body: '{"jsonrpc":"2.0","id":1,"method":1}' },
    400,
    'invalid-request',
  ],
  [
    'a method with a space',
    { body: '{"jsonrpc":"2.0","id":1,"method":"tools /call"}' },
    400,
    'invalid-request',
  ],
  ['an empty object', { body: '{}' }, 400, 'invalid-request'],
  [
    'a request that is its answer',
    { body: '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}' },
    400,
    'invalid-request',
  ],
  [
    'a result and an error',
    { body: '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}' },
    400,
    'invalid-request',
  ],
  ['a result of nobody', { body: '{"jsonrpc":"2.0","result":{}}' }, 400, 'invalid-request'],
  [
    'empty parameters as a list',
    { body: '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}' },
    400,
    'invalid-request',
  ],
  [
    'parameters as text',
    { body: '{"jsonrpc":"2.0","id":1,"method":"ping","params":"{}"}' },
    400,
    'invalid-request',
  ],
  ['a message as text', { body: JSON.stringify(PING) }, 400, 'parse-error'],
  ['a form', { body: 'jsonrpc=2.0&id=1&method=ping' }, 400, 'parse-error'],
  ['single quotes', { body: PING.replaceAll('"', "'") }, 400, 'parse-error'],
  ['nothing but white space', { body: ' \r\n' }, 400, 'parse-error'],
  ['an event stream', { body: `data: ${PING}\n\n` }, 400, 'parse-error'],
]

describe('is refused, and reaches nobody', () => {
  test.each(REFUSED)('%s', async (_name, asked, status, code) => {
    const reply = await ask(asked)
    expect([reply.status, JSON.parse(reply.text)]).toMatchObject([
      status,
      { error: { data: { code } } },
    ])
    expect(await reached()).toEqual([])
  })

  test('HEAD, without a body', async () => {
    const reply = await ask({ method: 'HEAD' })
    expect([reply.status, reply.text, reply.headers.allow]).toEqual([405, '', 'POST, GET, DELETE'])
  })
})

describe('a session', () => {
  test.each([
    ['which has ended', { 'mcp-session-id': 'ended' }],
    ['of nothing', { 'mcp-session-id': '' }],
  ])('begins anew beside the id of one %s', async (_name, headers) => {
    const opened = await send(bridge.url, INITIALIZE, { ...JSON_HEADERS, ...headers })
    expect(opened.status).toBe(200)
    expect(opened.headers['mcp-session-id']).toMatch(/^[!-~]{32,}$/)
  })

  test('begins anew within another, which goes on', async () => {
    const opened = await ask({ body: INITIALIZE })
    expect(opened.headers['mcp-session-id']).not.toBe(session.id)
    expect((await ask({})).text).toBe(PONG)
    expect(await reached()).toEqual([OURS])
  })

  test('may be used before its client says that it is initialized', async () => {
    const opened = await send(bridge.url, INITIALIZE, JSON_HEADERS)
    const headers = { 'mcp-session-id': String(opened.headers['mcp-session-id']) }
    expect((await ask({ headers })).text).toBe(PONG)
  })

  test.each([
    ['without more', {}],
    ['with a length of zero', { 'content-length': '0' }],
    ['with a type and a revision of nothing', { 'mcp-protocol-version': '' }],
  ])('ends by a DELETE %s, once', async (_name, headers) => {
    const { id } = await openSession(bridge.url)
    const end = { method: 'DELETE', headers: { 'mcp-session-id': id, ...headers } }
    expect((await ask(end)).status).toBe(204)
    const again = await ask(end)
    expect([again.status, again.text]).toEqual([
      404,
      expect.stringContaining('the client ended it'),
    ])
  })
})

describe('a client of the newer era', () => {
  let puppet: PuppetBridge

  beforeAll(async () => {
    puppet = await startPuppet()
  })

  afterAll(() => puppet.stop())

  const echo = modernCall('echo', { text: 'a' })
  const withHeaders = (headers: RawHeaders): Modern => ({
    ...echo,
    headers: { ...echo.headers, ...headers },
  })
  const base64 = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`

  test.each<[string, Modern]>([
    ['its headers', echo],
    [
      'white space around them',
      withHeaders({ 'mcp-name': ' echo\t', 'mcp-method': ' tools/call' }),
    ],
    ['a name in base64', withHeaders({ 'mcp-name': base64('echo') })],
    ['a session, which the era lacks', withHeaders({ 'mcp-session-id': 'x' })],
    ['an event, which the era lacks', withHeaders({ 'last-event-id': '1-1' })],
    ['parameters of nobody', withHeaders({ 'mcp-param-nobody': 'x' })],
    [
      'a client that says who it is',
      modernCall(
        'echo',
        { text: 'a' },
        { 'io.modelcontextprotocol/clientInfo': { name: 'c', version: '1' } },
      ),
    ],
  ])('is served with %s', async (_name, asked) => {
    expect(textOf(await askModern(puppet.url, asked))).toBe('a')
  })

  test.each([
    ['no revision', { 'mcp-protocol-version': [] }],
    ['a revision of nothing', { 'mcp-protocol-version': '' }],
    ['another revision', { 'mcp-protocol-version': '2025-11-25' }],
    ['no method', { 'mcp-method': [] }],
    ['a method of nothing', { 'mcp-method': '' }],
    ['a method in another case', { 'mcp-method': 'Tools/Call' }],
    ['no name', { 'mcp-name': [] }],
    ['another name', { 'mcp-name': 'flood' }],
    ['a name in bad base64', { 'mcp-name': '=?base64?%?=' }],
  ])('is refused with %s', async (_name, headers) => {
    const wrong = modernCall('echo', { text: 'unheard' })
    const reply = await send(puppet.url, wrong.body, { ...wrong.headers, ...headers })
    expect([reply.status, JSON.parse(reply.text)]).toMatchObject([
      400,
      { id: 1, error: { code: -32_020 } },
    ])
    const seen = textOf(await askModern(puppet.url, modernCall('seen')))
    expect(seen).toContain('"seen"')
    expect(seen).not.toContain('unheard')
  })

  test('of a revision that the server lacks hears which it has', async () => {
    const later = '2031-01-01'
    const { body, headers } = modern('ping', { _meta: META })
    const reply = await send(puppet.url, body.replace(VERSION, later), {
      ...headers,
      'mcp-protocol-version': later,
    })
    expect(JSON.parse(reply.text)).toMatchObject({
      error: { code: -32_022, data: { supported: [VERSION], requested: later } },
    })
  })
})
