// Two principals before one sidecar in the modern era: whose process serves whom, when it is given up, and who hears
// what it says.

import { aBudget } from '../../../support/budgets.ts'
import { keptRemarks } from '../../../support/kept-remarks.ts'
import { beforeEach, describe, expect, test } from '@jest/globals'
import type { Budget } from '../../../../sidecar/bytes/budget.ts'
import type { Permit } from '../../../../sidecar/access/permit.ts'
import { Modern } from '../../../../sidecar/modern/modern.ts'
import { anExchange } from '../../../support/fake-exchange.ts'
import type { FakeLink } from '../../../support/fake-link.ts'
import type { FakeReply } from '../../../support/fake-reply.ts'
import { FakeSource } from '../../../support/fake-source.ts'
import { anAsked } from '../../../support/messages.ts'
import { permitOf } from '../../../support/principals.ts'

const IDLE_MS = 5000
/** So long after its last call nobody is taken for gone. */
const SETTLED_MS = 1000
const A = permitOf('https://issuer.example a')
const B = permitOf('https://issuer.example b')
const C = permitOf('https://issuer.example c')
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'

let source: FakeSource
let modern: Modern
let budget: Budget
let nowMs: number
let ends: string[]

const start = (model: 'session' | 'principal' | 'shared', places = 1024): void => {
  let last = 100
  nowMs = 0
  ends = []
  source = new FakeSource({ places, idleTimeoutMs: IDLE_MS, now: () => nowMs })
  budget = aBudget()
  modern = new Modern({
    source,
    budget,
    model,
    requestTimeoutMs: 10_000,
    startupTimeoutMs: 10_000,
    idleTimeoutMs: IDLE_MS,
    keepAliveMs: 10_000,
    nextId: () => ++last,
    now: () => nowMs,
    observe: () => undefined,
    remarks: keptRemarks(),
    onStartFailed: () => undefined,
    onProcessEnd: (end) => ends.push(end),
  })
}

const request = (method: string, meta = '{}', of = ''): string =>
  `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{"cursor":"${of}","_meta":${meta}}}`
const note = (method: string, params: string): string =>
  `{"jsonrpc":"2.0","method":"${method}","params":${params}}`
const result = (id: number | string, value = '{}'): string =>
  `{"jsonrpc":"2.0","id":${id},"result":${value}}`
const LOGS = '{"io.modelcontextprotocol/logLevel":"debug"}'
const TOKEN = '{"progressToken":"same"}'
/** What is read of a call by the stages before. */
const STATED = { version: '2026-07-28', name: 'x' }

const post = async (permit: Permit, body: string): Promise<FakeReply> => {
  const { exchange, client } = anExchange()
  await modern.post(permit, exchange, anAsked(body), STATED)
  return client
}
const ask = (permit: Permit, meta?: string, of?: string): Promise<FakeReply> =>
  post(permit, request('tools/list', meta, of))
const subscribe = (permit: Permit): Promise<FakeReply> =>
  post(permit, request('subscriptions/listen'))

const link = (index: number): FakeLink => {
  const found = source.links[index]
  if (!found) throw new Error(`there is no process ${index}`)
  return found
}
const eventsOf = async ({ body }: FakeReply): Promise<string[]> =>
  [...(await body()).matchAll(/data: (.+)/g)].map(([, data]) => data ?? '')
const closed = (): readonly boolean[] => source.links.map(({ isClosed }) => isClosed)

describe.each<['session' | 'principal' | 'shared', readonly number[]]>([
  ['session', [0, 1, 0, 1]],
  ['principal', [0, 1, 0, 1]],
  ['shared', [0, 0, 0, 0]],
])('which process serves whom, model %s', (model, processes) => {
  const inTurn = async (): Promise<void> => {
    for (const [index, permit] of [A, B, A, B].entries()) await ask(permit, '{}', `of ${index}`)
  }
  const atOnce = (): Promise<unknown> =>
    Promise.all([A, B, A, B].map((permit, index) => ask(permit, '{}', `of ${index}`)))

  test.each<[string, () => Promise<unknown>]>([
    ['one after the other', inTurn],
    ['at once', atOnce],
  ])('%s', async (_name, askAll) => {
    start(model)
    await askAll()
    expect([0, 1, 2, 3].map((index) => source.serverOf(`of ${index}`))).toEqual(processes)
    expect(source.links).toHaveLength(new Set(processes).size)
  })
})

test.each([
  ['in case', 'a', 'A'],
  ['by a space', 'a', 'a '],
  ['as the names of models', 'shared', 'principal'],
  ['as members of every object', '__proto__', 'constructor'],
  ['from the empty one', '', ' '],
])('principals that differ %s never share a process', async (_name, one, other) => {
  start('principal')
  for (const key of [one, other, one, other]) await ask(permitOf(key))
  expect(source.links.map(({ sent }) => sent.length)).toEqual([2, 2])
})

describe('when a caller’s right ends', () => {
  const begin = async (method: string): Promise<FakeReply> => {
    start('principal')
    const { exchange, client } = anExchange()
    exchange.reply.untilMs = 1000
    await modern.post(A, exchange, anAsked(request(method)), STATED)
    nowMs = 999
    modern.sweep(nowMs)
    expect(modern.inFlight).toBe(1)
    nowMs = 1000
    modern.sweep(nowMs)
    expect(modern.inFlight).toBe(0)
    return client
  }

  test('a subscription ends as such', async () => {
    const client = await begin('subscriptions/listen')
    expect(await client.body()).toContain('"resultType":"complete"')
  })

  test('a call is cut off, and the server told', async () => {
    const client = await begin('tools/list')
    expect(await client.received()).toBe('')
    expect(link(0).sent.at(-1)).toContain('notifications/cancelled')
  })
})

const answer = (index: number): void => {
  for (const text of link(index).sent) {
    const [, id] = /"id":(\d+)/.exec(text) ?? []
    if (id !== undefined) link(index).says(result(id))
  }
}

describe.each(['session', 'principal'] as const)(
  'a process whose place C needs, model %s',
  (model) => {
    let ofC: FakeReply | undefined

    /** C comes, this long after everything before. */
    const needed = async (afterMs = SETTLED_MS): Promise<void> => {
      nowMs += afterMs
      void ask(C, '{}', 'of c').then((client) => {
        ofC = client
      })
      await source.sweep()
    }
    const isServed = (): boolean => source.serverOf('of c') !== -1

    beforeEach(() => {
      ofC = undefined
    })

    test.each<[string, begin: () => Promise<unknown>, isBusy: boolean]>([
      ['answers a request', () => ask(A), true],
      ['answers a request with log lines', () => ask(A, LOGS), true],
      ['has a subscription', () => subscribe(A), true],
      [
        'answers the second of two',
        async () => {
          await ask(A)
          await ask(A)
          link(0).says(result(101))
        },
        true,
      ],
      [
        'has answered',
        async () => {
          await ask(A)
          answer(0)
        },
        false,
      ],
      [
        'has answered with log lines',
        async () => {
          await ask(A, LOGS)
          answer(0)
        },
        false,
      ],
      ['has lost its client', async () => (await ask(A)).hangUp(), false],
      ['has lost the client of its subscription', async () => (await subscribe(A)).hangUp(), false],
    ])('and A’s %s', async (_name, begin, isBusy) => {
      start(model, 1)
      await begin()
      await needed()
      expect([closed()[0], isServed(), ends]).toEqual([!isBusy, !isBusy, isBusy ? [] : ['room']])
      answer(0)
      nowMs += SETTLED_MS
      await source.sweep()
      expect([closed()[0], isServed(), ends]).toEqual([true, true, ['room']])
    })

    test('and A’s has just answered: it is taken a moment later', async () => {
      start(model, 1)
      await ask(A)
      answer(0)
      await needed(SETTLED_MS - 1)
      expect(isServed()).toBe(false)
      nowMs++
      await source.sweep()
      expect(isServed()).toBe(true)
    })

    test('and A only listens: it is taken after the idle time, and the subscription ends as one', async () => {
      start(model, 1)
      const ofA = await subscribe(A)
      await needed(IDLE_MS - 1)
      expect([isServed(), await ofA.received()]).toEqual([false, ''])
      nowMs++
      await source.sweep()
      expect([isServed(), ends]).toEqual([true, ['room']])
      expect(await ofA.body()).toContain('"resultType":"complete"')
    })

    test('and A works all the time: C is refused after a while, and told when to come again', async () => {
      start(model, 1)
      await ask(A)
      await needed()
      expect(ofC).toBeUndefined()
      nowMs += 5000
      await source.sweep()
      const told = await ofC?.received()
      expect(told).toContain('HTTP/1.1 503 ')
      expect(told).toContain('retry-after: 5')
      expect(closed()).toEqual([false])
    })

    test.each<[string, busy: Permit, closes: readonly boolean[]]>([
      ['A’s works and B’s does not', A, [false, true, false]],
      ['B’s works and A’s does not', B, [true, false, false]],
    ])('is the idle one’s where %s', async (_name, busy, closes) => {
      start(model, 2)
      for (const permit of [A, B]) await ask(permit)
      answer(0)
      answer(1)
      await ask(busy)
      await needed()
      expect([isServed(), closed()]).toEqual([true, closes])
    })

    test('is the one that has been idle longest', async () => {
      start(model, 2)
      for (const permit of [A, B]) await ask(permit)
      nowMs = 1
      answer(1)
      nowMs = 2
      answer(0)
      await needed()
      expect(closed()).toEqual([false, true, false])
    })

    test.each([...Array(12).keys()])(
      'is not that of a request which has just got its process (%i turns later)',
      async (turns) => {
        start(model, 1)
        const asked = ask(A)
        for (let turn = 0; turn < turns; turn++) await Promise.resolve()
        await needed()
        await asked
        expect(closed()).toEqual([false])
      },
    )
  },
)

test('where everybody shares one process, it has its place for all', async () => {
  start('shared', 1)
  for (const permit of [A, B, C]) await ask(permit, '{}', 'of all')
  expect([source.links.length, link(0).sent.length]).toEqual([1, 3])
})

describe('a process', () => {
  beforeEach(() => start('principal'))

  test.each<[string, busy: Permit, ends: readonly boolean[]]>([
    ['A’s', A, [false, true]],
    ['B’s', B, [true, false]],
  ])(
    'that nobody has used for the idle time ends, and not %s, which works',
    async (_name, busy, ends) => {
      for (const permit of [A, B]) await ask(permit)
      answer(0)
      answer(1)
      await ask(busy)
      modern.sweep((nowMs = IDLE_MS))
      expect(closed()).toEqual(ends)
    },
  )

  test('ends by itself: A’s requests fail, B’s do not, and neither gets the other’s', async () => {
    const [ofA, ofB] = [await ask(A), await ask(B)]
    link(0).ends({ message: 'the server exited', stderr: 'secret' })
    expect(await ofA.body()).toContain('secret')
    expect(await ofB.received()).toBe('')
    await ask(A, '{}', 'again')
    expect(source.serverOf('again')).toBe(2)
    link(1).says(result(102, '"for B"'))
    expect(await ofB.body()).toBe(result(1, '"for B"'))
  })
})

test('a call whose client goes while it waits for its process keeps nothing', async () => {
  start('principal', 1)
  await ask(A)
  const { exchange, client } = anExchange()
  const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`
  void modern.post(B, exchange, anAsked(call), STATED)
  expect(budget.of('calls')).toBeGreaterThan(0)
  await client.hangUp()
  expect(budget.of('calls')).toBe(0)
  answer(0)
  nowMs += SETTLED_MS
  await source.sweep()
  await source.sweep()
  expect(source.links).toHaveLength(2)
  expect(budget.of('calls')).toBe(0)
})

describe('in one process that A and B share', () => {
  beforeEach(() => start('shared'))

  const sent = (): readonly string[] => link(0).sent
  const cancelled = (): readonly string[] => sent().filter((text) => text.includes('cancelled'))
  const progress = (of: string): string =>
    note('notifications/progress', `{"progressToken":${of},"progress":1}`)

  test('equal ids and tokens: each hears its own', async () => {
    const [ofA, ofB] = [await ask(A, TOKEN), await ask(B, TOKEN)]
    link(0).says(progress('102'))
    link(0).says(progress('101'))
    link(0).says(progress('"same"'))
    link(0).says(result(102, '"for B"'))
    link(0).says(result(101, '"for A"'))
    expect(await eventsOf(ofA)).toEqual([progress('"same"'), result(1, '"for A"')])
    expect(await eventsOf(ofB)).toEqual([progress('"same"'), result(1, '"for B"')])
  })

  test.each([
    ['under its id', '1'],
    ['under the number that the server knows', '101'],
    ['under that number as a string', '"101"'],
  ])('B cancels a request of A’s %s: nothing comes of it', async (_name, id) => {
    const ofA = await ask(A)
    const ofB = await post(B, note('notifications/cancelled', `{"requestId":${id}}`))
    expect(await ofB.received()).toContain(' 202 ')
    expect(cancelled()).toEqual([])
    link(0).says(result(101, '"for A"'))
    expect(await ofA.body()).toBe(result(1, '"for A"'))
  })

  test.each([
    ['request', request('tools/list')],
    ['request with log lines', request('tools/list', LOGS)],
    ['subscription', request('subscriptions/listen')],
  ])('B had gone before its %s was looked at: nothing is begun', async (_name, body) => {
    await ask(A)
    const { exchange, client } = anExchange()
    await client.hangUp()
    await modern.post(B, exchange, anAsked(body), STATED)
    expect([modern.inFlight, sent().length]).toEqual([1, 1])
  })

  test('B hangs up: its own request is cancelled', async () => {
    const [ofA, ofB] = [await ask(A), await ask(B)]
    await ofB.hangUp()
    expect(cancelled()).toEqual([
      note('notifications/cancelled', '{"requestId":102,"reason":"disconnected"}'),
    ])
    link(0).says(result(101, '"for A"'))
    expect(await ofA.body()).toBe(result(1, '"for A"'))
  })

  test('a change is told to the subscription that it names', async () => {
    const [ofA, ofB] = [await subscribe(A), await subscribe(B)]
    const updated = (of: string): string =>
      note('notifications/resources/updated', `{"uri":"u","_meta":{"${SUBSCRIPTION}":${of}}}`)
    link(0).says(updated('102'))
    expect([await eventsOf(ofA), await eventsOf(ofB)]).toEqual([[], [updated('1')]])
    link(0).says(updated('1'))
    link(0).says(note('notifications/resources/updated', '{"uri":"u"}'))
    expect([await eventsOf(ofA), await eventsOf(ofB)]).toEqual([[], [updated('1')]])
  })

  test.each([
    ['a request', request('sampling/createMessage')],
    ['a ping', request('ping')],
    ['a change of no subscription', note('notifications/tools/list_changed', '{}')],
    ['a log line that nobody asked for', note('notifications/message', '{"data":"secret"}')],
  ])('the server says %s: nobody hears it', async (_name, said) => {
    const all = [await ask(A), await ask(B), await subscribe(A), await subscribe(B)]
    const before = sent()
    link(0).says(said)
    expect(await Promise.all(all.map((one) => one.received()))).toEqual(['', '', '', ''])
    expect(sent()).toEqual(before)
  })

  test('a log line is told to nobody, whoever asked for them: it may be about a stranger’s call', async () => {
    const all = [await ask(A, LOGS), await ask(B), await ask(B, LOGS)]
    expect(source.links).toHaveLength(1)
    link(0).says(note('notifications/message', '{"data":"of B"}'))
    expect(await Promise.all(all.map((one) => one.received()))).toEqual(['', '', ''])
  })
})
