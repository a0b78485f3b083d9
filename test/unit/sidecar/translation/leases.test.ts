// Who has which legacy process, for how long, and what becomes of it: modern clients before a legacy server.

import { beforeEach, describe, expect, test } from '@jest/globals'
import type { Permit } from '../../../../sidecar/access/permit.ts'
import type { FakeReply } from '../../../support/fake-reply.ts'
import { permitOf } from '../../../support/principals.ts'
import { IDLE_MS, REQUEST_MS, TranslatedProcesses } from '../../../support/translated-processes.ts'

const A = permitOf('https://issuer.example a')
const B = permitOf('https://issuer.example b')

let all: TranslatedProcesses
const start = (...how: ConstructorParameters<typeof TranslatedProcesses>): void => {
  all = new TranslatedProcesses(...how)
}
beforeEach(() => start())

const ask = (permit: Permit, of: string): Promise<FakeReply> => all.post(permit, 'prompts/get', of)

describe('a process', () => {
  test('is initialized by us before it gets a call, without a word of the envelope', async () => {
    await ask(A, 'one')
    const [initialize, initialized, call] = all.link(0).sent
    expect(initialize).toContain('"method":"initialize"')
    expect(initialize).toContain('"capabilities":{}')
    expect(initialized).toContain('notifications/initialized')
    expect(call).toContain('"of":"one"')
    expect(call).not.toContain('io.modelcontextprotocol')
  })

  test('has one call at a time, the next once that is answered', async () => {
    const first = await ask(A, 'one')
    const second = await ask(A, 'two')
    expect([all.where('one'), all.where('two')]).toEqual([0, -1])
    await all.answer(0, 'one')
    expect(all.where('two')).toBe(0)
    await all.answer(0, 'two')
    expect(await first.body()).toContain('"id":"mine","result":{"resultType":"complete"')
    expect(await second.body()).toContain('"of":"two"')
    expect(all.source.links).toHaveLength(1)
  })

  test.each<['session' | 'principal' | 'shared', number]>([
    ['session', 2],
    ['principal', 2],
    ['shared', 1],
  ])('is nobody else’s, model %s: %d for two callers', async (model, count) => {
    start(model)
    for (const [index, permit] of [A, B, A, B].entries()) {
      await ask(permit, `of ${index}`)
      await all.answer(all.where(`of ${index}`), `of ${index}`)
    }
    expect(all.source.links).toHaveLength(count)
  })

  test('that asks whether we are there hears that we are', async () => {
    await ask(A, 'one')
    await all.says(0, '{"jsonrpc":"2.0","id":"x","method":"ping"}')
    expect(all.link(0).sent.at(-1)).toBe('{"jsonrpc":"2.0","id":"x","result":{}}')
  })

  test('that is idle for long ends', async () => {
    await ask(A, 'one')
    await all.sweep(REQUEST_MS - 1)
    expect(all.ends).toEqual([])
    await all.answer(0, 'one')
    await all.sweep(IDLE_MS)
    expect(all.ends).toEqual(['idle'])
    expect(all.link(0).isClosed).toBe(true)
  })

  test('that ends by itself fails its call alone; who waits gets another', async () => {
    const first = await ask(A, 'one')
    await ask(A, 'two')
    all.link(0).ends({ message: 'it has gone' })
    await all.settle()
    expect(await first.body()).toContain('it has gone')
    expect(all.where('two')).toBe(1)
    expect(all.ends).toEqual(['server'])
  })
})

describe('while calls wait', () => {
  test('another process is started once one has waited', async () => {
    await ask(A, 'one')
    await ask(A, 'two')
    await all.sweep(99)
    expect(all.source.links).toHaveLength(1)
    await all.sweep(1)
    expect(all.where('two')).toBe(1)
  })

  test('another process is started where many wait', async () => {
    for (const one of ['one', 'two', 'three', 'four', 'five']) await ask(A, one)
    await all.sweep()
    expect(all.where('two')).toBe(1)
  })

  test.each<['session' | 'principal' | 'shared', number, number]>([
    ['session', 64, 8],
    ['session', 3, 3],
    ['principal', 64, 1],
    ['shared', 64, 1],
  ])('model %s with %d calls at once has %d at most', async (model, calls, most) => {
    start(model, calls)
    for (let index = 0; index < 12; index += 1) await ask(A, `of ${index}`)
    for (let turns = 0; turns < 12; turns += 1) await all.sweep(200)
    expect(all.source.links).toHaveLength(most)
  })

  test('a server of which there can be one alone is left alone with it', async () => {
    await ask(A, 'one')
    all.source.slowDown()
    await ask(A, 'two')
    await all.sweep(100)
    all.link(1).ends({ message: 'the port is taken' })
    await all.sweep(200)
    await all.sweep(200)
    expect(all.source.links).toHaveLength(2)
    expect(all.failures).toEqual([])
    await all.answer(0, 'one')
    expect(all.where('two')).toBe(0)
  })

  test('who waits too long hears so', async () => {
    start('principal')
    await all.post(A, 'prompts/get', 'one', { meta: '"progressToken":"mine"' })
    const second = await ask(A, 'two')
    all.nowMs += REQUEST_MS / 2
    // Its time begins anew.
    await all.progress(0, 'one')
    await all.sweep(REQUEST_MS / 2)
    expect(await second.body()).toContain('it was not its turn within')
    await ask(A, 'three')
    await all.answer(0, 'one')
    expect(all.where('three')).toBe(0)
  })

  test('who has gone gets none', async () => {
    await ask(A, 'one')
    const second = await ask(A, 'two')
    await ask(A, 'three')
    await second.hangUp()
    await all.answer(0, 'one')
    expect([all.where('two'), all.where('three')]).toEqual([-1, 0])
  })

  test('a server that does not start fails all of them', async () => {
    all.source.slowDown()
    const replies = [await ask(A, 'one'), await ask(A, 'two'), await all.post(A, 'server/discover')]
    all.link(0).ends({ message: 'no such file' })
    await all.settle()
    for (const reply of replies) expect(await reply.body()).toContain('no such file')
    expect(all.failures).toEqual(['no such file'])
  })
})

describe('a call that is given up', () => {
  test('is cancelled, and nobody gets its process', async () => {
    const first = await ask(A, 'one')
    const id = all.idOf(0, 'one')
    await first.hangUp()
    await all.settle()
    expect(all.link(0).sent.at(-1)).toContain(
      `"method":"notifications/cancelled","params":{"requestId":${id}`,
    )
    expect(all.link(0).isClosed).toBe(true)
    expect(all.ends).toEqual(['given-up'])
    await ask(A, 'two')
    // Two of a server are never there before two callers want them.
    expect(all.where('two')).toBe(-1)
    await all.sweep()
    expect(all.where('two')).toBe(1)
  })

  test('by the clock is as well, and who waits gets another process', async () => {
    start('principal')
    await ask(A, 'one')
    all.nowMs += REQUEST_MS / 2
    await ask(A, 'two')
    await all.sweep(REQUEST_MS / 2)
    expect(all.link(0).sent.at(-1)).toContain('"reason":"timeout"')
    expect(all.link(0).isClosed).toBe(true)
    expect(all.where('two')).toBe(1)
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
    const reply = await all.post(A, 'prompts/get', 'one', { meta })
    all.link(0).says(line('info'))
    await all.answer(0, 'one')
    all.link(0).says(line('info'))
    expect(await eventsOf(reply)).toBe(count)
  })

  test('as progress, is told its call', async () => {
    const reply = await all.post(A, 'prompts/get', 'one', { meta: '"progressToken":"mine"' })
    await all.progress(0, 'one')
    await all.answer(0, 'one')
    expect(await reply.body()).toContain('"progressToken":"mine","progress":1')
  })
})

describe('server/discover', () => {
  test('is answered from initialize, also while the process is busy', async () => {
    const first = await all.post(A, 'server/discover')
    expect(await first.body()).toContain('"supportedVersions":["2026-07-28"]')
    await ask(A, 'one')
    const second = await all.post(A, 'server/discover')
    expect(await second.body()).toContain('"io.modelcontextprotocol/serverInfo":{"name":"fake"')
    expect(all.source.links).toHaveLength(1)
    expect(all.link(0).sent.some((text) => text.includes('discover'))).toBe(false)
  })

  test('of a server that has just ended starts another', async () => {
    await all.post(A, 'server/discover')
    all.link(0).ends({ message: 'it has gone' })
    const again = await all.post(A, 'server/discover')
    expect(await again.body()).toContain('"resultType":"complete"')
    expect(all.source.links).toHaveLength(2)
  })
})

test('at its end everything ends, and who waits hears so', async () => {
  const replies = [await ask(A, 'one'), await ask(A, 'two'), await ask(B, 'three')]
  all.modern.close()
  await all.settle()
  for (const reply of replies) expect(await reply.body()).toContain('the sidecar is ending')
  expect(all.source.links.map(({ isClosed }) => isClosed)).toEqual([true, true])
  expect(all.ends).toEqual(['drain', 'drain'])
})
