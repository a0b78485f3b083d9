// A crowd of clients that come, call once and vanish without a word, as most do: each is served, at default settings,
// and those who stay notice nothing. In each process model, and in both eras.

import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { Agent, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { adminOf, type Admin } from '../../support/admin.ts'
import { freePort } from '../../support/free-port.ts'
import { openStream, sendAndLeave, type EventStream } from '../../support/event-stream.ts'
import { startOutrigger, type Bridge } from '../../support/outrigger-run.ts'
import { askModern, modern, modernCall, PUPPET, textOf } from '../../support/puppet.ts'
import {
  INITIALIZE,
  JSON_HEADERS,
  openSession,
  type RawHeaders,
  type RawSession,
} from '../../support/raw-http.ts'

const LIMIT_MS = 600_000
const LEAKY = ['sh', fileURLToPath(new URL('../../fixtures/leaky-server.sh', import.meta.url))]
const CROWD = 1000
const AT_ONCE = 8
const CALLERS = 10
const LISTENERS = 10

let bridge: Bridge
let admin: Admin
let agents: Agent[]

beforeEach(() => {
  agents = []
})
afterEach(async () => {
  for (const agent of agents) agent.destroy()
  await bridge.stop()
}, LIMIT_MS)

const start = async (server: readonly string[], flags: readonly string[] = []): Promise<void> => {
  const port = await freePort()
  admin = adminOf(port)
  // A call that the server never answers is to be in flight all the while.
  const all = ['--admin-port', `${port}`, '--request-timeout', '1h', ...flags]
  bridge = await startOutrigger(server, { flags: all })
}

const calling = (name: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } })

type Answer = { readonly status: number | undefined; readonly session: string }

/** Posts over the client's one connection, and reads the answer. */
const post = (agent: Agent, body: string, headers: RawHeaders = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(bridge.url, { method: 'POST', agent }, (response) => {
      const opened = String(response.headers['mcp-session-id'])
      response.on('end', () => resolve({ status: response.statusCode, session: opened })).resume()
    })
    for (const [name, value] of Object.entries({ ...JSON_HEADERS, ...headers })) {
      sent.setHeader(name, value)
    }
    sent.on('error', reject)
    sent.end(body)
  })

type Visit = (agent: Agent) => Promise<readonly (number | undefined)[]>

const visitLegacy: Visit = async (agent) => {
  const opened = await post(agent, INITIALIZE)
  const called = await post(agent, calling('echo'), { 'mcp-session-id': opened.session })
  return [opened.status, called.status]
}

const visitModern: Visit = async (agent) => {
  const { body, headers } = modernCall('echo', { text: 'visit' })
  return [(await post(agent, body, headers)).status]
}

/** All come, and say no more; every other one leaves its connection open. */
const crowd = async (visit: Visit): Promise<Readonly<Record<string, number>>> => {
  const outcomes: Record<string, number> = {}
  let next = 0
  const come = async (): Promise<void> => {
    while (next < CROWD) {
      const isLeftOpen = next++ % 2 === 0
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      const outcome = (await visit(agent)).join()
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      if (isLeftOpen) agents.push(agent)
      else agent.destroy()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, come))
  return outcomes
}

const endsFor = async (reason: string): Promise<number> =>
  (await admin.metric(`outrigger_ends_total\\{what="session",reason="${reason}"\\}`)) || 0

const noneRefused = async (): Promise<void> => {
  expect(await admin.metric('outrigger_spawns_total\\{outcome="full"\\}')).toBe(0)
}

const NAME = `${CROWD} clients vanish: none is refused, and ${CALLERS + LISTENERS} that stay live on`

test.each([
  ['session', CROWD - 32],
  ['principal', 0],
  ['shared', 0],
])(
  `${NAME}: legacy era, model %s`,
  async (model, leastEnded) => {
    await start(LEAKY, ['--process-model', model])
    const stay: RawSession[] = []
    for (let count = 0; count < CALLERS + LISTENERS; count++)
      stay.push(await openSession(bridge.url))
    const headersOf = ({ id }: RawSession) => ({ 'mcp-session-id': id })
    for (const one of stay.slice(LISTENERS)) {
      await sendAndLeave(bridge.url, calling('silent'), headersOf(one))
    }
    const listening: EventStream[] = []
    for (const one of stay.slice(0, LISTENERS)) {
      const stream = await openStream(bridge.url, { method: 'GET', headers: headersOf(one) })
      listening.push(stream.read())
    }
    await admin.reaches('outrigger_requests_in_flight', CALLERS)
    expect(await crowd(visitLegacy)).toEqual({ '200,200': CROWD })
    for (const one of stay) expect(await one.call('echo')).toContain('"result"')
    expect(listening.map(({ isEnded }) => isEnded)).toEqual(listening.map(() => false))
    expect(await endsFor('room')).toBeGreaterThanOrEqual(leastEnded)
    await noneRefused()
  },
  LIMIT_MS,
)

test(
  `${NAME}: modern era`,
  async () => {
    await start(PUPPET)
    const silent = modernCall('say', { lines: [], isSilent: true })
    let over = 0
    for (let count = 0; count < CALLERS; count++) {
      const agent = new Agent()
      agents.push(agent)
      const noteEnd = (): unknown => over++
      void post(agent, silent.body, silent.headers).then(noteEnd, noteEnd)
    }
    const subscribing = modern('subscriptions/listen', {
      notifications: { toolsListChanged: true },
    })
    const listening: EventStream[] = []
    for (let count = 0; count < LISTENERS; count++) {
      listening.push((await openStream(bridge.url, subscribing)).read())
    }
    await admin.reaches('outrigger_requests_in_flight', CALLERS + LISTENERS)
    expect(await crowd(visitModern)).toEqual({ '200': CROWD })
    expect(await admin.metric('outrigger_requests_in_flight')).toBe(CALLERS + LISTENERS)
    expect(over).toBe(0)
    expect(listening.map(({ isEnded }) => isEnded)).toEqual(listening.map(() => false))
    expect(textOf(await askModern(bridge.url, modernCall('echo', { text: 'on' })))).toBe('on')
    await noneRefused()
  },
  LIMIT_MS,
)
