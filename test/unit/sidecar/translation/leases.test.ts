// Who has which legacy process, for how long, and what becomes of it: modern clients before a legacy server.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from '@jest/globals'
import type { Permit } from '../../../../sidecar/access/permit.ts'
import type { Modern } from '../../../../sidecar/modern/modern.ts'
import { startTranslation } from '../../../../sidecar/translation/start-translation.ts'
import { aBudget } from '../../../support/budgets.ts'
import { anExchange } from '../../../support/fake-exchange.ts'
import type { FakeLink } from '../../../support/fake-link.ts'
import type { FakeReply } from '../../../support/fake-reply.ts'
import { FakeSource } from '../../../support/fake-source.ts'
import { keptRemarks } from '../../../support/kept-remarks.ts'
import { anAsked } from '../../../support/messages.ts'
import { permitOf } from '../../../support/principals.ts'

const IDLE_MS = 50_000
const REQUEST_MS = 10_000
const A = permitOf('https://issuer.example a')
const B = permitOf('https://issuer.example b')
const STATED = { version: '2026-07-28', name: undefined }

let source: FakeSource
let modern: Modern
let nowMs: number
let ends: string[]
let failures: string[]

const start = (model: 'session' | 'principal' | 'shared' = 'session', calls = 64): void => {
  let last = 100
  nowMs = 0
  ends = []
  failures = []
  source = new FakeSource({ places: 1024, idleTimeoutMs: IDLE_MS, now: () => nowMs })
  modern = startTranslation({
    source,
    budget: aBudget(),
    model,
    maxConcurrentCalls: calls,
    requestTimeoutMs: REQUEST_MS,
    startupTimeoutMs: REQUEST_MS,
    idleTimeoutMs: IDLE_MS,
    keepAliveMs: 10_000,
    nextId: () => ++last,
    now: () => nowMs,
    observe: () => undefined,
    remarks: keptRemarks(),
    onStarted: () => undefined,
    onStartFailed: (reason) => failures.push(reason),
    onDied: () => undefined,
    onProcessEnd: (end) => ends.push(end),
  })
}
beforeEach(() => start())

/** What waits for a microtask or a turn has had it. */
const settle = async (): Promise<void> => {
  for (let turns = 0; turns < 4; turns += 1) await nextTurn()
}
const sweep = async (ms = 0): Promise<void> => {
  nowMs += ms
  modern.sweep(nowMs)
  await source.sweep()
  await settle()
}

const META = '"io.modelcontextprotocol/protocolVersion":"2026-07-28"'
const post = async (permit: Permit, method: string, of = '', meta = ''): Promise<FakeReply> => {
  const { exchange, client } = anExchange()
  const more = meta === '' ? '' : `,${meta}`
  const body = `{"jsonrpc":"2.0","id":"mine","method":"${method}","params":{"of":"${of}","_meta":{${META}${more}}}}`
  void modern.post(permit, exchange, anAsked(body), STATED)
  await settle()
  return client
}
const ask = (permit: Permit, of: string): Promise<FakeReply> => post(permit, 'prompts/get', of)

const link = (index: number): FakeLink => {
  const found = source.links[index]
  if (!found) throw new Error(`there is no process ${index}`)
  return found
}
/** Our id of the call that says this. */
const idOf = (index: number, of: string): string => {
  const text = link(index).sent.find((one) => one.includes(`"of":"${of}"`))
  const id = /"id":(\d+)/.exec(text ?? '')?.[1]
  if (id === undefined) throw new Error(`process ${index} has no call ${of}`)
  return id
}
const answer = async (index: number, of: string): Promise<void> => {
  link(index).says(`{"jsonrpc":"2.0","id":${idOf(index, of)},"result":{"of":"${of}"}}`)
  await settle()
}
/** The server says how far it is with the call that says this. */
const progress = (of: string): void => {
  const params = `{"progressToken":"${idOf(0, of)}","progress":1}`
  link(0).says(`{"jsonrpc":"2.0","method":"notifications/progress","params":${params}}`)
}
const where = (of: string): number => source.serverOf(`"of":"${of}"`)

describe('a process', () => {
  test('is initialized by us before it gets a call, without a word of the envelope', async () => {
    await ask(A, 'one')
    const [initialize, initialized, call] = link(0).sent
    expect(initialize).toContain('"method":"initialize"')
    expect(initialize).toContain('"capabilities":{}')
    expect(initialized).toContain('notifications/initialized')
    expect(call).toContain('"of":"one"')
    expect(call).not.toContain('io.modelcontextprotocol')
  })

  test('has one call at a time, the next once that is answered', async () => {
    const first = await ask(A, 'one')
    const second = await ask(A, 'two')
    expect([where('one'), where('two')]).toEqual([0, -1])
    await answer(0, 'one')
    expect(where('two')).toBe(0)
    await answer(0, 'two')
    expect(await first.body()).toContain('"id":"mine","result":{"resultType":"complete"')
    expect(await second.body()).toContain('"of":"two"')
    expect(source.links).toHaveLength(1)
  })

  test.each<['session' | 'principal' | 'shared', number]>([
    ['session', 2],
    ['principal', 2],
    ['shared', 1],
  ])('is nobody else’s, model %s: %d for two callers', async (model, count) => {
    start(model)
    for (const [index, permit] of [A, B, A, B].entries()) {
      await ask(permit, `of ${index}`)
      await answer(where(`of ${index}`), `of ${index}`)
    }
    expect(source.links).toHaveLength(count)
  })

  test.each([
    ['by itself', '{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{}}', '-32601'],
    ['that it is there', '{"jsonrpc":"2.0","id":1,"method":"ping"}', '"result":{}'],
  ])('that asks %s is answered', async (_name, question, said) => {
    await ask(A, 'one')
    link(0).says(question)
    expect(link(0).sent.at(-1)).toContain('"id":1')
    expect(link(0).sent.at(-1)).toContain(said)
  })

  test('that is idle for long ends', async () => {
    await ask(A, 'one')
    await sweep(REQUEST_MS - 1)
    expect(ends).toEqual([])
    await answer(0, 'one')
    await sweep(IDLE_MS)
    expect(ends).toEqual(['idle'])
    expect(link(0).isClosed).toBe(true)
  })

  test('that ends by itself fails its call alone; who waits gets another', async () => {
    const first = await ask(A, 'one')
    await ask(A, 'two')
    link(0).ends({ message: 'it has gone' })
    await settle()
    expect(await first.body()).toContain('it has gone')
    expect(where('two')).toBe(1)
    expect(ends).toEqual(['server'])
  })
})

describe('while calls wait', () => {
  test('another process is started once one has waited', async () => {
    await ask(A, 'one')
    await ask(A, 'two')
    await sweep(99)
    expect(source.links).toHaveLength(1)
    await sweep(1)
    expect(where('two')).toBe(1)
  })

  test('another process is started where many wait', async () => {
    for (const one of ['one', 'two', 'three', 'four', 'five']) await ask(A, one)
    await sweep()
    expect(where('two')).toBe(1)
  })

  test.each<['session' | 'principal' | 'shared', number, number]>([
    ['session', 64, 8],
    ['session', 3, 3],
    ['principal', 64, 1],
    ['shared', 64, 1],
  ])('model %s with %d calls at once has %d at most', async (model, calls, most) => {
    start(model, calls)
    for (let index = 0; index < 12; index += 1) await ask(A, `of ${index}`)
    for (let turns = 0; turns < 12; turns += 1) await sweep(200)
    expect(source.links).toHaveLength(most)
  })

  test('a server of which there can be one alone is left alone with it', async () => {
    await ask(A, 'one')
    source.slowDown()
    await ask(A, 'two')
    await sweep(100)
    link(1).ends({ message: 'the port is taken' })
    await sweep(200)
    await sweep(200)
    expect(source.links).toHaveLength(2)
    expect(failures).toEqual([])
    await answer(0, 'one')
    expect(where('two')).toBe(0)
  })

  test('who waits too long hears so', async () => {
    start('principal')
    await post(A, 'prompts/get', 'one', '"progressToken":"mine"')
    const second = await ask(A, 'two')
    nowMs += REQUEST_MS / 2
    // Its time begins anew.
    progress('one')
    await sweep(REQUEST_MS / 2)
    expect(await second.body()).toContain('it was not its turn within')
    await ask(A, 'three')
    await answer(0, 'one')
    expect(where('three')).toBe(0)
  })

  test('who has gone gets none', async () => {
    await ask(A, 'one')
    const second = await ask(A, 'two')
    await ask(A, 'three')
    await second.hangUp()
    await answer(0, 'one')
    expect([where('two'), where('three')]).toEqual([-1, 0])
  })

  test('a server that does not start fails all of them', async () => {
    source.slowDown()
    const replies = [await ask(A, 'one'), await ask(A, 'two'), await post(A, 'server/discover')]
    link(0).ends({ message: 'no such file' })
    await settle()
    for (const reply of replies) expect(await reply.body()).toContain('no such file')
    expect(failures).toEqual(['no such file'])
  })
})

describe('a call that is given up', () => {
  test('is cancelled, and nobody gets its process', async () => {
    const first = await ask(A, 'one')
    const id = idOf(0, 'one')
    await first.hangUp()
    await settle()
    expect(link(0).sent.at(-1)).toContain(
      `"method":"notifications/cancelled","params":{"requestId":${id}`,
    )
    expect(link(0).isClosed).toBe(true)
    expect(ends).toEqual(['given-up'])
    await ask(A, 'two')
    // Two of a server are never there before two callers want them.
    expect(where('two')).toBe(-1)
    await sweep()
    expect(where('two')).toBe(1)
  })

  test('by the clock is as well, and who waits gets another process', async () => {
    start('principal')
    await ask(A, 'one')
    nowMs += REQUEST_MS / 2
    await ask(A, 'two')
    await sweep(REQUEST_MS / 2)
    expect(link(0).sent.at(-1)).toContain('"reason":"timeout"')
    expect(link(0).isClosed).toBe(true)
    expect(where('two')).toBe(1)
  })
})

describe('what a process says by itself', () => {
  const line = (level: string): string =>
    `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"${level}","data":"said"}}`
  const eventsOf = async (reply: FakeReply): Promise<number> =>
    [...(await reply.body()).matchAll(/"data":"said"/g)].length

  test.each([
    ['who asked for it', '"io.modelcontextprotocol/logLevel":"info"', 1],
    ['who asked for less', '"io.modelcontextprotocol/logLevel":"error"', 0],
    ['who did not ask', '', 0],
  ])('is told %s', async (_name, meta, count) => {
    const reply = await post(A, 'prompts/get', 'one', meta)
    link(0).says(line('info'))
    await answer(0, 'one')
    link(0).says(line('info'))
    expect(await eventsOf(reply)).toBe(count)
  })

  test('as progress, is told its call', async () => {
    const reply = await post(A, 'prompts/get', 'one', '"progressToken":"mine"')
    progress('one')
    await answer(0, 'one')
    expect(await reply.body()).toContain('"progressToken":"mine","progress":1')
  })
})

describe('server/discover', () => {
  test('is answered from initialize, also while the process is busy', async () => {
    const first = await post(A, 'server/discover')
    expect(await first.body()).toContain('"supportedVersions":["2026-07-28"]')
    await ask(A, 'one')
    const second = await post(A, 'server/discover')
    expect(await second.body()).toContain('"io.modelcontextprotocol/serverInfo":{"name":"fake"')
    expect(source.links).toHaveLength(1)
    expect(link(0).sent.some((text) => text.includes('discover'))).toBe(false)
  })

  test('of a server that has just ended starts another', async () => {
    await post(A, 'server/discover')
    link(0).ends({ message: 'it has gone' })
    const again = await post(A, 'server/discover')
    expect(await again.body()).toContain('"resultType":"complete"')
    expect(source.links).toHaveLength(2)
  })
})

test('at its end everything ends, and who waits hears so', async () => {
  const replies = [await ask(A, 'one'), await ask(A, 'two'), await ask(B, 'three')]
  modern.close()
  await settle()
  for (const reply of replies) expect(await reply.body()).toContain('the sidecar is ending')
  expect(source.links.map(({ isClosed }) => isClosed)).toEqual([true, true])
  expect(ends).toEqual(['drain', 'drain'])
})
