// A request's two spans: what they say, whose children they are, and that they end once on every way a call can take.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Call } from '../../../../sidecar/conversation/call.ts'
import { keptRemarks } from '../../../support/kept-remarks.ts'
import { Channel } from '../../../../sidecar/conversation/channel.ts'
import { FAULTS, fault, type Fault, type FaultCode } from '../../../../sidecar/mcp/faults.ts'
import { slice, type Request } from '../../../../sidecar/mcp/message.ts'
import type { Era } from '../../../../sidecar/mcp/revision.ts'
import type { RequestTrace } from '../../../../sidecar/telemetry/trace.ts'
import { Tracing } from '../../../../sidecar/telemetry/tracing.ts'
import { FakeLink } from '../../../support/fake-link.ts'
import { aReply, type FakeReply } from '../../../support/fake-reply.ts'
import { FakeSpans } from '../../../support/fake-spans.ts'
import { aRequest } from '../../../support/messages.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const OTHER_TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const inMeta = `00-${TRACE}-b7ad6b7169203331-01`
const inHeader = `00-${OTHER_TRACE}-00f067aa0ba902b7-00`

const ARRIVED_MS = 400
let nowMs: number
let spans: FakeSpans
let tracing: Tracing
let link: FakeLink
let channel: Channel
let fake: FakeReply

beforeEach(() => {
  nowMs = 500
  spans = new FakeSpans()
  tracing = new Tracing(spans, () => nowMs)
  link = new FakeLink()
  channel = new Channel({
    link,
    owner: { serverMessage: () => undefined, ended: () => undefined },
    nextId: () => 77,
    now: () => nowMs,
    observe: () => undefined,
    remarks: keptRemarks(),
    isShared: false,
  })
  fake = aReply()
})

type Headers = Readonly<Record<string, string>>

type Traced = { readonly message: Request; readonly trace: RequestTrace | undefined }

const begin = (body: string, headers: Headers = {}, era: Era | undefined = 'legacy'): Traced => {
  const request = new IncomingMessage(new Socket())
  request.httpVersion = '1.1'
  Object.assign(request.headers, headers)
  const message = aRequest(body)
  const exchange = { request, reply: fake.reply, arrivedMs: ARRIVED_MS }
  return { message, trace: tracing.begin(exchange, message, era) }
}

const rpc = (method: string, params: unknown = {}, id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params })
const CALL = rpc('tools/call', { name: 'echo' })

/** Gives a request to the server as the eras do. */
const forward = ({ message, trace }: Traced): Call | undefined =>
  channel.call(
    message,
    {
      answer: (text) => fake.reply.json(text),
      notice: () => true,
      fault: (reason: Fault) => fake.reply.fault(reason, slice(message.text, message.id)),
    },
    { timeoutMs: 1000, trace },
  )

/** The connection is closed, as node tells it. */
const close = async (): Promise<void> => {
  await fake.received()
  fake.reply.cut()
  await fake.received()
}

const ANSWER = '{"jsonrpc":"2.0","id":77,"result":{}}'
const errorOf = (code: number): string =>
  `{"jsonrpc":"2.0","id":77,"error":{"code":${code},"message":"it says why"}}`

describe('names and attributes', () => {
  const version = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }

  test.each([
    [
      'a tool',
      CALL,
      'tools/call echo',
      { 'gen_ai.tool.name': 'echo', 'gen_ai.operation.name': 'execute_tool' },
    ],
    ['a prompt', rpc('prompts/get', { name: 'p' }), 'prompts/get p', { 'gen_ai.prompt.name': 'p' }],
    [
      'a resource',
      rpc('resources/read', { uri: 'file:///x' }),
      'resources/read',
      { 'mcp.resource.uri': 'file:///x' },
    ],
    ['no target', rpc('tools/list'), 'tools/list', {}],
    ['a tool without a name', rpc('tools/call'), 'tools/call', {}],
    ['a tool whose name is no string', rpc('tools/call', { name: 7 }), 'tools/call', {}],
    ['a method that is none', rpc('no/such'), '_OTHER', { 'mcp.method.name': 'no/such' }],
    ['a name in JSON', rpc('tools/call', { name: 'é"' }), 'tools/call é"', {}],
    ['a string as id', rpc('ping', {}, 'ab'), 'ping', { 'jsonrpc.request.id': 'ab' }],
    [
      'an id as it was written',
      '{"jsonrpc":"2.0","id":1.0,"method":"ping"}',
      'ping',
      { 'jsonrpc.request.id': '1.0' },
    ],
    [
      'the version of a modern request',
      rpc('ping', { _meta: version }),
      'ping',
      { 'mcp.protocol.version': '2026-07-28' },
    ],
    [
      'the version of initialize',
      rpc('initialize', { protocolVersion: '2025-06-18' }),
      'initialize',
      { 'mcp.protocol.version': '2025-06-18' },
    ],
  ])('%s', (_name, body, name, attributes) => {
    begin(body)
    expect(spans.of('server')).toMatchObject({ name, attributes })
  })

  test('values from the wire are cut', () => {
    begin(rpc('tools/call', { name: 'x'.repeat(5000) }))
    const { name, attributes } = spans.of('server')
    expect(attributes['gen_ai.tool.name']).toBe('x'.repeat(256))
    expect(name).toHaveLength('tools/call '.length + 256)
  })

  const TOKEN = `ghp_${'a'.repeat(36)}`
  test.each<[string, string, Readonly<Record<string, string>>]>([
    ['a tool', rpc('tools/call', { name: TOKEN }), {}],
    ['a resource', rpc('resources/read', { uri: `db://u:${TOKEN}@h` }), {}],
    ['a method', rpc(`x/${TOKEN}`, {}), {}],
    ['an id', CALL.replace('"id":1', `"id":"${TOKEN}"`), {}],
    ['a revision', CALL, { 'mcp-protocol-version': TOKEN }],
    ['a session, whose id lets its caller in', CALL, { 'mcp-session-id': `s1234567${TOKEN}` }],
  ])('no secret that stands in the place of %s', (_what, body, headers) => {
    begin(body, headers)
    expect(JSON.stringify(spans.of('server'))).not.toContain('ghp_')
  })

  test('of the request as it came, and no header that it does not need', () => {
    begin(CALL, {
      'mcp-session-id': 's',
      'mcp-protocol-version': '2025-06-18',
      authorization: 'Bearer secret',
      cookie: 'secret',
    })
    expect(spans.of('server').attributes).toEqual({
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'echo',
      'gen_ai.operation.name': 'execute_tool',
      'jsonrpc.request.id': '1',
      'mcp.protocol.version': '2025-06-18',
      'mcp.session.id': 's',
      'network.transport': 'tcp',
      'network.protocol.name': 'http',
      'network.protocol.version': '1.1',
    })
  })

  test('the modern era has no session', () => {
    begin(CALL, { 'mcp-session-id': 's' }, 'modern')
    expect(spans.of('server').attributes).not.toHaveProperty(['mcp.session.id'])
  })

  test.each([
    ['a pipe', undefined, { 'network.transport': 'pipe' }],
    [
      'HTTP',
      8080,
      {
        'network.transport': 'tcp',
        'network.protocol.name': 'http',
        'server.address': 'localhost',
        'server.port': 8080,
      },
    ],
  ])('of the hop over %s', (_name, port, attributes) => {
    begin(CALL).trace?.send(77, port)
    expect(spans.of('client')).toMatchObject({ name: 'tools/call echo' })
    expect(spans.of('client').attributes).toEqual({
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'echo',
      'gen_ai.operation.name': 'execute_tool',
      'jsonrpc.request.id': '77',
      ...attributes,
    })
  })
})

describe('parents', () => {
  const withMeta = rpc('tools/call', { name: 'echo', _meta: { traceparent: inMeta } })
  const headers = { traceparent: inHeader, tracestate: 'a=b' }

  test.each([
    ['nothing', CALL, {}, []],
    ['the body', withMeta, {}, [TRACE]],
    ['the header', CALL, headers, [OTHER_TRACE]],
    ['both', withMeta, headers, [TRACE, OTHER_TRACE]],
    ['a bad header', withMeta, { traceparent: 'x' }, [TRACE]],
    ['a bad body', rpc('tools/call', { _meta: { traceparent: 'x' } }), headers, [OTHER_TRACE]],
  ])('from %s', (_name, body, given, [parent, link]) => {
    begin(body, given)
    const { start } = spans.of('server')
    expect(start.parent?.traceId).toBe(parent)
    expect(start.link?.traceId).toBe(link)
  })

  test.each([
    ['recorded', true, '0000000000000002-01', ['server', 'client']],
    ['left out', false, '0000000000000000-00', []],
  ])('the server gets the context of the hop: %s', (_name, isRecording, hop, kinds) => {
    spans.isRecording = isRecording
    forward(begin(CALL, headers))
    expect(spans.started.map(({ start }) => start.kind)).toEqual(kinds)
    expect(spans.started[1]?.start.parent?.spanId).toBe(spans.started[0] && '0000000000000001')
    expect(link.sent).toEqual([
      `{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"_meta":{"traceparent":"00-${OTHER_TRACE}-${hop}","tracestate":"a=b"},"name":"echo"}}`,
    ])
  })

  test('without traces the message is as it was', () => {
    forward({ message: aRequest(CALL), trace: undefined })
    expect(link.sent).toEqual([CALL.replace('"id":1', '"id":77')])
  })

  test('begin when the request came, and lie in one another', async () => {
    const traced = begin(CALL)
    nowMs = 510
    forward(traced)
    nowMs = 530
    link.says(ANSWER)
    nowMs = 535
    await close()
    const [server, client] = [spans.of('server'), spans.of('client')]
    expect([server.start.startMs, client.start.startMs]).toEqual([999_900, 1_000_010])
    expect([client.ends[0]?.endMs, server.ends[0]?.endMs]).toEqual([1_000_030, 1_000_035])
  })
})

type Said = { readonly type?: string; readonly code?: string; readonly message?: unknown }
type Way = readonly [
  name: string,
  go: () => void | Promise<void>,
  client: Said | undefined,
  server: Said,
]

const call = (): Call => {
  const sent = forward(begin(CALL))
  if (!sent) throw new Error('the call was not sent')
  return sent
}
const CANCELLED = { type: 'cancelled' }

const WAYS: readonly Way[] = [
  ['an answer', () => (call(), link.says(ANSWER)), {}, {}],
  [
    'a tool that says it failed',
    () => (call(), link.says('{"jsonrpc":"2.0","id":77,"result":{"isError":true}}')),
    { type: 'tool_error' },
    { type: 'tool_error' },
  ],
  ...[-32_603, -32_000, -32_001, -32_020].map((code): Way => [
    `the error ${code}`,
    () => (call(), link.says(errorOf(code))),
    { type: `${code}`, code: `${code}`, message: 'it says why' },
    { type: `${code}`, code: `${code}`, message: 'it says why' },
  ]),
  ...[-32_700, -32_600, -32_601, -32_602, -32_002].map((code): Way => [
    `the error ${code}, a fault of the caller's`,
    () => (call(), link.says(errorOf(code))),
    { type: `${code}`, code: `${code}`, message: 'it says why' },
    { code: `${code}` },
  ]),
  [
    'an error without a code',
    () => (call(), link.says('{"jsonrpc":"2.0","id":77,"error":{}}')),
    { type: '_OTHER' },
    { type: '_OTHER' },
  ],
  [
    'no answer in time',
    () => (call(), channel.sweep(5000)),
    { type: 'timeout' },
    { type: 'timeout', code: '-32001', message: expect.stringContaining('did not answer') },
  ],
  [
    'the end of the server',
    () => (call(), link.ends({ message: 'gone' })),
    { type: 'server_exited' },
    { type: 'server_exited', code: '-32000', message: 'gone' },
  ],
  [
    'a broken answer',
    () => (call(), channel.failed(77, 'broken')),
    { type: 'server_failed' },
    { type: 'server_failed', code: '-32000', message: 'broken' },
  ],
  [
    'a server that does not read',
    () => {
      link.isReading = false
      forward(begin(CALL))
    },
    { type: 'server_not_reading' },
    { type: 'server_not_reading', code: '-32000', message: expect.any(String) },
  ],
  ['a client that hung up', () => channel.cancel(call(), 'disconnected'), CANCELLED, {}],
  [
    'a client that cancelled',
    () => {
      channel.withdraw(call(), '{}')
      fake.reply.fault(fault('request-cancelled', 'x'), '1')
    },
    CANCELLED,
    { code: '-32000' },
  ],
  ['our own end', () => (call(), tracing.close(9)), { type: 'draining' }, { type: 'draining' }],
  ['an answer of our own', () => (begin(CALL), fake.reply.json('{}')), undefined, {}],
]

/** What the end of a span should be. */
const ended = ({ type, code, message }: Said): object => ({
  attributes: {
    ...(type === undefined ? {} : { 'error.type': type }),
    ...(code === undefined ? {} : { 'rpc.response.status_code': code }),
  },
  isError: type !== undefined,
  message,
})

const CODES = Object.keys(FAULTS).filter((code): code is FaultCode => code in FAULTS)

describe('ends', () => {
  test.each(WAYS)('by %s', async (_name, go, client, server) => {
    await go()
    await close()
    await tracing.close(0)
    expect(spans.started.length).toBe(client ? 2 : 1)
    if (client) expect(spans.of('client').ends).toEqual([expect.objectContaining(ended(client))])
    expect(spans.of('server').ends).toEqual([expect.objectContaining(ended(server))])
  })

  test.each(CODES)('by a refusal: %s', async (code) => {
    begin(CALL)
    fake.reply.fault(fault(code, 'why'), '1')
    await close()
    const rpcCode = `${FAULTS[code].rpc}`
    const isCallers = ['-32700', '-32600', '-32601', '-32602'].includes(rpcCode)
    const said = isCallers ? { code: rpcCode } : { type: code, code: rpcCode, message: 'why' }
    expect(spans.of('server').ends).toEqual([expect.objectContaining(ended(said))])
  })

  test('not before the server has answered, though the client has gone', async () => {
    call()
    await close()
    expect(spans.of('server').ends).toEqual([])
    link.says(ANSWER)
    expect(spans.of('server').ends).toHaveLength(1)
  })

  test('at once where the client had gone before', async () => {
    await close()
    begin(CALL)
    expect(spans.of('server').ends).toHaveLength(1)
  })

  test('a fault for another request of the batch is not its own', async () => {
    begin(CALL)
    fake.reply.noteFault(fault('no-capacity', 'x'), '2')
    fake.reply.json('[]')
    await close()
    expect(spans.of('server').ends).toEqual([expect.objectContaining(ended({}))])
  })

  test('of many requests in one answer, with one listener', async () => {
    for (let id = 0; id < 64; id++) begin(rpc('ping', {}, id))
    await close()
    expect(spans.started.filter(({ ends }) => ends.length === 1)).toHaveLength(64)
  })

  test('nothing of a request that is left out', async () => {
    spans.isRecording = false
    call()
    link.says(ANSWER)
    await close()
    await tracing.close(5)
    expect(spans.started).toEqual([])
    expect(spans.shutdowns).toEqual([5])
  })
})

describe('an exchange that goes to another replica', () => {
  const toReplica = (headers: Headers = {}): ReturnType<Tracing['toReplica']> => {
    const request = new IncomingMessage(new Socket())
    request.method = 'POST'
    Object.assign(request.headers, headers)
    const exchange = { request, reply: fake.reply, arrivedMs: ARRIVED_MS }
    return tracing.toReplica(exchange, '10.0.0.2')
  }

  test.each([
    ['is a span of the trace that its head has', inHeader.replace(/00$/, '01'), OTHER_TRACE],
    ['begins a trace where the head has none', undefined, undefined],
  ])('%s', (_name, traceparent, traceId) => {
    const hop = toReplica(traceparent === undefined ? {} : { traceparent })
    nowMs = 900
    hop.end(undefined)
    hop.end('broken')
    const [span] = spans.started
    expect(span?.start).toMatchObject({ kind: 'client', name: 'outrigger.replica' })
    expect(span?.start.parent?.traceId).toBe(traceId)
    expect(span?.attributes).toEqual({
      'http.request.method': 'POST',
      'server.address': '10.0.0.2',
    })
    expect(span?.ends).toEqual([expect.objectContaining({ isError: false })])
  })

  test('is an error where that replica broke off', () => {
    toReplica().end('broken')
    expect(spans.started[0]?.ends).toEqual([expect.objectContaining({ isError: true })])
  })

  test('that is not over at our own end is ended then', async () => {
    toReplica()
    await tracing.close(0)
    expect(spans.started[0]?.ends).toHaveLength(1)
  })

  test('has a context to hand on where nothing is recorded', () => {
    spans.isRecording = false
    expect(toReplica({ traceparent: inHeader }).context.traceId).toBe(OTHER_TRACE)
    expect(spans.started).toEqual([])
  })
})
