// What clients send that is off in form and has one meaning only: it is understood, and what reaches the server, be it over
// pipes or over HTTP, is written here byte for byte ($ID for our number). Beside each kind stands what is refused.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openStream } from '../../support/event-stream.ts'
import { startSidecarProgram, type Sidecar } from '../../support/pod.ts'
import {
  modern,
  modernCall,
  openLegacy,
  startPuppet,
  textOf,
  toolCall,
  VERSION,
  type PuppetBridge,
} from '../../support/puppet.ts'
import {
  INITIALIZE,
  JSON_HEADERS,
  messageIn,
  openSession,
  send,
  sendRaw,
  type RawHeaders,
  type RawReply,
  type RawSession,
} from '../../support/raw-http.ts'
import { startRaw, type RawBridge } from '../../support/raw-server.ts'
import { startRecordingServer, type RecordingServer } from '../../support/recording-server.ts'

const MARK = '\ufeff'

const META = `"io.modelcontextprotocol/protocolVersion":"${VERSION}","io.modelcontextprotocol/clientCapabilities":{}`
const DISCOVER = `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{${META}}}}`
const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
const PONG = '{"jsonrpc":"2.0","id":1,"result":{}}'
/** PING as the server gets it. */
const OURS = '{"jsonrpc":"2.0","id":$ID,"method":"ping"}'

type Row = {
  readonly name: string
  readonly body?: string | Buffer
  readonly headers?: RawHeaders
  /** The bodies or lines that reach the server. */
  readonly reaches: readonly string[]
  /** The reply: status and body. */
  readonly reply: readonly [status: number, body: string | RegExp]
}

const passes = (name: string, headers: RawHeaders): Row => ({
  name,
  headers,
  reaches: [OURS],
  reply: [200, PONG],
})
const refused = (
  name: string,
  status: number,
  code: string,
  more: Partial<Pick<Row, 'body' | 'headers'>>,
): Row => ({ name, ...more, reaches: [], reply: [status, new RegExp(`"code":"${code}"`)] })
const put = (name: string, body: string, reaches: string): Row => ({
  name,
  body,
  reaches: [reaches],
  reply: [200, PONG],
})

const ROWS: readonly Row[] = [
  put('a byte order mark before the body', MARK + PING, OURS),
  put(
    'a byte order mark and white space',
    `${MARK} \r\n${PING}\r\n`,
    '   {"jsonrpc":"2.0","id":$ID,"method":"ping"}  ',
  ),
  refused('two byte order marks', 400, 'parse-error', { body: MARK + MARK + PING }),
  refused('the byte order mark of UTF-16', 400, 'parse-error', {
    body: Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(PING, 'utf16le')]),
  }),
  refused('a byte order mark within the text', 400, 'parse-error', { body: `{${MARK}}` }),
  put('parameters that are null', '{"jsonrpc":"2.0","id":1,"method":"ping","params":null}', OURS),
  put(
    'the same at the beginning, with white space',
    '{ "params" : null , "jsonrpc":"2.0","id":1,"method":"ping" }',
    '{ "jsonrpc":"2.0","id":$ID,"method":"ping"}',
  ),
  put(
    'result and error that are null beside a method',
    '{"jsonrpc":"2.0","result":null,"error":null,"id":1,"method":"ping"}',
    OURS,
  ),
  put(
    '_meta that is null',
    '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":null,"x":[null]}}',
    '{"jsonrpc":"2.0","id":$ID,"method":"ping","params":{"x":[null]}}',
  ),
  put(
    'a progress token that is null',
    '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":null}}}',
    '{"jsonrpc":"2.0","id":$ID,"method":"ping","params":{"_meta":{}}}',
  ),
  put(
    'trace context that is null',
    '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"traceparent":null,"own":null}}}',
    '{"jsonrpc":"2.0","id":$ID,"method":"ping","params":{"_meta":{"own":null}}}',
  ),
  put(
    "a null of the method's own, which is its server's to read",
    '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"cursor":null,"arguments":null}}',
    '{"jsonrpc":"2.0","id":$ID,"method":"ping","params":{"cursor":null,"arguments":null}}',
  ),
  {
    name: 'a notification with an id that is null',
    body: '{"jsonrpc":"2.0","id":null,"method":"notifications/x","params":null}',
    reaches: ['{"jsonrpc":"2.0","method":"notifications/x"}'],
    reply: [202, ''],
  },
  refused('an id that is null where an answer is wanted', 400, 'invalid-request', {
    body: '{"jsonrpc":"2.0","id":null,"method":"ping"}',
  }),
  refused('parameters that are null, twice', 400, 'parse-error', {
    body: '{"jsonrpc":"2.0","id":1,"method":"ping","params":null,"params":{}}',
  }),
  refused('a version that is null', 400, 'invalid-request', {
    body: '{"jsonrpc":null,"id":1,"method":"ping"}',
  }),
  refused('parameters that are false', 400, 'invalid-request', {
    body: '{"jsonrpc":"2.0","id":1,"method":"ping","params":false}',
  }),

  passes('no Accept', { accept: [] }),
  passes('an Accept of nothing', { accept: '' }),
  passes('an Accept of anything', { accept: '*/*' }),
  passes('an Accept of JSON alone', { accept: 'application/json' }),
  passes('an Accept that excludes event streams', {
    accept: 'application/json, text/event-stream;q=0',
  }),
  {
    name: 'an Accept of event streams alone',
    headers: { accept: 'text/event-stream' },
    reaches: [OURS],
    reply: [200, `data: ${PONG}\n\n`],
  },
  refused('an Accept of neither', 406, 'not-acceptable', { headers: { accept: 'text/html' } }),

  passes('a charset by its other name', { 'content-type': 'application/json; charset=utf8' }),
  passes('a charset that is part of UTF-8', {
    'content-type': 'application/json;charset=US-ASCII',
  }),
  passes('a semicolon too many', { 'content-type': 'application/json;' }),
  passes('a parameter that nobody knows', {
    'content-type': 'application/json; odata=verbose; charset=utf-8',
  }),
  passes('a coding that is none', { 'content-encoding': 'identity' }),
  refused('another charset', 415, 'media-type', {
    headers: { 'content-type': 'application/json; charset=latin1' },
  }),
  refused('two charsets', 415, 'media-type', {
    headers: { 'content-type': 'application/json; charset=utf-8; charset=utf-16' },
  }),
  refused('a type that browsers send without asking', 415, 'media-type', {
    headers: { 'content-type': 'text/plain' },
  }),
  refused('no type', 415, 'media-type', { headers: { 'content-type': [] } }),

  passes('a version of nothing', { 'mcp-protocol-version': '' }),
  passes('an event of nothing', { 'last-event-id': '' }),
  refused('a version that the session does not have', 400, 'unsupported-version', {
    headers: { 'mcp-protocol-version': '2024-10-07' },
  }),
]

/** A legacy-only server tells every modern client to fall back, whatever else is wrong with what it sent. */
const FALLS_BACK: readonly (readonly [name: string, body: string, headers: RawHeaders])[] = [
  [
    'with every header',
    DISCOVER,
    { 'mcp-protocol-version': VERSION, 'mcp-method': 'server/discover' },
  ],
  ['without headers', DISCOVER, {}],
  ['without the method header', DISCOVER, { 'mcp-protocol-version': VERSION }],
  ['with a header that denies it', DISCOVER, { 'mcp-protocol-version': '2025-11-25' }],
  [
    'without an envelope',
    '{"jsonrpc":"2.0","id":1,"method":"server/discover"}',
    { 'mcp-protocol-version': VERSION },
  ],
  [
    'without capabilities',
    `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"${VERSION}"}}}`,
    {},
  ],
  ['of a version to come', DISCOVER.replace(VERSION, '2031-01-01'), {}],
]

type Upstream = {
  readonly url: string
  /** What has reached the server since it was asked last. */
  readonly news: (session: RawSession) => Promise<readonly string[]>
  readonly stop: () => Promise<void>
}

const overPipes = async (): Promise<Upstream> => {
  const bridge: RawBridge = await startRaw()
  const known = new Map<string, number>()
  return {
    url: bridge.url,
    news: async (session) => {
      const all = (await bridge.recorded(session)).toString()
      const fresh = all.slice(known.get(session.id) ?? 0)
      known.set(session.id, all.length)
      // The last line is our own question.
      return fresh.split('\n').slice(0, -2)
    },
    stop: () => bridge.stop(),
  }
}

const overHttp = async (): Promise<Upstream> => {
  const server: RecordingServer = await startRecordingServer()
  const settings = { transport: 'http', port: `${server.port}`, path: '/mcp' }
  const sidecar: Sidecar = await startSidecarProgram({ settings })
  await sidecar.admin.ready()
  return {
    url: sidecar.url,
    // A notification may still be on its way: it is followed by a call on the same way.
    news: async (session) => {
      await session.post('{"jsonrpc":"2.0","id":"last","method":"ping"}')
      return server.news().map(String).slice(0, -1)
    },
    stop: async () => {
      process.kill(sidecar.pid, 'SIGKILL')
      await sidecar.stop()
      server.close()
    },
  }
}

describe.each([
  ['pipes', overPipes],
  ['HTTP', overHttp],
])('a server over %s', (_kind, start) => {
  let upstream: Upstream
  let session: RawSession

  beforeAll(async () => {
    upstream = await start()
    session = await openSession(upstream.url)
    await upstream.news(session)
  })

  afterAll(() => upstream.stop())

  const reached = async (): Promise<readonly string[]> =>
    (await upstream.news(session)).map((text) => text.replace(/"id":\d+/, '"id":$ID'))

  test.each(ROWS)('$name', async ({ body = PING, headers = {}, reaches, reply }) => {
    const got = await session.post(body, headers)
    expect([got.status, got.text]).toEqual([
      reply[0],
      typeof reply[1] === 'string' ? reply[1] : expect.stringMatching(reply[1]),
    ])
    expect(await reached()).toEqual(reaches)
  })

  test.each(FALLS_BACK)('a modern request falls back: %s', async (_name, body, headers) => {
    const reply = await send(upstream.url, body, { ...JSON_HEADERS, ...headers })
    expect(reply.status).toBe(400)
    expect(JSON.parse(reply.text)).toMatchObject({
      id: 1,
      error: { code: -32_601, data: { code: 'era-not-served' } },
    })
    expect(await reached()).toEqual([])
  })

  test.each([
    ['that nobody knows', '1.0'],
    ['of the modern era', VERSION],
    ['that is empty', ''],
  ])('initialize with a version header %s is negotiated by its body', async (_name, version) => {
    const opened = await send(upstream.url, INITIALIZE, {
      ...JSON_HEADERS,
      'mcp-protocol-version': version,
    })
    expect(opened.status).toBe(200)
    expect(opened.text).toContain('"protocolVersion":"2025-06-18"')
    expect(typeof opened.headers['mcp-session-id']).toBe('string')
  })

  test.each([
    ['of before all revisions that we know', '2024-10-07'],
    ['of a draft', 'DRAFT-2026-v1'],
    ['that looks like the modern era', '2031-01-01'],
  ])("a version %s is accepted where the session's own server has it", async (_name, version) => {
    const own = await openSession(upstream.url, INITIALIZE.replace('2025-06-18', version))
    const named = { 'mcp-protocol-version': version }
    expect((await own.post(PING, named)).text).toBe(PONG)
    const note = await own.post('{"jsonrpc":"2.0","method":"notifications/x"}', named)
    expect(note.status).toBe(202)
    // Another session's server has not said so.
    expect((await session.post(PING, named)).status).toBe(400)
  })
})

describe('HTTP', () => {
  let bridge: PuppetBridge
  let session: string

  beforeAll(async () => {
    bridge = await startPuppet('--allowed-host', 'tools.example', '--allowed-host', '::2')
    session = (await openLegacy(bridge.url)).id
  })

  afterAll(() => bridge.stop())

  const request = (first: string, lines: readonly string[], body = PING): string =>
    [
      first,
      'Mcp-Session-Id: $SESSION',
      'Content-Type: application/json',
      'Connection: close',
      ...lines,
      '',
      body,
    ].join('\r\n')
  const sized = (first: string, host: string): string =>
    request(first, [`Host: ${host}`, `Content-Length: ${PING.length}`])

  test.each([
    ['the target in absolute form', sized('POST http://localhost:1/mcp HTTP/1.1', 'x'), 200],
    ['by HTTPS, in upper case', sized('POST HTTPS://LOCALHOST/mcp?a HTTP/1.1', 'x'), 200],
    [
      'the target of another host',
      sized('POST http://evil.example/mcp HTTP/1.1', 'localhost'),
      403,
    ],
    [
      'a user before the host',
      sized('POST http://localhost@evil.example/mcp HTTP/1.1', 'localhost'),
      403,
    ],
    ['no path in it', sized('POST http://localhost HTTP/1.1', 'localhost'), 404],
    [
      'no Host beside it, and a header twice',
      request('POST http://localhost/mcp HTTP/1.0', [
        `Content-Length: ${PING.length}`,
        'MCP-Session-Id: b',
      ]),
      400,
    ],
    ['a name that was allowed', sized('POST /mcp HTTP/1.1', 'Tools.Example:8443'), 200],
    ['an address that was allowed', sized('POST /mcp HTTP/1.1', '[::2]:1'), 200],
    ['a name below one that was allowed', sized('POST /mcp HTTP/1.1', 'a.tools.example'), 403],
    ['HTTP/1.0 with a length', sized('POST /mcp HTTP/1.0', 'localhost'), 200],
    [
      'HTTP/1.0 with Transfer-Encoding',
      request(
        'POST /mcp HTTP/1.0',
        ['Host: localhost', 'Transfer-Encoding: chunked'],
        `${PING.length.toString(16)}\r\n${PING}\r\n0\r\n\r\n`,
      ),
      400,
    ],
  ])('%s', async (_name, bytes, status) => {
    const reply = await sendRaw(bridge.url, bytes.replace('$SESSION', session))
    expect(reply).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    if (status === 200) expect(reply).toContain(PONG)
    expect(reply.match(/HTTP\/1.1/g)).toHaveLength(1)
  })

  test.each([
    ['Accept', { accept: 'text/html' }, 406],
    ['Host', { host: 'evil.example' }, 403],
    ['Content-Type', { 'content-type': 'text/plain' }, 415],
  ])(
    'who sends 4 MB, a wrong %s and Connection: close gets the answer',
    async (_name, wrong, status) => {
      const body = Buffer.alloc(4_000_000, 'x')
      const headers = { ...JSON_HEADERS, connection: 'close', ...wrong }
      const replies: RawReply[] = []
      for (let count = 0; count < 15; count++) replies.push(await send(bridge.url, body, headers))
      expect(replies.map((reply) => reply.status)).toEqual(Array<number>(15).fill(status))
    },
  )

  test('what was understood is counted', async () => {
    const headers = { ...JSON_HEADERS, 'mcp-session-id': session }
    for (let times = 0; times < 3; times++) await send(bridge.url, MARK + PING, headers)
    expect(await bridge.admin.metric('outrigger_tolerated_total.what="byte-order-mark".')).toBe(3)
  })
})

describe('a client that takes JSON alone', () => {
  const JSON_ALONE = { accept: 'application/json' }
  let bridge: PuppetBridge

  beforeAll(async () => {
    bridge = await startPuppet()
  })

  afterAll(() => bridge.stop())

  const progress =
    '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$TOKEN,"progress":1}}'
  const elicit = '{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"?"}}'
  const say = (...lines: readonly string[]): string => toolCall('say', { lines }, 't')

  test('gets the answer of a legacy call and no progress', async () => {
    const session = await openLegacy(bridge.url)
    const headers = { ...JSON_HEADERS, ...session.headers, ...JSON_ALONE }
    const reply = await send(bridge.url, say(progress), headers)
    expect(reply.headers['content-type']).toBe('application/json')
    expect(textOf(reply.text)).toBe('said')
  })

  test('is not asked by the server, which hears that at once', async () => {
    const session = await openLegacy(bridge.url)
    const headers = { ...JSON_HEADERS, ...session.headers, ...JSON_ALONE }
    await send(bridge.url, say(elicit), headers)
    expect(await session.call('seen')).toContain(
      '"id":"q","error":{"code":-32000,"message":"no client can answer now"}',
    )
  })

  test('is asked on the stream that it listens on, if it does', async () => {
    const session = await openLegacy(bridge.url)
    const listening = await session.listen()
    const headers = { ...JSON_HEADERS, ...session.headers, ...JSON_ALONE }
    await send(bridge.url, say(elicit), headers)
    expect((await listening.event()).data).toBe(elicit)
    listening.destroy()
  })

  test('gets the answer of a modern call and no progress', async () => {
    const { body, headers } = modernCall('say', { lines: [progress] }, { progressToken: 't' })
    const reply = await send(bridge.url, body, { ...headers, ...JSON_ALONE })
    expect(reply.headers['content-type']).toBe('application/json')
    expect(textOf(reply.text)).toBe('said')
  })

  test('cannot subscribe', async () => {
    const { body, headers } = modern('subscriptions/listen', { notifications: {} })
    const reply = await send(bridge.url, body, { ...headers, ...JSON_ALONE })
    expect([reply.status, reply.text]).toEqual([406, expect.stringContaining('text/event-stream')])
  })

  test('who takes event streams alone gets one of one event, in both eras', async () => {
    const stream = { accept: 'text/event-stream' }
    const session = await openLegacy(bridge.url)
    const legacy = await send(bridge.url, toolCall('echo', { text: 'a' }), {
      ...JSON_HEADERS,
      ...session.headers,
      ...stream,
    })
    const { body, headers } = modernCall('echo', { text: 'b' })
    const other = await send(bridge.url, body, { ...headers, ...stream })
    for (const [reply, text] of [
      [legacy, 'a'],
      [other, 'b'],
    ] as const) {
      expect(reply.headers['content-type']).toBe('text/event-stream')
      expect(textOf(messageIn(reply))).toBe(text)
      expect(reply.text.match(/^data: /gm)).toHaveLength(1)
    }
  })

  test.each([
    ['Accept', { accept: [] }],
    ['a version', { 'mcp-protocol-version': '' }],
    ['an event', { 'last-event-id': '' }],
  ])('a GET without %s is a stream', async (_name, headers) => {
    const session = await openLegacy(bridge.url)
    const stream = (
      await openStream(bridge.url, { method: 'GET', headers: { ...session.headers, ...headers } })
    ).read()
    stream.destroy()
  })

  test('a GET is refused', async () => {
    const session = await openLegacy(bridge.url)
    const json = await send(
      bridge.url,
      undefined,
      { ...session.headers, ...JSON_ALONE },
      { method: 'GET' },
    )
    expect(json.status).toBe(406)
  })
})

test('a modern-only form is still required of who speaks to a modern server', async () => {
  const bridge = await startPuppet()
  const reply = await send(bridge.url, DISCOVER, JSON_HEADERS)
  await bridge.stop()
  expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('"code":-32020')])
})
