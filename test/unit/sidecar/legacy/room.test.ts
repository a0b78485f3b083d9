// Sessions of clients that are gone make room for newcomers, those of clients that live do not: two principals, one of
// them greedy, before each process model.

import { keptRemarks } from '../../../support/kept-remarks.ts'
import { aBudget } from '../../../support/budgets.ts'
import { beforeEach, describe, expect, test } from '@jest/globals'
import type { Permit } from '../../../../sidecar/access/permit.ts'
import type { ProcessModel } from '../../../../sidecar/legacy/backend.ts'
import { Legacy } from '../../../../sidecar/legacy/legacy.ts'
import { MAX_SESSIONS } from '../../../../sidecar/legacy/sessions.ts'
import { anExchange } from '../../../support/fake-exchange.ts'
import type { FakeReply } from '../../../support/fake-reply.ts'
import { FakeSource } from '../../../support/fake-source.ts'
import { anAsked } from '../../../support/messages.ts'
import { permitOf } from '../../../support/principals.ts'

const IDLE_MS = 60_000
const PLACES = 4
const A = permitOf('https://issuer.example a')
const B = permitOf('https://issuer.example b')

let source: FakeSource
let legacy: Legacy
let nowMs: number
let ends: string[]

const start = (model: ProcessModel, { places = PLACES, endsListeners = false } = {}): void => {
  let last = 100
  let sessions = 0
  nowMs = 0
  const noted: string[] = []
  ends = noted
  const now = (): number => nowMs
  source = new FakeSource({ places, idleTimeoutMs: IDLE_MS, now })
  legacy = new Legacy({
    source,
    budget: aBudget(),
    model,
    startupTimeoutMs: 10_000,
    requestTimeoutMs: 10_000_000,
    idleTimeoutMs: IDLE_MS,
    maxConcurrentCalls: 64,
    clientTimeoutMs: 60_000,
    keepAliveMs: 10_000_000,
    nextId: () => ++last,
    newSessionId: () => `session-${++sessions}`,
    now,
    observe: () => undefined,
    remarks: keptRemarks(),
    onStarted: () => undefined,
    onStartFailed: () => undefined,
    onDied: () => undefined,
    endsListeners,
    onSessionEnd: (end) => noted.push(end),
  })
}

const initialize = (capabilities = '{}'): string =>
  `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":${capabilities},"clientInfo":{"name":"c","version":"1"}}}`
const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'

/** A client that comes, and what it was answered so far. */
class Client {
  readonly permit: Permit
  private readonly opened: FakeReply
  private session = ''

  constructor(permit: Permit, capabilities?: string) {
    this.permit = permit
    const { exchange, client } = anExchange()
    this.opened = client
    void legacy.post(permit, exchange, anAsked(initialize(capabilities)))
  }

  /** `served`, `waiting`, or the status of a refusal. */
  async outcome(): Promise<string> {
    const answer = await this.opened.received()
    this.session = /mcp-session-id: (\S+)/.exec(answer)?.[1] ?? ''
    if (this.session !== '') return 'served'
    return answer === '' ? 'waiting' : answer.slice(9, 12)
  }

  async isAlive(): Promise<boolean> {
    await this.outcome()
    const { exchange } = this.exchange()
    const note = '{"jsonrpc":"2.0","method":"notifications/initialized"}'
    return (await legacy.post(this.permit, exchange, anAsked(note))) === undefined
  }

  async call(): Promise<FakeReply> {
    await this.outcome()
    const { exchange, client } = this.exchange()
    await legacy.post(this.permit, exchange, anAsked(PING))
    return client
  }

  async listen(): Promise<FakeReply> {
    await this.outcome()
    const { exchange, client } = this.exchange()
    legacy.listen(this.permit, exchange)
    return client
  }

  private exchange() {
    return anExchange({ 'mcp-session-id': this.session })
  }
}

/** Capabilities that no other client has: with the model `principal` such clients share no process. */
let unlike = 0
const come = (permit: Permit): Client => new Client(permit, `{"experimental":{"x":${++unlike}}}`)

const served = async (permit: Permit): Promise<Client> => {
  const client = come(permit)
  expect(await client.outcome()).toBe('served')
  return client
}

const pass = async (ms: number): Promise<void> => {
  nowMs += ms
  legacy.sweep(nowMs)
  await source.sweep()
}

const alive = (clients: readonly Client[]): Promise<boolean[]> =>
  Promise.all(clients.map((client) => client.isAlive()))

// A process a session, or a process for each kind of client: the places run out in the same way.
describe.each(['session', 'principal'] as const)('all places are A’s, model %s', (model) => {
  let held: Client[]

  beforeEach(async () => {
    start(model)
    held = []
    for (let count = 0; count < PLACES; count++) {
      held.push(await served(A))
      nowMs++
    }
  })

  test('A’s clients are gone: the longest gone makes room for A', async () => {
    await pass(1000)
    const next = come(A)
    await source.sweep()
    expect([await next.outcome(), await alive(held), ends]).toEqual([
      'served',
      [false, true, true, true],
      ['room'],
    ])
  })

  test('A’s clients are gone: B is served, up to its share, and A keeps the rest', async () => {
    await pass(1000)
    const others = [come(B), come(B)]
    await source.sweep()
    expect(await alive([...held, ...others])).toEqual([false, false, true, true, true, true])
    for (const client of [...held.slice(2), ...others]) await client.call()
    const more = come(B)
    await pass(5000)
    expect([await more.outcome(), ends]).toEqual(['503', ['room', 'room']])
  })

  test('B is served before the crowd of A that waits', async () => {
    await pass(1000)
    const crowd = Array.from({ length: 2 * PLACES }, () => come(A))
    const other = come(B)
    await source.sweep()
    expect(await other.outcome()).toBe('served')
    await pass(1000)
    await pass(1000)
    expect(await Promise.all(crowd.map((client) => client.outcome()))).not.toContain('503')
  })

  test.each<[string, (client: Client) => Promise<FakeReply>]>([
    ['have calls in flight', (client) => client.call()],
    ['listen', (client) => client.listen()],
  ])('A’s clients %s: nobody is ended, and A is told to come again', async (_name, live) => {
    for (const client of held) await live(client)
    await pass(1000)
    const [next, other] = [come(A), come(B)]
    expect([await next.outcome(), await other.outcome()]).toEqual(['waiting', 'waiting'])
    await pass(5000)
    expect([await next.outcome(), await other.outcome()]).toEqual(['503', '503'])
    expect([await alive(held), ends]).toEqual([[true, true, true, true], []])
  })

  test('one of them ends its call while A waits: it makes room once it is gone', async () => {
    for (const client of held) await client.call()
    const next = come(A)
    await pass(1000)
    const [, id = ''] = /"id":(\d+),"method":"ping"/.exec(source.links[1]?.sent.at(-1) ?? '') ?? []
    source.links[1]?.says(`{"jsonrpc":"2.0","id":${id},"result":{}}`)
    await pass(999)
    expect(await next.outcome()).toBe('waiting')
    await pass(1)
    expect([await next.outcome(), ends]).toEqual(['served', ['room']])
  })

  test('those who listen outlive the idle time, and make room only then', async () => {
    for (const client of held) await client.listen()
    await pass(IDLE_MS - 1)
    const early = come(A)
    expect(await early.outcome()).toBe('waiting')
    await pass(PLACES)
    expect([await early.outcome(), ends]).toEqual(['served', ['room']])
    await pass(10 * IDLE_MS)
    expect(ends).toEqual(['room', 'idle'])
  })

  test('one that listened has gone: it is detached from then on', async () => {
    const streams = await Promise.all(held.map((client) => client.listen()))
    await pass(2000)
    await streams[2]?.hangUp()
    const next = come(A)
    expect(await next.outcome()).toBe('waiting')
    await pass(1000)
    expect([await next.outcome(), await alive(held)]).toEqual(['served', [true, true, false, true]])
  })
})

test('model shared: one process serves all, and needs no room', async () => {
  start('shared', { places: 1 })
  const clients = await Promise.all([served(A), served(B), served(A)])
  expect([source.links.length, await alive(clients)]).toEqual([1, [true, true, true]])
})

test('model principal: a process makes room when the last of its sessions is gone', async () => {
  start('principal', { places: 1 })
  const [one, two] = [new Client(A), new Client(A)]
  expect([await one.outcome(), await two.outcome(), source.links.length]).toEqual([
    'served',
    'served',
    1,
  ])
  await two.listen()
  await pass(1000)
  const other = come(B)
  expect(await other.outcome()).toBe('waiting')
  await pass(5000)
  expect([await other.outcome(), await alive([one, two])]).toEqual(['503', [true, true]])
  await pass(IDLE_MS)
  const later = come(B)
  await source.sweep()
  expect([await later.outcome(), await alive([one, two])]).toEqual(['served', [false, false]])
})

test('a process that has not answered yet makes no room, however long it takes', async () => {
  start('session', { places: 1 })
  source.slowDown()
  const [one, other] = [come(A), come(B)]
  await pass(2000)
  expect([await one.outcome(), await other.outcome()]).toEqual(['waiting', 'waiting'])
  expect([source.links.map(({ isClosed }) => isClosed), ends]).toEqual([[false], []])
})

test('an idle process that somebody is about to join makes no room', async () => {
  start('principal', { places: 1 })
  expect(await new Client(A).outcome()).toBe('served')
  await pass(1000)
  const [next, other] = [new Client(A), come(B)]
  expect([await next.outcome(), await other.outcome()]).toEqual(['served', 'waiting'])
  expect([source.links.map(({ isClosed }) => isClosed), ends]).toEqual([[false], []])
})

test('pods that are to complete end who listens as well', async () => {
  start('session', { endsListeners: true })
  const client = await served(A)
  await client.listen()
  await pass(IDLE_MS)
  expect([await client.isAlive(), ends]).toEqual([false, ['idle']])
})

test.each(['session', 'principal', 'shared'] as const)(
  'model %s: the table of sessions is full of A’s: one that is gone makes room, one that lives does not',
  async (model) => {
    start(model, { places: MAX_SESSIONS + 1 })
    const held = Array.from({ length: MAX_SESSIONS }, () => new Client(A))
    expect(await held.at(-1)?.outcome()).toBe('served')
    nowMs += 1000
    for (const client of held.slice(1)) await client.call()
    const next = new Client(B)
    expect([await next.outcome(), legacy.sessions.size, ends]).toEqual([
      'served',
      MAX_SESSIONS,
      ['room'],
    ])
    expect(await new Client(B).outcome()).toBe('503')
  },
)
