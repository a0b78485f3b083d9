// Traces as a collector gets them and a server sees them: a real sidecar, the real exporter, in both eras; and what is
// lost when the collector is not there: spans, and nothing else.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../support/free-port.ts'
import { startCollector, type Collected, type Collector } from '../../support/collector.ts'
import { openStream } from '../../support/event-stream.ts'
import { serverCommand } from '../../support/outrigger-run.ts'
import { PUPPET, startPuppet, type PuppetBridge } from '../../support/puppet.ts'
import {
  askModern,
  modernCall,
  note,
  openLegacy,
  rpc,
  textOf,
  toolCall,
  type LegacySession,
  type SeenMessage,
} from '../../support/puppet.ts'
import { startPod, startSidecarProgram } from '../../support/pod.ts'
import { JSON_HEADERS, messageIn, send } from '../../support/raw-http.ts'
import { startProgram } from '../../support/running.ts'
import { until } from '../../support/waiting.ts'

/** The test's own patience with a program that shall end. */
const KILLED_AFTER_MS = 10_000
const PARENT_SPAN = 'b7ad6b7169203331'

let folder: string
let collector: Collector

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-traces-'))
  collector = await startCollector()
})
afterAll(async () => {
  await collector.close()
  rmSync(folder, { recursive: true, force: true })
})

const startTraced = (traces: unknown, ...flags: readonly string[]): Promise<PuppetBridge> => {
  const path = join(folder, 'config.json')
  writeFileSync(path, JSON.stringify({ server: 'deployment-puppet', traces }))
  return startPuppet('--config', path, ...flags)
}

/** A trace of its own for each test: the spans are found by it. */
let lastTrace = 0
const trace = (flags = '01'): { readonly id: string; readonly traceparent: string } => {
  const id = (++lastTrace).toString(16).padStart(32, 'a')
  return { id, traceparent: `00-${id}-${PARENT_SPAN}-${flags}` }
}

const spanOf = (kind: string, traceId: string): Promise<Collected> =>
  collector.find((span) => span.kind === kind && span.traceId === traceId, `${kind} ${traceId}`)

const traceparentSeen = (text: string, name: string): unknown => {
  const seen: SeenMessage[] = JSON.parse(text)
  const found = seen.findLast(({ params }) => params?.['name'] === name)
  return found?.params?.['_meta']
}

describe('both eras', () => {
  let bridge: PuppetBridge
  let session: LegacySession

  beforeAll(async () => {
    bridge = await startTraced({ endpoint: collector.url }, '--request-timeout', '5s')
    session = await openLegacy(bridge.url)
  })
  afterAll(() => bridge.stop())

  const legacyCall = async (name: string, args: unknown, meta: unknown): Promise<string> =>
    messageIn(await session.post(rpc('tools/call', { name, arguments: args, _meta: meta })))
  const modernly = (name: string, args: Record<string, unknown>, meta: Record<string, unknown>) =>
    askModern(bridge.url, modernCall(name, args, meta))

  test.each([
    ['legacy', legacyCall, async () => session.call('seen')],
    ['modern', modernly, async () => textOf(await askModern(bridge.url, modernCall('seen')))],
  ])('%s: the client, our two spans and the server are one trace', async (era, call, seen) => {
    const { id, traceparent } = trace()
    const text = `for ${era}`
    expect(textOf(await call('echo', { text }, { traceparent, tracestate: 'a=b' }))).toBe(text)
    const [server, client] = [await spanOf('SERVER', id), await spanOf('CLIENT', id)]
    expect(server).toMatchObject({
      name: 'tools/call echo',
      parentSpanId: PARENT_SPAN,
      status: { code: 0 },
      resource: { 'service.name': 'deployment-puppet' },
      attributes: {
        'mcp.method.name': 'tools/call',
        'gen_ai.tool.name': 'echo',
        'gen_ai.operation.name': 'execute_tool',
        'network.transport': 'tcp',
        'client.address': '127.0.0.1',
      },
    })
    expect(server.attributes['mcp.session.id']).toBe(
      era === 'legacy' ? session.id.slice(0, 8) : undefined,
    )
    expect(client).toMatchObject({
      name: 'tools/call echo',
      parentSpanId: server.spanId,
      attributes: { 'network.transport': 'pipe' },
    })
    expect(client.startTimeUnixNano).toBeGreaterThanOrEqual(server.startTimeUnixNano)
    expect(client.endTimeUnixNano).toBeLessThanOrEqual(server.endTimeUnixNano)
    expect(traceparentSeen(await seen(), 'echo')).toMatchObject({
      traceparent: `00-${id}-${client.spanId}-01`,
      tracestate: 'a=b',
    })
    expect(collector.paths).toEqual(new Set(['/v1/traces']))
    expect(collector.types).toEqual(new Set(['application/x-protobuf']))
  })

  test('a caller that does not record is not recorded, and the server learns so', async () => {
    const { id, traceparent } = trace('00')
    await legacyCall('echo', { text: 'x' }, { traceparent })
    expect(traceparentSeen(await session.call('seen'), 'echo')).toEqual({
      traceparent: expect.stringMatching(new RegExp(`^00-${id}-[0-9a-f]{16}-00$`)),
    })
    const later = trace()
    await legacyCall('echo', { text: 'x' }, { traceparent: later.traceparent })
    await spanOf('SERVER', later.id)
    expect(collector.spans.filter((span) => span.traceId === id)).toEqual([])
  })

  test('the header is the parent, or a link where the body has one', async () => {
    const [body, header] = [trace(), trace()]
    const headers = { ...JSON_HEADERS, ...session.headers, traceparent: header.traceparent }
    await send(bridge.url, toolCall('echo', { text: 'x' }), headers)
    expect(await spanOf('SERVER', header.id)).toMatchObject({ parentSpanId: PARENT_SPAN })
    const params = { name: 'echo', arguments: {}, _meta: { traceparent: body.traceparent } }
    await send(bridge.url, rpc('tools/call', params), headers)
    expect(await spanOf('SERVER', body.id)).toMatchObject({
      parentSpanId: PARENT_SPAN,
      links: [{ traceId: header.id, spanId: PARENT_SPAN }],
    })
  })

  const ERROR = 2
  const say = (line: string) => ({ lines: [line], isSilent: true })

  type Way = readonly [
    name: string,
    tool: string,
    args: Record<string, unknown>,
    ends: Readonly<Record<'CLIENT' | 'SERVER', readonly [status: number, type?: string]>>,
  ]
  const WAYS: readonly Way[] = [
    [
      'a tool that failed',
      'say',
      say('{"jsonrpc":"2.0","id":$ID,"result":{"isError":true}}'),
      { CLIENT: [ERROR, 'tool_error'], SERVER: [ERROR, 'tool_error'] },
    ],
    [
      "an error of the caller's",
      'say',
      say('{"jsonrpc":"2.0","id":$ID,"error":{"code":-32602,"message":"no"}}'),
      { CLIENT: [ERROR, '-32602'], SERVER: [0] },
    ],
    [
      'no answer',
      'say',
      { lines: [], isSilent: true },
      { CLIENT: [ERROR, 'timeout'], SERVER: [ERROR, 'timeout'] },
    ],
    [
      'the end of the server',
      'exit',
      { code: 3 },
      { CLIENT: [ERROR, 'server_exited'], SERVER: [ERROR, 'server_exited'] },
    ],
  ]

  test.each(WAYS)('modern: %s', async (_name, tool, args, ends) => {
    const { id, traceparent } = trace()
    await modernly(tool, args, { traceparent })
    for (const [kind, end] of Object.entries(ends)) {
      const { status, attributes } = await spanOf(kind, id)
      expect([status.code, attributes['error.type']]).toEqual([end[0], end[1]])
    }
  })

  test('modern: a client that hangs up', async () => {
    const { id, traceparent } = trace()
    const lines = [
      '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$TOKEN,"progress":1}}',
    ]
    const asked = modernCall('say', { lines, isSilent: true }, { traceparent, progressToken: 1 })
    const stream = (await openStream(bridge.url, asked)).read()
    await stream.event((data) => data.includes('progress'))
    stream.destroy()
    expect((await spanOf('CLIENT', id)).attributes['error.type']).toBe('cancelled')
    expect((await spanOf('SERVER', id)).status.code).toBe(0)
  })

  test('a refusal of ours has no span of a server', async () => {
    const { id, traceparent } = trace()
    const headers = { ...JSON_HEADERS, 'mcp-session-id': 'nobody' }
    const params = { name: 'echo', arguments: {}, _meta: { traceparent } }
    await send(bridge.url, rpc('tools/call', params), headers)
    expect(await spanOf('SERVER', id)).toMatchObject({
      status: { code: ERROR },
      attributes: { 'error.type': 'session-unknown', 'rpc.response.status_code': '-32001' },
    })
    expect(collector.spans.some((one) => one.traceId === id && one.kind === 'CLIENT')).toBe(false)
  })

  test('a notification of the client’s is traced into the server', async () => {
    const { id, traceparent } = trace()
    const reply = await session.post(
      note('notifications/roots/list_changed', { _meta: { traceparent } }),
    )
    expect(reply.status).toBe(202)
    const [server, client] = [await spanOf('SERVER', id), await spanOf('CLIENT', id)]
    expect(server).toMatchObject({
      name: 'notifications/roots/list_changed',
      parentSpanId: PARENT_SPAN,
      status: { code: 0 },
    })
    expect(server.attributes).not.toHaveProperty('jsonrpc.request.id')
    expect(client).toMatchObject({
      name: 'notifications/roots/list_changed',
      parentSpanId: server.spanId,
      attributes: { 'network.transport': 'pipe' },
    })
    const seen: SeenMessage[] = JSON.parse(await session.call('seen'))
    const told = seen.findLast(({ method }) => method === 'notifications/roots/list_changed')
    expect(told?.params?.['_meta']).toEqual({ traceparent: `00-${id}-${client.spanId}-01` })
  })

  test('what the server asks its client belongs to the call, and ends with the answer', async () => {
    const { id, traceparent } = trace()
    const question =
      '{"jsonrpc":"2.0","id":"q-1","method":"sampling/createMessage","params":{"maxTokens":1}}'
    const params = {
      name: 'say',
      arguments: { lines: [question], isSilent: true },
      _meta: { traceparent },
    }
    const stream = await session.stream(rpc('tools/call', params))
    const { data } = await stream.event((text) => text.includes('createMessage'))
    const asked = JSON.parse(data)
    const [, traceId, passedSpan] = String(asked.params._meta.traceparent).split('-')
    expect([traceId, asked.params.maxTokens]).toEqual([id, 1])
    await session.post('{"jsonrpc":"2.0","id":"q-1","error":{"code":-1,"message":"no"}}')
    const client = await collector.find(({ spanId }) => spanId === passedSpan, 'the question')
    expect(client).toMatchObject({
      kind: 'CLIENT',
      name: 'sampling/createMessage',
      status: { code: ERROR },
      attributes: { 'jsonrpc.request.id': 'q-1', 'error.type': '-1', 'network.transport': 'tcp' },
    })
    const server = await collector.find(({ spanId }) => spanId === client.parentSpanId, 'its end')
    expect(server).toMatchObject({
      kind: 'SERVER',
      name: 'sampling/createMessage',
      attributes: { 'network.transport': 'pipe', 'mcp.session.id': session.id.slice(0, 8) },
    })
    await session.post(note('notifications/cancelled', { requestId: 1 }))
    await stream.ended()
    const hop = await collector.find(({ spanId }) => spanId === server.parentSpanId, 'the call')
    expect(hop).toMatchObject({ kind: 'CLIENT', name: 'tools/call say', traceId: id })
  })

  test('what the client says of its workflow is told as its word', async () => {
    const { id, traceparent } = trace()
    const baggage = 'workflow=triage%20one;p=1, gen_ai.agent.name=otto,password=x'
    await legacyCall('echo', { text: 'x' }, { traceparent, baggage })
    const { attributes } = await spanOf('SERVER', id)
    expect(attributes).toMatchObject({
      'outrigger.asserted.workflow': 'triage one',
      'outrigger.asserted.gen_ai.agent.name': 'otto',
    })
    expect(JSON.stringify(attributes)).not.toContain('password')
  })

  test('span, record and log line of one call bear the same ids', async () => {
    const audit = join(folder, 'audit.jsonl')
    const own = await startTraced(
      { endpoint: collector.url, earlierNames: true },
      '--audit-file',
      audit,
      '--log-level',
      'info',
    )
    try {
      const { id, traceparent } = trace()
      const headers = { ...JSON_HEADERS, 'mcp-session-id': 'nobody' }
      const params = { name: 'echo', arguments: {}, _meta: { traceparent } }
      await send(own.url, rpc('tools/call', params), headers)
      const { spanId, attributes } = await spanOf('SERVER', id)
      const ids = { traceId: id, spanId }
      expect(attributes).toMatchObject({
        'mcp.server.name': 'deployment-puppet',
        'mcp.method': 'tools/call',
        'mcp.tool.name': 'echo',
      })
      const lines = await until(() => {
        const told = own.stderr().split('\n').slice(0, -1)
        const found = told.filter((line) => line.includes('session-unknown'))
        return found.length > 0 && found
      }, 'the log tells it')
      expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([ids])
      const records = await until(
        () =>
          readFileSync(audit, 'utf8')
            .split('\n')
            .find((line) => line.includes(id)),
        'it is on record',
      )
      expect(JSON.parse(records)).toMatchObject(ids)
    } finally {
      await own.stop()
    }
  })

  test('a batch has a span a request', async () => {
    const batches = await openLegacy(bridge.url, '2025-03-26')
    const [one, two] = [trace(), trace()]
    const asked = [one, two].map(({ traceparent }, id) =>
      rpc('tools/call', { name: 'echo', arguments: {}, _meta: { traceparent } }, id),
    )
    await batches.post(`[${asked.join()}]`)
    for (const [id, { id: traceId }] of [one, two].entries()) {
      expect((await spanOf('SERVER', traceId)).attributes['jsonrpc.request.id']).toBe(`${id}`)
      await spanOf('CLIENT', traceId)
    }
  })
})

test('an HTTP server gets the context in the body; its hop says where it went', async () => {
  const port = await freePort()
  const [command = '', ...args] = serverCommand(
    '@modelcontextprotocol/server-everything',
    'streamableHttp',
  )
  const server = await startProgram({
    command,
    args,
    env: { PORT: `${port}` },
    ready: () =>
      fetch(`http://localhost:${port}/mcp`).then(
        ({ status }) => status >= 400,
        () => false,
      ),
  })
  const sidecar = await startSidecarProgram({
    settings: { transport: 'http', port: `${port}` },
    traces: { endpoint: `${collector.url}/v1/traces`, sampleRatio: 0 },
  })
  try {
    const { id, traceparent } = trace()
    const session = await openLegacy(sidecar.url)
    const params = { name: 'echo', arguments: { message: 'x' }, _meta: { traceparent } }
    const answer = messageIn(await session.post(rpc('tools/call', params)))
    expect(textOf(answer)).toBe('Echo: x')
    expect((await spanOf('CLIENT', id)).attributes).toMatchObject({
      'network.transport': 'tcp',
      'network.protocol.name': 'http',
      'server.port': port,
    })
  } finally {
    process.kill(sidecar.pid, 'SIGKILL')
    await sidecar.stop()
    await server.stop()
  }
})

test('a drain ends and sends what is left', async () => {
  const pod = await startPod(PUPPET, {
    traces: { endpoint: collector.url, sampleRatio: 0 },
    graceSeconds: 6,
  })
  try {
    await pod.served()
    const { id, traceparent } = trace()
    const session = await openLegacy(pod.url)
    const params = { name: 'say', arguments: { lines: [], isSilent: true } }
    const never = session.post(rpc('tools/call', { ...params, _meta: { traceparent } }))
    await pod.admin.reaches('outrigger_requests_in_flight', 1)
    process.kill(pod.pid, 'SIGTERM')
    expect((await spanOf('CLIENT', id)).attributes['error.type']).toBeDefined()
    expect((await spanOf('SERVER', id)).attributes['error.type']).toBeDefined()
    await never.catch(() => undefined)
  } finally {
    await pod.stop()
  }
})

describe('a collector that', () => {
  test('never answers holds nothing up, not even the end', async () => {
    const silent = await startCollector(0)
    const bridge = await startTraced({ endpoint: silent.url, sampleRatio: 1 })
    const session = await openLegacy(bridge.url)
    await until(() => silent.paths.size > 0, 'it has been asked')
    expect(await session.call('echo', { text: 'x' })).toBe('x')
    const startMs = Date.now()
    await bridge.stop()
    expect(Date.now() - startMs).toBeLessThan(KILLED_AFTER_MS)
    await silent.close()
  })

  test.each([
    ['is not there', async () => undefined],
    ['refuses', () => startCollector(400)],
  ])('%s costs the spans, which are counted, and no call', async (_name, start) => {
    const broken = await start()
    const endpoint = broken?.url ?? `http://127.0.0.1:${await freePort()}`
    const bridge = await startTraced({ endpoint, sampleRatio: 1 })
    try {
      const session = await openLegacy(bridge.url)
      for (let call = 0; call < 20; call++) {
        expect(await session.call('echo', { text: `${call}` })).toBe(`${call}`)
      }
      const dropped = (): Promise<number> => bridge.admin.metric('outrigger_spans_dropped_total')
      while ((await dropped()) < 42) await pause(20)
      expect(await session.call('echo', { text: 'still' })).toBe('still')
      await until(() => bridge.stderr().includes('spans cannot be sent'), 'the log tells it')
    } finally {
      await bridge.stop()
      await broken?.close()
    }
  })
})
