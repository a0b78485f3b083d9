// What goes wrong gets a clear error that names the fault, and other sessions never notice: a witness calls its own
// server after each row.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import {
  INITIALIZE,
  JSON_HEADERS,
  messageIn,
  openSession,
  send,
  sendRaw,
  type RawHeaders,
  type RawSession,
} from '../../support/raw-http.ts'
import { startRaw, type RawBridge } from '../../support/raw-server.ts'

const MIB = 1024 * 1024

let bridge: RawBridge
/** For what never comes; all else has the time that a busy machine needs. */
let impatient: RawBridge
let witnesses: readonly RawSession[]
let witness: RawSession

beforeAll(async () => {
  bridge = await startRaw()
  impatient = await startRaw(['--request-timeout', '5s', '--startup-timeout', '20s'])
  witness = await openSession(bridge.url)
  witnesses = [witness, await openSession(impatient.url)]
})

afterAll(() => Promise.all([bridge.stop(), impatient.stop()]))

afterEach(async () => {
  bridge.mood('')
  impatient.mood('')
  for (const one of witnesses) expect(await one.call('none')).toMatch(/"result":\{\}\}$/)
})

const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
const MODERN = '2026-07-28'
const modernPing = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"${MODERN}","io.modelcontextprotocol/clientCapabilities":{}}}}`

type Row = {
  readonly name: string
  readonly body?: string | Buffer
  readonly headers?: RawHeaders
  readonly method?: string
  readonly path?: string
  readonly status: number
  readonly code: string
  readonly says: string
}

const ROWS: readonly Row[] = [
  {
    name: 'malformed JSON',
    body: '{"jsonrpc":"2.0",',
    status: 400,
    code: 'parse-error',
    says: '(at byte 17)',
  },
  {
    name: 'no JSON-RPC',
    body: '{"hello":"world"}',
    status: 400,
    code: 'invalid-request',
    says: '"jsonrpc" is not "2.0"',
  },
  {
    name: 'another content type',
    headers: { 'content-type': 'text/plain' },
    status: 415,
    code: 'media-type',
    says: 'application/json',
  },
  {
    name: 'another charset',
    headers: { 'content-type': 'application/json; charset=utf-16' },
    status: 415,
    code: 'media-type',
    says: 'UTF-8',
  },
  {
    name: 'a compressed body',
    headers: { 'content-encoding': 'gzip' },
    status: 415,
    code: 'media-type',
    says: 'Content-Encoding',
  },
  {
    name: 'an Accept of neither form',
    headers: { accept: 'text/html' },
    status: 406,
    code: 'not-acceptable',
    says: 'text/event-stream',
  },
  {
    name: 'a body of 6 MiB',
    body: Buffer.alloc(6 * MIB, 'x'),
    status: 413,
    code: 'body-too-large',
    says: '4194304 bytes',
  },
  {
    name: 'a body of 6 MiB in chunks',
    body: Buffer.alloc(6 * MIB, 'x'),
    headers: { 'transfer-encoding': 'chunked' },
    status: 413,
    code: 'body-too-large',
    says: '4194304 bytes',
  },
  {
    name: 'no session',
    headers: { 'mcp-session-id': [] },
    status: 400,
    code: 'session-required',
    says: 'send initialize first',
  },
  {
    name: 'an unknown session',
    headers: { 'mcp-session-id': 'made-up' },
    status: 404,
    code: 'session-unknown',
    says: 'send initialize again',
  },
  {
    name: 'a session named like a prototype member',
    headers: { 'mcp-session-id': '__proto__' },
    status: 404,
    code: 'session-unknown',
    says: 'no such session',
  },
  {
    name: 'an unknown session to listen on',
    method: 'GET',
    headers: { 'mcp-session-id': 'toString' },
    status: 404,
    code: 'session-unknown',
    says: 'no such session',
  },
  {
    name: 'an unknown session to end',
    method: 'DELETE',
    headers: { 'mcp-session-id': 'made-up' },
    status: 404,
    code: 'session-unknown',
    says: 'no such session',
  },
  {
    name: 'a session header twice',
    headers: { 'mcp-session-id': ['a', 'b'] },
    status: 400,
    code: 'invalid-request',
    says: 'mcp-session-id header came twice',
  },
  {
    name: 'a protocol version that is none',
    headers: { 'mcp-protocol-version': '1999-01-01' },
    status: 400,
    code: 'unsupported-version',
    says: '1999-01-01',
  },
  {
    name: 'a modern header over a legacy body, for a server that is legacy',
    headers: { 'mcp-protocol-version': MODERN },
    status: 400,
    code: 'era-not-served',
    says: 'send initialize',
  },
  {
    name: 'a modern body for a server that is legacy',
    body: modernPing,
    headers: { 'mcp-protocol-version': MODERN, 'mcp-method': 'ping' },
    status: 400,
    code: 'era-not-served',
    says: 'send initialize, or ask whoever runs it for translate-eras',
  },
  {
    name: 'a modern body whose header denies it, for a server that is legacy',
    body: modernPing,
    headers: { 'mcp-protocol-version': '2025-11-25' },
    status: 400,
    code: 'era-not-served',
    says: 'send initialize',
  },
  {
    name: 'another method',
    method: 'PUT',
    status: 405,
    code: 'method-not-allowed',
    says: 'POST, GET or DELETE',
  },
  { name: 'another path', path: '/mcp/x', status: 404, code: 'path-not-found', says: '/mcp' },
  {
    name: 'another host',
    headers: { host: 'evil.example' },
    status: 403,
    code: 'host-refused',
    says: 'allowedHosts',
  },
  {
    name: 'another origin',
    headers: { origin: 'https://evil.example' },
    status: 403,
    code: 'origin-refused',
    says: 'allowedOrigins',
  },
  {
    name: 'an event id that was never ours',
    method: 'GET',
    headers: { 'last-event-id': 'x-1' },
    status: 400,
    code: 'invalid-request',
    says: 'Last-Event-ID',
  },
]

describe('a bad request', () => {
  test.each(ROWS)('$name', async (row) => {
    const { method = 'POST', path = '/mcp', body = PING, headers = {}, status, code, says } = row
    const reply = await send(
      new URL(path, bridge.url).href,
      method === 'POST' ? body : undefined,
      { ...JSON_HEADERS, 'mcp-session-id': witness.id, ...headers },
      { method },
    )
    const { error } = JSON.parse(reply.text)
    expect([reply.status, error.data.code]).toEqual([status, code])
    expect(error.message).toContain(says)
    expect(reply.headers['content-type']).toBe('application/json')
  })

  test.each([
    ['no session', { 'mcp-session-id': [] }, 400],
    ['an unknown session', { 'mcp-session-id': 'made-up' }, 404],
    ['another version', { 'mcp-protocol-version': 'x' }, 400],
  ])('the error bears the id of its request: %s', async (_name, headers, status) => {
    const body = '{"jsonrpc":"2.0","id":1.0,"method":"ping"}'
    const reply = await witness.post(body, headers)
    expect(reply.status).toBe(status)
    expect(reply.text).toContain('"id":1.0,"error"')
  })

  const head = 'POST /mcp HTTP/1.1\r\nHost: localhost\r\n'
  test.each([
    ['no host', 'POST /mcp HTTP/1.1\r\n\r\n'],
    ['two lengths', `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
    [
      'a length and chunks',
      `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'chunks that are not the last coding',
      `${head}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
    ],
    ['a length that is no number', `${head}Content-Length: +2\r\n\r\n{}`],
    [
      'a chunk length that is no number',
      `${head}Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n`,
    ],
    ['a space before the colon', `${head}Content-Length : 2\r\n\r\n{}`],
    ['a NUL in a header', `${head}Mcp-Session-Id: a\0b\r\n\r\n`],
    ['no HTTP at all', '{"jsonrpc":"2.0","id":1,"method":"ping"}\r\n\r\n'],
    ['headers beyond the bound', `${head}X: ${'x'.repeat(33 * 1024)}\r\n\r\n`],
  ])('HTTP that two readers could take for different things: %s', async (_name, bytes) => {
    const reply = await sendRaw(bridge.url, bytes)
    expect(reply).toMatch(/^HTTP\/1.1 4(00|31) /)
    expect(reply.match(/HTTP\/1.1/g)).toHaveLength(1)
  })
})

describe('ids', () => {
  test('the same one in flight twice: each call gets its own answer', async () => {
    const session = await openSession(bridge.url)
    const call = (ms: number, text: string): Promise<string> =>
      session
        .post(
          `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"later","arguments":{"ms":${ms},"text":"${text}"}}}`,
        )
        .then(messageIn)
    const [slow, quick] = await Promise.all([call(200, 'slow'), call(20, 'quick')])
    expect([slow, quick]).toEqual([
      expect.stringMatching(/"id":1,.*"slow"/),
      expect.stringMatching(/"id":1,.*"quick"/),
    ])
  })
})

const error = (message: string): { message: string; data: Record<string, unknown> } =>
  JSON.parse(message).error

describe('a server that misbehaves in a call', () => {
  test.each([
    [
      'exits',
      'exit',
      { code: 'server-exited', exitCode: 7, stderr: 'out of cheese: the last words\n' },
      'exited with code 7; it wrote: out of cheese',
    ],
    ['is killed', 'kill', { code: 'server-exited', signal: 'SIGKILL' }, 'SIGKILL'],
    [
      'is killed in the midst of its answer',
      'half an answer, then kill',
      { code: 'server-exited', signal: 'SIGKILL' },
      'SIGKILL',
    ],
  ])(
    '%s: the call says so, and the session is gone and says so too',
    async (_name, tool, data, says) => {
      const session = await openSession(bridge.url)
      const told = error(await session.call(tool))
      expect(told.message).toContain(says)
      expect(told.data).toEqual(data)
      const after = await session.post(PING)
      expect(after.status).toBe(404)
      expect(error(after.text).message).toContain(says)
    },
  )

  test('never answers: the call ends at request-timeout and the session lives', async () => {
    const session = await openSession(impatient.url)
    const told = error(await session.call('silent'))
    expect(told.message).toContain('did not answer tools/call within 5000 ms')
    expect(told.data).toEqual({ code: 'request-timeout' })
    expect(await session.call('none')).toContain('"result":{}')
  })

  test('answers with what is no message: the call says at once why, and quotes it', async () => {
    const session = await openSession(bridge.url)
    const output = '{"jsonrpc":"2.0","id":$ID,"result":{},"result":{}}\n \n'
    const told = error(await session.call('write', { output }))
    expect(told.message).toMatch(
      /"result" stands twice; it begins: \{"jsonrpc":"2.0","id":\d+,"res/,
    )
    expect(told.data).toEqual({ code: 'unusable-answer' })
  })

  test.each([
    ['in front', `{"jsonrpc":"2.0","id":$ID,"result":"${'x'.repeat(20)}`],
    ['at the end', '{"result":"'],
  ])(
    'answers with a line of 17 MiB, its id %s: the call says so, the session lives',
    async (_name, output) => {
      const session = await openSession(bridge.url)
      const [one, other] = [
        session.call('long line', { output, end: '","jsonrpc":"2.0","id":$ID}' }),
        session.call('later', { ms: 300, text: 'alive' }),
      ]
      const told = error(await one)
      expect(told.message).toContain('longer than 16777216 bytes')
      expect(told.data).toEqual({ code: 'unusable-answer' })
      expect(await other).toContain('"alive"')
      expect(await session.call('none')).toContain('"result":{}')
    },
  )

  test('closes its stdin and lives on: the call says so, and the session is over', async () => {
    const session = await openSession(bridge.url)
    const told = error(await session.call('deaf'))
    expect(told.message).toContain('the server has closed its stdin')
    expect((await session.post(PING)).status).toBe(404)
  })

  test('floods stderr: the call is answered', async () => {
    const session = await openSession(bridge.url)
    expect(await session.call('stderr flood')).toContain('"flooded"')
  })

  test('prints a banner into the conversation: it is left out, and quoted where an answer stays out', async () => {
    const session = await openSession(impatient.url)
    const told = error(await session.call('write', { output: 'Listening on stdio...\n' }))
    expect(told.message).toContain(
      'it wrote this to stdout, which is no message: Listening on stdio...',
    )
    expect(await session.call('none')).toContain('"result":{}')
  })
})

describe('a server that misbehaves at its start', () => {
  const open = (url: string): Promise<string> => send(url, INITIALIZE, JSON_HEADERS).then(messageIn)

  test('dies: initialize names exit code and stderr', async () => {
    bridge.mood('dies')
    const told = error(await open(bridge.url))
    expect(told.message).toContain('exited with code 3; it wrote: no such database')
    expect(told.data).toMatchObject({ code: 'server-exited', exitCode: 3 })
  })

  test('never answers: initialize ends at startup-timeout', async () => {
    impatient.mood('mute')
    const told = error(await open(impatient.url))
    expect(told.message).toContain('did not answer initialize within 20000 ms')
    expect(told.data).toMatchObject({ code: 'request-timeout' })
  })

  test('writes without a line end: it is ended at the bound', async () => {
    bridge.mood('no line end')
    const told = error(await open(bridge.url))
    expect(told.message).toContain('without an end to its line')
  })

  test('answers with an error that has no id: initialize gets it, under its own', async () => {
    bridge.mood('nameless')
    expect(await open(bridge.url)).toBe(
      '{"id":0,"jsonrpc":"2.0","error":{"code":-32603,"message":"no licence"}}',
    )
  })

  test.each([
    ['Content-Length headers', 'content-length', 'as language servers do'],
    ['JSON over several lines', 'pretty', 'turn off pretty printing'],
  ])('%s: initialize says so before any timeout', async (_name, mood, says) => {
    bridge.mood(mood)
    const told = error(await open(bridge.url))
    expect(told.message).toContain(says)
    expect(told.data).toMatchObject({ code: 'unusable-answer' })
  })

  test('prints a banner, blank and short lines among it: it serves', async () => {
    bridge.mood('banner')
    const session = await openSession(bridge.url)
    expect(await session.call('none')).toContain('"result":{}')
  })
})

describe('a server that never starts', () => {
  test.each([
    ['dies', '60s', /no such database[^]*exited with code 3/],
    ['mute', '500ms', /did not answer initialize within 500 ms/],
  ])('%s: run says why and ends', async (mood, patience, says) => {
    await expect(startRaw(['--startup-timeout', patience], mood)).rejects.toThrow(says)
  })
})
