// One answer, written once: JSON or an event stream, bounded, and nothing after its end.

import { describe, expect, test } from '@jest/globals'
import { Budget } from '../../../../sidecar/bytes/budget.ts'
import { fault } from '../../../../sidecar/mcp/faults.ts'
import { aReply, type FakeReply } from '../../../support/fake-reply.ts'

const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

describe('JSON', () => {
  test('bears its length in bytes and its own headers', async () => {
    const { reply, received, body } = aReply()
    reply.header('mcp-session-id', 'abc')
    reply.json(latin1('{"a":"é"}'))
    expect(await received()).toMatch(
      /^HTTP\/1.1 200 OK\r\ncontent-type: application\/json\r\ncontent-length: 10\r\nmcp-session-id: abc\r\n/,
    )
    expect(await body()).toBe(latin1('{"a":"é"}'))
  })

  test('a header that was taken back is not sent', async () => {
    const { reply, received } = aReply()
    reply.header('mcp-session-id', 'abc')
    reply.header('mcp-session-id', undefined)
    reply.json('{}')
    expect(await received()).not.toContain('abc')
  })

  test('is written once', async () => {
    const { reply, received } = aReply()
    reply.json('{"first":1}')
    reply.json('{"second":1}')
    reply.empty(202)
    reply.event('{}', 0)
    reply.keepAlive(0)
    reply.end()
    expect(await received()).toMatch(/\{"first":1\}$/)
  })
})

describe('faults', () => {
  test('bear status, headers, id and code', async () => {
    const { reply, received } = aReply()
    reply.fault(fault('no-capacity', 'busy', { headers: { 'retry-after': '5' } }), '"\\u0061"')
    const text = await received()
    expect(text).toMatch(/^HTTP\/1.1 503 /)
    expect(text).toContain('retry-after: 5\r\n')
    expect(text).toContain('"id":"\\u0061"')
    expect(text).toContain('"code":"no-capacity"')
  })
})

describe('an event stream', () => {
  test('says so to every proxy, and ends with the answer', async () => {
    const { reply, received, body } = aReply()
    reply.event('{"n":1}', 0)
    reply.event('{"n":2}', 0, '1-2')
    reply.json('{"r":1}')
    const text = await received()
    expect(text).toContain('content-type: text/event-stream')
    expect(text).toContain('x-accel-buffering: no')
    expect(text).toContain('cache-control: no-cache, no-transform')
    expect(await body()).toContain('data: {"n":1}\n\nid: 1-2\ndata: {"n":2}\n\n')
    expect(text).toMatch(/data: \{"r":1\}\n\n$/)
    expect(reply.state).toBe('done')
  })

  test('says when its client reads too slowly, and when it has caught up', async () => {
    const client = aReply()
    const block = 'x'.repeat(600_000)
    client.stopReading()
    expect(client.reply.event(block, 0)).toBe(true)
    expect(client.reply.event(block, 0)).toBe(false)
    const drained = new Promise((resolve) => client.reply.onDrain(() => resolve('drained')))
    client.goOnReading()
    expect(await drained).toBe('drained')
  })

  test('keeps the time of what it wrote last', () => {
    const { reply } = aReply(10)
    expect(reply.lastWriteMs).toBe(10)
    reply.event('{}', 20)
    expect(reply.lastWriteMs).toBe(20)
    reply.keepAlive(30)
    expect(reply.lastWriteMs).toBe(30)
  })
})

describe('a client that goes', () => {
  test.each<[string, goes: (client: FakeReply) => unknown, told: number]>([
    ['before the answer', ({ hangUp }) => hangUp(), 1],
    [
      'within the stream',
      ({ reply, hangUp }) => {
        reply.event('{}', 0)
        return hangUp()
      },
      1,
    ],
    [
      'after the answer',
      ({ reply, hangUp }) => {
        reply.json('{}')
        return hangUp()
      },
      0,
    ],
  ])('%s is told of, also to who asks too late', async (_name, goes, told) => {
    const [heard, unheard] = [aReply(), aReply()]
    let [early, late] = [0, 0]
    heard.reply.onGone(() => early++)
    await goes(heard)
    await goes(unheard)
    unheard.reply.onGone(() => late++)
    expect([early, late]).toEqual([told, told])
  })

  test('when it had caught up is told of once', async () => {
    const client = aReply()
    client.stopReading()
    client.reply.event('x'.repeat(1_200_000), 0)
    let told = 0
    client.reply.onDrain(() => told++)
    client.goOnReading()
    await client.received()
    expect(told).toBe(1)
    await client.hangUp()
    expect(told).toBe(1)
  })
})

describe('the end', () => {
  test('of what has not begun is an answer without a body', async () => {
    const { reply, received } = aReply()
    reply.end()
    expect(await received()).toMatch(/^HTTP\/1.1 204 /)
  })
})

describe('what a client does not fetch', () => {
  const MIB = 1024 * 1024
  const LARGE = `"${'x'.repeat(2 * MIB)}"`
  const setUp = (mib = 64): { readonly client: FakeReply; readonly budget: Budget } => {
    const budget = new Budget(mib * MIB)
    budget.sweep(0)
    const client = aReply(0, budget)
    client.stopReading()
    return { client, budget }
  }
  /** Until it has come to rest. */
  const settled = async (client: FakeReply): Promise<string> => {
    let before = ''
    for (let text = await client.body(); text !== before; text = await client.body()) before = text
    return before
  }

  test.each<[string, (client: FakeReply) => void]>([
    ['a large answer', ({ reply }) => reply.json(LARGE)],
    ['a small one', ({ reply }) => reply.json('{}')],
    ['events', ({ reply }) => void reply.event(LARGE, 0)],
    ['the answer in a stream', ({ reply }) => (reply.stream(), reply.json(LARGE))],
    ['a large batch', ({ reply }) => reply.jsonArray([LARGE, LARGE])],
  ])('is counted until it has been fetched, or its client has gone: %s', async (_name, write) => {
    const { client, budget } = setUp()
    write(client)
    expect(budget.of('answers')).toBeGreaterThan(0)
    await client.hangUp()
    expect(budget.of('answers')).toBe(0)
    // A stream that can be resumed is counted for as long as its session lives.
    client.reply.recount()
    expect(budget.of('answers')).toBe(0)
  })

  test('of one that had gone before is not counted', async () => {
    const { client, budget } = setUp()
    await client.hangUp()
    expect(client.reply.hasRoomFor(LARGE.length)).toBe(true)
    client.reply.json(LARGE)
    expect(budget.of('answers')).toBe(0)
  })

  test('of a stream that stands still makes it stalled, however often it is counted', async () => {
    const { client, budget } = setUp(8)
    client.reply.event(LARGE, 0)
    budget.lease('answers').keep(MIB)
    const waiting = budget.lease('lines', {
      isRefusable: false,
      granted: () => undefined,
      ended: () => undefined,
    })
    expect(waiting.ask(2 * MIB)).toBe(false)
    for (let nowMs = 250; nowMs <= 6000; nowMs += 250) {
      budget.sweep(nowMs)
      client.reply.recount()
    }
    await client.received()
    expect(budget.ends.answers).toBe(1)
  })

  test('arrives whole where it is written in pieces', async () => {
    const { client, budget } = setUp()
    client.reply.json(LARGE)
    client.goOnReading()
    expect(await settled(client)).toBe(LARGE)
    expect(client.reply.state).toBe('done')
    expect(budget.of('answers')).toBe(LARGE.length)
    await client.hangUp()
  })

  test('of a batch is one array', async () => {
    const { client } = setUp()
    client.reply.jsonArray([LARGE, '{}', '[]'])
    client.goOnReading()
    expect(await settled(client)).toBe(`[${LARGE},{},[]]`)
    const small = aReply()
    small.reply.jsonArray(['1', '2'])
    expect(await small.body()).toBe('[1,2]')
  })

  test('has no room where others have it all', () => {
    const { client, budget } = setUp(8)
    budget.lease('answers').keep(3 * MIB)
    expect([client.reply.hasRoomFor(2 * MIB), client.reply.hasRoomFor(MIB)]).toEqual([false, true])
    expect(client.reply.hasRoomFor(100_000)).toBe(true)
  })

  test('ends its stream where there is no room', () => {
    const { client, budget } = setUp(4)
    budget.lease('answers').keep(3 * MIB)
    client.reply.event(LARGE, 0)
    expect(client.reply.state).toBe('done')
  })

  test('ends the connection of who does not read while others wait for the memory', async () => {
    const { client, budget } = setUp(8)
    client.reply.json(LARGE)
    const waiting = budget.lease('lines', {
      isRefusable: false,
      granted: () => undefined,
      ended: () => undefined,
    })
    budget.lease('answers').keep(MIB)
    expect(waiting.ask(2 * MIB)).toBe(false)
    budget.sweep(5000)
    await client.received()
    expect([budget.ends.answers, budget.of('answers')]).toEqual([1, MIB])
  })
})
