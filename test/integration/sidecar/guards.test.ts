// Limits and the circuit breaker around real processes, both eras, all process models: who is refused and how, and that
// whatever ends a call gives its place back. All are one caller, but for those at the end, whose tokens say who they are.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { openStream, sendAndLeave, type EventStream } from '../../support/event-stream.ts'
import {
  askModern,
  modernCall,
  note,
  openLegacy,
  PUPPET,
  rpc,
  startPuppet,
  textOf,
  toolCall,
  type Json,
  type LegacySession,
  type PuppetBridge,
} from '../../support/puppet.ts'
import { signed, signingKey, startIssuer } from '../../support/issuer.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { startProgram } from '../../support/running.ts'
import {
  INITIALIZE,
  JSON_HEADERS,
  send,
  type RawHeaders,
  type RawReply,
} from '../../support/raw-http.ts'

let bridge: PuppetBridge

const start = async (...flags: readonly string[]): Promise<void> => {
  bridge = await startPuppet(...flags)
}

const PROGRESS =
  '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$TOKEN,"progress":1}}'
/** Is under way once its stream has begun, and is never answered. */
const SILENT: Json = { lines: [PROGRESS], isSilent: true }
const SILENT_CALL = toolCall('say', SILENT, 't')
const SILENT_MODERN = modernCall('say', SILENT, { progressToken: 't' })

const errorOf = ({ text }: Pick<RawReply, 'text'>): { code: number; message: string; data: Json } =>
  JSON.parse(text).error

const refusal = (reply: RawReply): readonly unknown[] => [
  reply.status,
  reply.headers['retry-after'],
  errorOf(reply).data['code'],
]

const sendModern = (name: string, args: Json = {}): Promise<RawReply> => {
  const { body, headers } = modernCall(name, args)
  return send(bridge.url, body, headers)
}

const MODELS = [['session'], ['principal'], ['shared']] as const

describe.each(MODELS)('process-model %s', (model) => {
  afterEach(() => bridge.stop())

  test('rate-limit: over both eras and all sessions; with the id of the request', async () => {
    await start('--process-model', model, '--rate-limit', '4/h')
    const one = await openLegacy(bridge.url)
    const two = await openLegacy(bridge.url)
    expect(await one.call('echo', { text: 'a' })).toBe('a')
    expect(textOf(await askModern(bridge.url, modernCall('echo', { text: 'b' })))).toBe('b')
    const refused = [await two.post(rpc('ping', {}, 'x')), await sendModern('echo')]
    for (const reply of refused) {
      expect(refusal(reply)).toEqual([429, expect.stringMatching(/^8\d\d$|^900$/), 'rate-limited'])
    }
    expect(refused.map(({ text }) => JSON.parse(text).id)).toEqual(['x', 1])
    // What a client says, ends or listens to without asking is not counted.
    expect((await one.post(note('notifications/x'))).status).toBe(202)
    expect((await one.end()).status).toBe(204)
    expect(await bridge.admin.metric('outrigger_limited_total.by="rate-limit".')).toBe(2)
  })

  test('concurrency-limit: until the answer, in both eras', async () => {
    await start('--process-model', model, '--concurrency-limit', '1')
    const session = await openLegacy(bridge.url)
    const other = await openLegacy(bridge.url)
    const held = await session.stream(SILENT_CALL)
    const refused = [await other.post(rpc('ping', {})), await sendModern('echo', { text: 'a' })]
    for (const reply of refused) expect(refusal(reply)).toEqual([429, '1', 'too-many-requests'])
    await session.post(note('notifications/cancelled', { requestId: 1 }))
    await held.ended()
    expect(await other.call('echo', { text: 'a' })).toBe('a')
    expect(textOf(await askModern(bridge.url, modernCall('echo', { text: 'b' })))).toBe('b')
  })
})

/** Waits until so many requests are with the server, or wait for it. */
const inFlight = async (count: number): Promise<void> => {
  await bridge.admin.reaches('outrigger_requests_in_flight', count)
}

/** How many of three calls are let through at once, each in a session of its own. */
const places = async (): Promise<number> => {
  const sessions: LegacySession[] = []
  while (sessions.length < 3) sessions.push(await openLegacy(bridge.url))
  const streams = await Promise.all(sessions.map((session) => session.stream(SILENT_CALL)))
  for (const session of sessions) await session.end()
  return streams.filter(({ status }) => status === 200).length
}

/** Sends and leaves; what comes behind that is read behind it. */
const leave = async (body: string, headers: RawHeaders = {}): Promise<void> => {
  await sendAndLeave(bridge.url, body, headers)
  await send(bridge.url, rpc('ping', {}), { ...JSON_HEADERS, 'mcp-session-id': 'x' })
}

type Leak = readonly [name: string, begin: () => Promise<unknown>]

const held = (): Promise<EventStream> =>
  openStream(bridge.url, SILENT_MODERN).then((stream) => stream.read())

const LEAKS: readonly Leak[] = [
  [
    'a client that cancels',
    async () => {
      const session = await openLegacy(bridge.url)
      await session.stream(SILENT_CALL)
      await session.post(note('notifications/cancelled', { requestId: 1 }))
    },
  ],
  [
    'a session that ends',
    async () => {
      const session = await openLegacy(bridge.url)
      await session.stream(SILENT_CALL)
      await session.end()
    },
  ],
  [
    'a server that exits, with another call in flight',
    async () => {
      const session = await openLegacy(bridge.url)
      const stream = await session.stream(SILENT_CALL)
      await session.post(toolCall('exit', { code: 3 }))
      await stream.ended()
    },
  ],
  [
    'an answer that cannot be used',
    async () => {
      const lines = ['{"jsonrpc":"2.0","id":$ID,"result":1}']
      const session = await openLegacy(bridge.url)
      const reply = await session.post(toolCall('say', { lines, isSilent: true }))
      expect(errorOf(reply).data['code']).toBe('unusable-answer')
    },
  ],
  [
    'an unknown session',
    async () => {
      const headers = { ...JSON_HEADERS, 'mcp-session-id': 'x' }
      for (let count = 0; count < 3; count++) {
        expect((await send(bridge.url, rpc('ping', {}), headers)).status).toBe(404)
      }
    },
  ],
  [
    'a batch, one of it cancelled',
    async () => {
      const session = await openLegacy(bridge.url, '2025-03-26')
      const stream = await session.stream(`[${SILENT_CALL},${rpc('ping', {}, 2)}]`)
      await session.post(note('notifications/cancelled', { requestId: 1 }))
      await stream.ended()
    },
  ],
  [
    'a batch in a session that has none',
    async () => {
      const session = await openLegacy(bridge.url)
      const reply = await session.post(`[${rpc('ping', {})},${rpc('ping', {}, 2)}]`)
      expect(reply.status).toBe(400)
    },
  ],
  ['a client that leaves before its session is there', () => leave(INITIALIZE)],
  ['a modern client that hangs up', async () => (await held()).destroy()],
  ['a modern client that leaves at once', () => leave(SILENT_MODERN.body, SILENT_MODERN.headers)],
  [
    'a modern server that exits',
    async () => {
      const stream = await held()
      await sendModern('exit', { code: 3 })
      await stream.ended()
    },
  ],
  [
    'a modern request whose headers deny it',
    async () => {
      const { body, headers } = modernCall('echo')
      for (let count = 0; count < 3; count++) {
        const reply = await send(bridge.url, body, { ...headers, 'mcp-name': 'other' })
        expect(reply.status).toBe(400)
      }
    },
  ],
]

const TIMED: readonly Leak[] = [
  [
    'a client that goes away: its call is its server’s until request-timeout',
    async () => (await (await openLegacy(bridge.url)).stream(SILENT_CALL)).destroy(),
  ],
  ['a modern call that takes too long', async () => (await held()).ended()],
]

const BY_TURNS: readonly Leak[] = [
  [
    'a call that waits for its turn, and is cancelled',
    async () => {
      const session = await openLegacy(bridge.url)
      await session.stream(SILENT_CALL)
      const waiting = session.post(rpc('ping', {}, 'waiting'))
      await inFlight(2)
      await session.post(note('notifications/cancelled', { requestId: 'waiting' }))
      await waiting
      await session.end()
    },
  ],
]

describe.each<[string, readonly string[], readonly Leak[]]>([
  ['', [], LEAKS],
  ['in its time', ['--request-timeout', '4s', '--startup-timeout', '60s'], TIMED],
  ['before its turn', ['--max-concurrent-calls', '1'], BY_TURNS],
])('a place is given back %s', (_name, flags, rows) => {
  beforeAll(() => start('--concurrency-limit', '2', ...flags))
  afterAll(() => bridge.stop())

  test.each(rows)('by %s', async (_name, begin) => {
    await begin()
    await inFlight(0)
    expect(await places()).toBe(2)
  })
})

describe('alone', () => {
  afterEach(() => bridge.stop())

  test('a tool’s own time ends its call and names the setting, and nobody else’s', async () => {
    await start('--tool-limits', 'say=300ms,later=1')
    const session = await openLegacy(bridge.url)
    const slow = await session.post(toolCall('say', { lines: [], isSilent: true }))
    const says = /did not answer tools\/call within 300 ms \(outrigger.dev\/tool-limits\)/
    expect(errorOf(slow).message).toMatch(says)
    await sendModern('echo', { text: 'the process has answered once' })
    expect(errorOf(await sendModern('say', { lines: [], isSilent: true })).message).toMatch(says)
    expect(await session.call('later', { ms: 600, text: 'in time' })).toBe('in time')
  })

  test('the circuit breaker opens where calls fail, is told and counted, and closes with an answer', async () => {
    await start('--circuit-breaker', '2/10s', '--process-model', 'shared')
    const metric = (state: string): Promise<number> =>
      bridge.admin.metric(`outrigger_circuit_breakers.state="${state}".`)
    await sendModern('exit', { code: 3 })
    await sendModern('exit', { code: 3 })
    const refused = await sendModern('echo', { text: 'a' })
    expect(refused.status).toBe(503)
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(10)
    expect(errorOf(refused).data).toMatchObject({ state: 'open', last: 'server-exited' })
    expect(await metric('open')).toBe(1)
    for (;;) {
      const reply = await sendModern('echo', { text: 'a' })
      if (reply.status === 200) break
      expect(errorOf(reply).data['code']).toBe('circuit-open')
    }
    expect([await metric('open'), await metric('closed')]).toEqual([0, 1])
    expect(
      await bridge.admin.metric('outrigger_limited_total.by="circuit-breaker".'),
    ).toBeGreaterThan(0)
  })

  test('without a limit there is no word of one', async () => {
    await start()
    const { text } = await bridge.admin.get('/metrics')
    expect(text).toContain('outrigger_ready 1')
    expect(text).not.toMatch(/outrigger_(limited|circuit)/)
  })
})

test('of two verified callers each has limits of its own, whatever token it brings', async () => {
  const key = await signingKey('one')
  const issuer = await startIssuer([key.publicJwk])
  const flags = ['--oidc-issuers', issuer.url, '--rate-limit', '2/h']
  const running = await startProgram({
    command: process.execPath,
    args: [CHECKOUT_CLI, 'run', '--port', '0', ...flags, '--', ...PUPPET],
    ready: /^outrigger: listening on (http:\/\/\S+)$/m,
  })
  const statusFor = async (sub: string, scope: string): Promise<number> => {
    const now = Math.floor(Date.now() / 1000)
    const aud = running.ready
    const token = { iss: issuer.url, sub, aud, client_id: 'c', scope, iat: now, exp: now + 300 }
    const authorization = `Bearer ${await signed(token, key)}`
    const { body, headers } = modernCall('echo', { text: 'a' })
    return (await send(running.ready, body, { ...headers, authorization })).status
  }
  const asked = ['ada', 'ada', 'ada', 'bob', 'bob', 'bob']
  const statuses: number[] = []
  for (const [index, sub] of asked.entries()) statuses.push(await statusFor(sub, `s${index}`))
  expect(statuses).toEqual([200, 200, 429, 200, 200, 429])
  await running.stop()
  await issuer.close()
})
