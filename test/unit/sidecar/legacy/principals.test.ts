// Two principals before one sidecar in the legacy era: what is one's does not exist for the other, and which process
// serves whom is the process model's.

import { keptRemarks } from '../../../support/kept-remarks.ts'
import { aBudget } from '../../../support/budgets.ts'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Permit } from '../../../../sidecar/access/permit.ts'
import { Legacy } from '../../../../sidecar/legacy/legacy.ts'
import type { ProcessModel } from '../../../../sidecar/legacy/backend.ts'
import type { Fault } from '../../../../sidecar/mcp/faults.ts'
import { anExchange } from '../../../support/fake-exchange.ts'
import type { FakeLink } from '../../../support/fake-link.ts'
import type { FakeReply } from '../../../support/fake-reply.ts'
import { FakeSource } from '../../../support/fake-source.ts'
import { anAsked } from '../../../support/messages.ts'
import { permitOf, permitWith } from '../../../support/principals.ts'

const IDLE_MS = 1000
const A = permitOf('https://issuer.example a')
const B = permitOf('https://issuer.example b')
// The one revision that has batches.
const VERSION = '2025-03-26'

let source: FakeSource
let legacy: Legacy
let nowMs: number

const start = (model: ProcessModel): void => {
  let last = 100
  let sessions = 0
  nowMs = 0
  source = new FakeSource()
  legacy = new Legacy({
    source,
    budget: aBudget(),
    model,
    startupTimeoutMs: 10_000,
    requestTimeoutMs: 10_000,
    idleTimeoutMs: IDLE_MS,
    maxConcurrentCalls: 64,
    clientTimeoutMs: 60_000,
    keepAliveMs: 10_000,
    nextId: () => ++last,
    newSessionId: () => `session-${++sessions}`,
    now: () => nowMs,
    observe: () => undefined,
    remarks: keptRemarks(),
    onStarted: () => undefined,
    onStartFailed: () => undefined,
    onDied: () => undefined,
    endsListeners: false,
    onSessionEnd: () => undefined,
  })
}

const INITIALIZE = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"${VERSION}","capabilities":{"sampling":{}},"clientInfo":{"name":"c","version":"1"}}}`
const request = (method: string, params = '{}', id = '1'): string =>
  `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`
const note = (method: string, params = '{}'): string =>
  `{"jsonrpc":"2.0","method":"${method}","params":${params}}`
const result = (id: number | string, value = '{}'): string =>
  `{"jsonrpc":"2.0","id":${id},"result":${value}}`

/** What one client sees of one exchange: the fault that ended its way, or its reply. */
type Asked = { readonly fault: Fault | undefined; readonly client: FakeReply }

/** A client of a principal's, with the session that it names. */
class Client {
  readonly permit: Permit
  session: string | undefined

  constructor(permit: Permit, session?: string) {
    this.permit = permit
    this.session = session
  }

  async open(): Promise<this> {
    const { exchange, client } = anExchange()
    await legacy.post(this.permit, exchange, anAsked(INITIALIZE))
    this.session = /mcp-session-id: (\S+)/.exec(await client.received())?.[1]
    return this
  }

  async post(body: string): Promise<Asked> {
    const { exchange, client } = this.exchange()
    return { fault: await legacy.post(this.permit, exchange, anAsked(body)), client }
  }

  batch(...bodies: readonly string[]): Asked {
    const { exchange, client } = this.exchange()
    return { fault: legacy.batch(this.permit, exchange, bodies.map(anAsked)), client }
  }

  listen(lastEventId?: string): Asked {
    const seen = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
    const { exchange, client } = this.exchange(seen)
    return { fault: legacy.listen(this.permit, exchange), client }
  }

  delete(): Asked {
    const { exchange, client } = this.exchange()
    return { fault: legacy.delete(this.permit, exchange), client }
  }

  /** A stream of the server's messages. */
  async events(): Promise<() => Promise<string[]>> {
    const { client } = this.listen()
    return () => eventsOf(client)
  }

  private exchange(more: Readonly<Record<string, string>> = {}) {
    const { session } = this
    return anExchange(session === undefined ? more : { ...more, 'mcp-session-id': session })
  }
}

const eventsOf = async ({ body }: FakeReply): Promise<string[]> =>
  [...(await body()).matchAll(/data: (.+)/g)].map(([, data]) => data ?? '')

const open = (permit: Permit): Promise<Client> => new Client(permit).open()

const link = (index: number): FakeLink => {
  const found = source.links[index]
  if (!found) throw new Error(`there is no process ${index}`)
  return found
}

/** What the server was sent since it was initialized. */
const heardBy = (index: number): readonly string[] => link(index).sent.slice(1)

const NEVER_WAS: Fault = {
  code: 'session-unknown',
  message: 'no such session: send initialize again',
}

const TRIES: readonly (readonly [name: string, ask: (client: Client) => Asked | Promise<Asked>])[] =
  [
    ['a request', (client) => client.post(request('tools/list'))],
    ['a notification', (client) => client.post(note('notifications/initialized'))],
    ['a cancellation', (client) => client.post(note('notifications/cancelled', '{"requestId":1}'))],
    ['an answer', (client) => client.post(result(1))],
    ['a batch', (client) => client.batch(request('tools/list'), note('notifications/initialized'))],
    ['GET', (client) => client.listen()],
    ['GET with an event of it', (client) => client.listen('1-1')],
    ['DELETE', (client) => client.delete()],
  ]

describe.each(['session', 'principal', 'shared'] as const)('a session of A, model %s', (model) => {
  let a: Client
  let b: Client

  beforeEach(async () => {
    start(model)
    a = await open(A)
    b = new Client(B, a.session)
  })

  describe.each<[string, string | undefined, end: () => unknown]>([
    ['that lives', undefined, () => undefined],
    ['that A has ended', 'the session has ended: the client ended it', () => a.delete()],
    [
      'that nobody has used',
      `the session has ended: nobody used it for ${IDLE_MS} ms`,
      () => legacy.sweep((nowMs += IDLE_MS)),
    ],
    [
      'whose server has ended',
      // What a process wrote that they share may be of another's call.
      `the session has ended: the server exited${model === 'shared' ? '' : '; it wrote: secret'}`,
      () => link(0).ends({ message: 'the server exited', stderr: 'secret' }),
    ],
    [
      'that a drain has ended',
      'the session has ended: the server is being stopped',
      () => legacy.endIdle(),
    ],
  ])('%s', (_name, why, end) => {
    test.each(TRIES)('is none of B’s: %s', async (_name, ask) => {
      end()
      const sent = heardBy(0)
      const asked = await ask(b)
      expect(asked.fault).toEqual(NEVER_WAS)
      expect(asked.fault).toEqual((await ask(new Client(B, 'made up'))).fault)
      expect(await asked.client.received()).toBe('')
      expect(heardBy(0)).toEqual(sent)
      const own = (await a.post(note('notifications/initialized'))).fault
      expect(own?.message).toBe(why)
    })
  })

  test('is not kept alive by B', async () => {
    nowMs = IDLE_MS - 1
    for (const [, ask] of TRIES) await ask(b)
    legacy.sweep(IDLE_MS)
    expect(legacy.sessions.size).toBe(0)
  })

  test('does not become B’s by an initialize that names it', async () => {
    await b.open()
    expect(b.session).toBe('session-2')
    expect(legacy.sessions.size).toBe(2)
    expect(await b.delete().client.received()).toContain(' 204 ')
    expect(legacy.sessions.size).toBe(1)
    expect((await a.post(note('notifications/initialized'))).fault).toBeUndefined()
  })
})

describe('which process', () => {
  type Row = readonly [model: ProcessModel, processes: readonly number[]]
  // Sessions of A, B, A, B and the place of the process that serves each.
  const ROWS: readonly Row[] = [
    ['session', [0, 1, 2, 3]],
    ['principal', [0, 1, 0, 1]],
    ['shared', [0, 0, 0, 0]],
  ]
  const serverOf = async (client: Client, index: number): Promise<number> => {
    await client.post(request('tools/list', `{"cursor":"of ${index}"}`))
    return source.serverOf(`of ${index}`)
  }

  describe.each(ROWS)('serves whom, model %s', (model, processes) => {
    test.each<[string, () => Promise<readonly Client[]>]>([
      [
        'one after the other',
        async () => [await open(A), await open(B), await open(A), await open(B)],
      ],
      ['at once', () => Promise.all([open(A), open(B), open(A), open(B)])],
    ])('%s', async (_name, openAll) => {
      start(model)
      const clients = await openAll()
      const served: number[] = []
      for (const [index, client] of clients.entries()) served.push(await serverOf(client, index))
      expect(served).toEqual(processes)
      expect(source.links).toHaveLength(new Set(processes).size)
    })
  })

  test.each([
    ['in case', 'a', 'A'],
    ['by a space', 'a', 'a '],
    ['by a quote', 'a', 'a"'],
    ['by what could be a part of the key', 'a', 'a","2025-03-26'],
    ['as the names of models', 'shared', 'principal'],
    ['as members of every object', '__proto__', 'constructor'],
    ['from the empty one', '', ' '],
  ])('principals that differ %s never share one', async (_name, one, other) => {
    start('principal')
    await Promise.all([open(permitOf(one)), open(permitOf(other))])
    expect(source.links).toHaveLength(2)
    await Promise.all([open(permitOf(one)), open(permitOf(other))])
    expect(source.links).toHaveLength(2)
  })

  test('ends with A’s last session, while B’s goes on', async () => {
    start('principal')
    const [a, b] = [await open(A), await open(B)]
    const another = await open(A)
    a.delete()
    expect(source.links.map(({ isClosed }) => isClosed)).toEqual([false, false])
    another.delete()
    expect(source.links.map(({ isClosed }) => isClosed)).toEqual([true, false])
    expect((await b.post(request('tools/list'))).fault).toBeUndefined()
  })

  test('ends: the sessions of A end, those of B do not', async () => {
    start('principal')
    const [a, b] = [await open(A), await open(B)]
    link(0).ends({ message: 'the server exited' })
    expect((await a.post(request('tools/list'))).fault?.code).toBe('session-unknown')
    expect((await b.post(request('tools/list'))).fault).toBeUndefined()
  })

  test('is B’s too where A has gone away before it answered (model shared)', async () => {
    start('shared')
    const { exchange, client } = anExchange()
    const gone = legacy.post(A, exchange, anAsked(INITIALIZE))
    const isGone = client.hangUp()
    const b = await open(B)
    await Promise.all([gone, isGone])
    expect([source.links.length, legacy.sessions.size]).toEqual([1, 1])
    expect((await b.post(request('tools/list'))).fault).toBeUndefined()
  })
})

describe('a caller whose later token says less', () => {
  const asks = '{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{}}'
  const tells =
    '{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"f://a"}}'

  test('is asked, and hears, by what its last request has shown', async () => {
    start('session')
    const client = await open(permitWith('a', {}))
    const heard = await client.events()
    link(0).says(asks)
    link(0).says(tells)
    expect(await heard()).toEqual([
      expect.stringContaining('sampling/createMessage'),
      expect.stringContaining('f://a'),
    ])
    const less = permitWith('a', { mayBeAsked: () => false, mayRead: () => false })
    await new Client(less, client.session).post(request('tools/list'))
    link(0).says(asks)
    link(0).says(tells)
    expect(await heard()).toHaveLength(2)
    expect(heardBy(0).at(-1)).toContain('"error"')
  })
})

describe('in one process that A and B share', () => {
  let a: Client
  let b: Client
  let heardByA: () => Promise<string[]>
  let heardByB: () => Promise<string[]>

  beforeEach(async () => {
    start('shared')
    a = await open(A)
    b = await open(B)
    heardByA = await a.events()
    heardByB = await b.events()
  })

  const says = (body: string, relatedTo?: number): void => link(0).says(body, relatedTo)

  test('no client features are promised to the server', () => {
    expect(link(0).sent[0]).toContain('"capabilities":{}')
    expect(link(0).sent[0]).toContain('"name":"outrigger"')
  })

  describe.each([
    ['while both wait for an answer', true],
    ['while nobody does', false],
  ])('%s', (_name, areBusy) => {
    let waiting: readonly FakeReply[]

    beforeEach(async () => {
      const asked = areBusy ? [await a.post(request('x')), await b.post(request('x'))] : []
      waiting = asked.map(({ client }) => client)
    })

    const heard = async (): Promise<string[]> => [
      ...(await heardByA()),
      ...(await heardByB()),
      ...(await Promise.all(waiting.map((one) => one.received()))).filter((text) => text !== ''),
    ]

    test.each([
      ['sampling', 'sampling/createMessage', '"code":-32601'],
      ['elicitation', 'elicitation/create', '"code":-32601'],
      ['roots', 'roots/list', '"code":-32601'],
      ['what nobody knows', 'x/y', '"code":-32601'],
      ['a ping', 'ping', '"result":{}'],
    ])('the server asks for %s: no client hears of it', async (_name, method, answer) => {
      says(request(method, '{}', '"s-1"'))
      expect(await heard()).toEqual([])
      expect(heardBy(0).at(-1)).toContain('"id":"s-1"')
      expect(heardBy(0).at(-1)).toContain(answer)
      const sent = heardBy(0).length
      await a.post(result('"s-1"'))
      await b.post(result('"s-1"'))
      expect(heardBy(0)).toHaveLength(sent)
    })

    test.each([
      ['a log line', note('notifications/message', '{"level":"info","data":"secret"}')],
      [
        'an update of what nobody subscribed to',
        note('notifications/resources/updated', '{"uri":"u"}'),
      ],
      ['an update of nothing', note('notifications/resources/updated')],
      ['what nobody knows', note('notifications/x')],
      ['progress of nobody', note('notifications/progress', '{"progressToken":7,"progress":1}')],
      ['a cancellation', note('notifications/cancelled', '{"requestId":1}')],
    ])('the server says %s: nobody hears it', async (_name, said) => {
      says(said)
      expect(await heard()).toEqual([])
    })
  })

  test('a log line that belongs to a call, where that is known: its caller hears it', async () => {
    const [ofA, ofB] = [await a.post(request('x')), await b.post(request('x'))]
    const line = note('notifications/message', '{"level":"info","data":"of A"}')
    says(line, 102)
    expect(await eventsOf(ofA.client)).toEqual([line])
    expect(await ofB.client.received()).toBe('')
    expect([await heardByA(), await heardByB()]).toEqual([[], []])
  })

  test('a list that has changed has changed for both', async () => {
    const changed = note('notifications/tools/list_changed')
    says(changed)
    expect([await heardByA(), await heardByB()]).toEqual([[changed], [changed]])
  })

  describe('resources', () => {
    const updated = (uri: string): string =>
      note('notifications/resources/updated', `{"uri":"${uri}"}`)
    const subscribe = (client: Client, uri: string): Promise<Asked> =>
      client.post(request('resources/subscribe', `{"uri":"${uri}"}`))
    const unsubscribe = (client: Client, uri: string): Promise<Asked> =>
      client.post(request('resources/unsubscribe', `{"uri":"${uri}"}`))

    test('are told to whoever subscribed to them', async () => {
      await subscribe(a, 'of-a')
      await subscribe(b, 'of-b')
      says(updated('of-a'))
      says(updated('of-b'))
      expect([await heardByA(), await heardByB()]).toEqual([[updated('of-a')], [updated('of-b')]])
    })

    test.each<[string, () => unknown]>([
      ['unsubscribes without having subscribed', () => unsubscribe(b, 'u')],
      [
        'subscribes and unsubscribes',
        async () => [await subscribe(b, 'u'), await unsubscribe(b, 'u')],
      ],
      ['subscribes and leaves', async () => [await subscribe(b, 'u'), b.delete()]],
    ])('stay A’s where B %s', async (_name, then) => {
      await subscribe(a, 'u')
      await then()
      expect(heardBy(0).filter((text) => text.includes('unsubscribe'))).toEqual([])
      says(updated('u'))
      expect(await heardByA()).toEqual([updated('u')])
    })
  })

  describe('a request of A’s', () => {
    const token = '{"_meta":{"progressToken":"same"}}'
    const progress = (of: string): string =>
      note('notifications/progress', `{"progressToken":${of},"progress":1}`)
    let ofA: FakeReply

    beforeEach(async () => {
      ofA = (await a.post(request('x', token))).client
    })

    test.each([
      ['under its id', '1', 'notifications/cancelled'],
      ['under the number that the server knows', '102', 'notifications/cancelled'],
      ['under that number as a string', '"102"', 'notifications/cancelled'],
      ['with a method that is written otherwise', '102', 'notifications/cance\\u006cled'],
    ])('is not cancelled by B %s', async (_name, id, method) => {
      const sent = heardBy(0)
      await b.post(note(method, `{"requestId":${id}}`))
      b.batch(note(method, `{"requestId":${id}}`))
      expect(heardBy(0)).toEqual(sent)
      says(result(102, '"for A"'))
      expect(await ofA.body()).toBe(result(1, '"for A"'))
    })

    test('is not cancelled where B cancels its own of the same id', async () => {
      const ofB = (await b.post(request('x', token))).client
      await b.post(note('notifications/cancelled', '{"requestId":1}'))
      expect(heardBy(0).at(-1)).toBe(note('notifications/cancelled', '{"requestId":103}'))
      expect(await ofB.body()).toContain('the client cancelled the request')
      says(result(103, '"too late"'))
      says(result(102, '"for A"'))
      expect(await ofA.body()).toBe(result(1, '"for A"'))
    })

    test('and one of B’s have the same id and token: each hears its own', async () => {
      const ofB = (await b.post(request('x', token))).client
      says(progress('103'))
      says(progress('102'))
      says(progress('"same"'))
      says(result(103, '"for B"'))
      says(result(102, '"for A"'))
      expect(await eventsOf(ofA)).toEqual([progress('"same"'), result(1, '"for A"')])
      expect(await eventsOf(ofB)).toEqual([progress('"same"'), result(1, '"for B"')])
      expect([await heardByA(), await heardByB()]).toEqual([[], []])
    })

    test('is answered although B has gone', async () => {
      await b.post(request('x'))
      b.delete()
      await nextTurn()
      expect(heardBy(0).at(-1)).toContain('"requestId":103')
      says(result(102, '"for A"'))
      expect(await ofA.body()).toBe(result(1, '"for A"'))
      expect(link(0).isClosed).toBe(false)
    })
  })

  test('A’s roots are no news to the server', async () => {
    const sent = heardBy(0)
    await a.post(note('notifications/roots/list_changed'))
    expect(heardBy(0)).toEqual(sent)
  })
})

describe('what a process that everybody shares is promised', () => {
  const ours =
    /"method":"initialize","params":\{"protocolVersion":"2025-11-25","capabilities":\{\},"clientInfo":\{"name":"outrigger"/

  test.each([
    ['a client with features', INITIALIZE],
    ['a client that says nothing', '{"jsonrpc":"2.0","id":0,"method":"initialize"}'],
    ['a client with members of its own', INITIALIZE.replace('"id":0', '"id":0,"roots":true')],
  ])('is nothing, where the first is %s', async (_name, initialize) => {
    start('shared')
    const { exchange } = anExchange()
    await legacy.post(A, exchange, anAsked(initialize))
    expect(source.links.map(({ sent }) => sent)).toEqual([[expect.stringMatching(ours)]])
    expect(source.links[0]?.sent[0]).not.toContain('roots')
  })
})

describe('what a process of A’s own asks', () => {
  test.each(['session', 'principal'] as const)('is not answered by B, model %s', async (model) => {
    start(model)
    const [a, b] = [await open(A), await open(B)]
    const heardByA = await a.events()
    const heardByB = await b.events()
    const ask = request('sampling/createMessage', '{}', '"s-1"')
    link(0).says(ask)
    expect([await heardByA(), await heardByB()]).toEqual([[ask], []])
    await b.post(result('"s-1"', '"of B"'))
    expect([heardBy(0), heardBy(1)]).toEqual([[], []])
    await a.post(result('"s-1"', '"of A"'))
    expect([heardBy(0), heardBy(1)]).toEqual([[result('"s-1"', '"of A"')], []])
  })
})

describe('a cancellation', () => {
  const cancel = (id: string): string => note('notifications/cancelled', `{"requestId":${id}}`)
  const ASK = request('sampling/createMessage', '{}', '0')
  let a: Client
  let heardByA: () => Promise<string[]>

  beforeEach(async () => {
    start('session')
    a = await open(A)
    heardByA = await a.events()
  })

  // All but the first were once taken for 0; those that are long cost time by the square of their length.
  describe.each([
    ['of no request', '{}'],
    ['of null', '{"requestId":null}'],
    ['of an object', '{"requestId":{}}'],
    ['of a number longer than any id', `{"requestId":0.${'0'.repeat(256)}}`],
  ])('%s', (_name, params) => {
    const none = note('notifications/cancelled', params)

    test('of the client’s cancels none of its requests', async () => {
      const { client } = await a.post(request('x', '{}', '0'))
      const sent = heardBy(0)
      await a.post(none)
      expect(heardBy(0)).toEqual(sent)
      link(0).says(result(102))
      expect(await client.body()).toBe(result(0))
    })

    test('of the server’s is told to nobody', async () => {
      link(0).says(ASK)
      link(0).says(none)
      expect(await heardByA()).toEqual([ASK])
    })
  })

  test('of the server’s makes room for its next request', async () => {
    for (let id = 0; id < 65; id++) {
      link(0).says(request('sampling/createMessage', '{}', `${id}`))
      link(0).says(cancel(`${id}`))
    }
    expect(heardBy(0)).toEqual([])
    expect(await heardByA()).toHaveLength(130)
    await a.post(result(64))
    expect(heardBy(0)).toEqual([])
  })
})
