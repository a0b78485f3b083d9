// One answer: JSON where nothing comes first, else a stream that outlives its connection.

import { aBudget } from '../../../support/budgets.ts'
import { describe, expect, test } from '@jest/globals'
import { EventLog, Logs } from '../../../../sidecar/legacy/event-log.ts'
import { Stream } from '../../../../sidecar/legacy/stream.ts'
import { fault } from '../../../../sidecar/mcp/faults.ts'
import { aReply, type FakeReply } from '../../../support/fake-reply.ts'

const setUp = (options: { hasPriming?: boolean; isHeld?: boolean; requests?: number } = {}) => {
  const slow: boolean[] = []
  const budget = aBudget()
  const client = aReply(0, budget)
  const stream = new Stream(
    {
      number: 4,
      budget,
      log: new EventLog(new Logs(budget)),
      hasPriming: () => options.hasPriming ?? false,
      now: () => 0,
      onSlow: (isSlow) => {
        slow.push(isSlow)
        return options.isHeld ?? false
      },
    },
    client.reply,
    options.requests,
  )
  return { budget, client, stream, slow }
}

const status = async ({ received }: FakeReply): Promise<string | undefined> =>
  (await received()).split('\r\n', 1)[0]
const BUSY = fault('no-capacity', 'x', { headers: { 'retry-after': '5' } })

describe('an answer', () => {
  test('with nothing before it is JSON', async () => {
    const { client, stream } = setUp()
    stream.result('{"r":1}', '1')
    expect(await client.received()).toContain('content-type: application/json')
    expect(await client.body()).toBe('{"r":1}')
    expect([stream.isComplete, stream.isResumable]).toEqual([true, false])
  })

  test('with something before it is a stream, and ends it', async () => {
    const { client, stream } = setUp()
    expect(stream.event('{"n":1}')).toBe(true)
    stream.result('{"r":1}', '1')
    expect(await client.received()).toMatch(/content-type: text\/event-stream/)
    expect(await client.body()).toContain('id: 4-1\ndata: {"n":1}\n\nid: 4-2\ndata: {"r":1}\n\n')
    expect(stream.isOpen).toBe(false)
  })

  test('begins with an empty event where the revision says so', async () => {
    const { client, stream } = setUp({ hasPriming: true })
    stream.event('{"n":1}')
    expect(await client.body()).toContain('id: 4-1\ndata: \n\nid: 4-2\ndata: {"n":1}\n\n')
  })

  test('a fault has its HTTP status and headers', async () => {
    const { client, stream } = setUp()
    stream.fault(BUSY, '1.0')
    expect(await status(client)).toBe('HTTP/1.1 503 Service Unavailable')
    expect(await client.received()).toContain('retry-after: 5')
    expect(await client.body()).toContain('"id":1.0')
  })

  test('a fault on a stream that has begun is its last event', async () => {
    const { client, stream } = setUp()
    stream.event('{"n":1}')
    stream.fault(BUSY, '1')
    expect(await status(client)).toBe('HTTP/1.1 200 OK')
    expect(await client.body()).toContain('"code":"no-capacity"')
    expect(stream.isOpen).toBe(false)
  })
})

describe('when its caller’s right ends', () => {
  test('who listens is ended', async () => {
    const { client, stream } = setUp()
    client.reply.untilMs = 1000
    stream.event('{"n":1}')
    stream.sweep(999, 15_000)
    expect(stream.isOpen).toBe(true)
    stream.sweep(1000, 15_000)
    expect(stream.isOpen).toBe(false)
    expect(await client.body()).toContain('{"n":1}')
    expect(stream.event('{"n":2}')).toBe(false)
    expect(await client.body()).not.toContain('{"n":2}')
  })

  test('who still waits for an answer is cut off', async () => {
    const { client, stream } = setUp()
    client.reply.untilMs = 1000
    stream.sweep(1000, 15_000)
    stream.result('{"r":1}', '1')
    expect(await client.received()).toBe('')
  })

  test('who comes back with a new one gets the rest', async () => {
    const { client, stream } = setUp()
    client.reply.untilMs = 1000
    stream.event('{"n":1}')
    stream.sweep(1000, 15_000)
    stream.event('{"n":2}')
    const again = aReply()
    stream.attach(again.reply, 1)
    expect(await again.body()).toContain('{"n":2}')
  })
})

describe('a batch', () => {
  test('is answered whole, faults among the results', async () => {
    const { client, stream } = setUp({ requests: 2 })
    stream.fault(BUSY, '1')
    expect(await client.received()).toBe('')
    stream.result('{"r":2}', '1')
    expect(await client.body()).toMatch(/^\[\{.*"no-capacity".*\},\{"r":2\}\]$/)
  })

  test('is a stream once something comes between, with the results so far', async () => {
    const { client, stream } = setUp({ requests: 2 })
    stream.result('{"r":1}', '1')
    stream.event('{"n":1}')
    stream.result('{"r":2}', '1')
    expect([...(await client.body()).matchAll(/data: (.*)/g)].map(([, data]) => data)).toEqual([
      '{"r":1}',
      '{"n":1}',
      '{"r":2}',
    ])
  })
})

describe('room for the answers to a batch', () => {
  const ROOM = 256 * 1024 * 1024

  test('is taken until all are there', async () => {
    const { client, stream, budget } = setUp({ requests: 2 })
    expect(stream.hasRoomFor(1000)).toBe(true)
    stream.result('{"r":1}', '1')
    expect(budget.of('batches')).toBe(1000)
    stream.result('{"r":2}', '1')
    expect(budget.of('batches')).toBe(0)
    expect(await client.body()).toBe('[{"r":1},{"r":2}]')
  })

  test('is not there where others have it all', () => {
    const { stream, budget } = setUp({ requests: 2 })
    budget.lease('answers').keep(ROOM)
    expect(stream.hasRoomFor(1)).toBe(false)
  })

  test('is given back when the client has gone', async () => {
    const { client, stream, budget } = setUp({ requests: 3 })
    stream.hasRoomFor(1000)
    stream.result('{"r":1}', '1')
    await client.hangUp()
    stream.result('{"r":2}', '1')
    expect(budget.of('batches')).toBe(0)
  })
})

describe('who was cut off', () => {
  test('comes back for what followed the last event seen', async () => {
    const { client, stream } = setUp()
    stream.event('{"n":1}')
    stream.event('{"n":2}')
    client.reply.cut()
    expect(stream.event('{"n":3}')).toBe(false)
    const again = aReply()
    stream.attach(again.reply, 1)
    expect(await again.body()).toContain('id: 4-2\ndata: {"n":2}\n\nid: 4-3\ndata: {"n":3}\n\n')
    stream.result('{"r":1}', '1')
    expect(await again.body()).toContain('id: 4-4\ndata: {"r":1}')
    expect(stream.isOpen).toBe(false)
  })

  test('gets the answer that came meanwhile, and the end', async () => {
    const { client, stream } = setUp()
    stream.event('{"n":1}')
    client.reply.cut()
    stream.result('{"r":1}', '1')
    const again = aReply()
    stream.attach(again.reply, 1)
    expect(await again.body()).toContain('{"r":1}')
    expect(again.reply.state).toBe('done')
  })

  test('a new connection ends the old one', async () => {
    const { client, stream } = setUp()
    stream.event('{"n":1}')
    expect(await client.body()).toContain('{"n":1}')
    stream.attach(aReply().reply)
    expect(client.reply.state).toBe('done')
  })

  test('and nobody reads the old one: it is cut, gives back what it held, and holds the server no longer', async () => {
    const { client, stream, slow, budget } = setUp({ isHeld: true })
    client.stopReading()
    for (let count = 0; count < 2; count++) stream.event(`"${'x'.repeat(700_000)}"`)
    expect([budget.of('answers') > 1_000_000, slow]).toEqual([true, [true]])
    const again = aReply(0, budget)
    stream.attach(again.reply, 2)
    expect(slow).toEqual([true, false])
    await client.hangUp()
    expect([budget.of('answers'), slow]).toEqual([0, [true, false]])
    stream.event('{"n":3}')
    expect(await again.body()).toContain('id: 4-3\ndata: {"n":3}')
  })
})

describe('a client that reads too slowly', () => {
  const block = `"${'x'.repeat(700_000)}"`

  test('holds its server where it is the only one, until it has caught up', async () => {
    const { client, stream, slow } = setUp({ isHeld: true })
    client.stopReading()
    for (let index = 0; index < 2; index++) stream.event(block)
    expect(slow).toContain(true)
    expect(slow).not.toContain(false)
    const drained = new Promise((resolve) => client.reply.onDrain(() => resolve('drained')))
    client.goOnReading()
    expect(await drained).toBe('drained')
    expect(slow.at(-1)).toBe(false)
    expect(stream.isOpen).toBe(true)
  })

  test('holds it anew by each event, and lets it go once', async () => {
    const { client, stream, slow } = setUp({ isHeld: true })
    client.stopReading()
    for (let index = 0; index < 20; index++) stream.event(block)
    expect(slow).toEqual(Array(19).fill(true))
    client.goOnReading()
    await client.received()
    await client.hangUp()
    expect(slow.slice(19)).toEqual([false])
  })

  test('is cut off where others need the server', async () => {
    const { client, stream, slow } = setUp({ isHeld: false })
    client.stopReading()
    for (let index = 0; index < 2; index++) stream.event(block)
    expect(slow).toEqual([true])
    expect(stream.isOpen).toBe(false)
  })
})

describe('keep-alive', () => {
  test.each([
    ['before its time', 14_999, ''],
    ['at its time', 15_000, ': keep-alive\n\n'],
  ])('%s', async (_name, nowMs, expected) => {
    const { client, stream } = setUp()
    stream.sweep(nowMs, 15_000)
    expect(await client.body()).toBe(expected)
  })
})
