// A crowd of clients that come, call once and vanish without a word, as most do: each is served, at default settings,
// and those who stay notice nothing.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Agent, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { adminOf, freePort, type Admin } from '../../support/admin.ts'
import { openStream, sendAndLeave, type EventStream } from '../../support/event-stream.ts'
import { startOutrigger, type Bridge } from '../../support/outrigger-run.ts'
import { INITIALIZE, JSON_HEADERS, openSession, type RawSession } from '../../support/raw-http.ts'

const LIMIT_MS = 600_000
const SERVER = ['sh', fileURLToPath(new URL('../../fixtures/leaky-server.sh', import.meta.url))]
const CROWD = 1000
const AT_ONCE = 8
const CALLERS = 10
const LISTENERS = 10

let bridge: Bridge
let admin: Admin
const agents: Agent[] = []

beforeAll(async () => {
  const port = await freePort()
  admin = adminOf(port)
  // A call that the server never answers is to be in flight all the while.
  const flags = ['--admin-port', `${port}`, '--request-timeout', '1h']
  bridge = await startOutrigger(SERVER, { flags })
}, LIMIT_MS)
afterAll(async () => {
  for (const agent of agents) agent.destroy()
  await bridge.stop()
}, LIMIT_MS)

const calling = (name: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } })

type Answer = { readonly status: number | undefined; readonly session: string }

/** Posts over the client's one connection, and reads the answer. */
const post = (agent: Agent, body: string, session = ''): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = { ...JSON_HEADERS, ...(session === '' ? {} : { 'mcp-session-id': session }) }
    const sent = request(bridge.url, { method: 'POST', agent, headers }, (response) => {
      const opened = String(response.headers['mcp-session-id'])
      response.on('end', () => resolve({ status: response.statusCode, session: opened })).resume()
    })
    sent.on('error', reject)
    sent.end(body)
  })

/** Comes, calls once, and says no more; every other one leaves its connection open. */
const visit = async (number: number): Promise<readonly (number | undefined)[]> => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const opened = await post(agent, INITIALIZE)
  const called = await post(agent, calling('echo'), opened.session)
  if (number % 2 === 0) agents.push(agent)
  else agent.destroy()
  return [opened.status, called.status]
}

const crowd = async (): Promise<ReadonlyMap<string, number>> => {
  const outcomes = new Map<string, number>()
  let next = 0
  const come = async (): Promise<void> => {
    while (next < CROWD) {
      const outcome = (await visit(next++)).join()
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, come))
  return outcomes
}

test(
  `${CROWD} clients vanish: none is refused, and ${CALLERS + LISTENERS} that stay live on`,
  async () => {
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
    while ((await admin.metric('outrigger_requests_in_flight')) !== CALLERS);
    expect(Object.fromEntries(await crowd())).toEqual({ '200,200': CROWD })
    for (const one of stay) expect(await one.call('echo')).toContain('"result"')
    expect(listening.map(({ isEnded }) => isEnded)).toEqual(listening.map(() => false))
    const { text } = await admin.get('/metrics')
    const [, ended] = /outrigger_ends_total\{what="session",reason="room"\} (\d+)/.exec(text) ?? []
    expect(Number(ended)).toBeGreaterThanOrEqual(CROWD - 32)
    expect(text).not.toContain('outrigger_spawns_total{outcome="full"}')
  },
  LIMIT_MS,
)
