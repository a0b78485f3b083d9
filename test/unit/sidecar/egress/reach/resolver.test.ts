// Names are absolute, asked once at a time, remembered for a short while, shared out among clients, and bounded.

import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  NameFault,
  Names,
  type Asker,
  type NameServers,
} from '../../../../../sidecar/egress/reach/resolver.ts'

type Answer = readonly string[] | string

interface Asking {
  readonly asked: string[]
  /** Those that were cancelled while they had no answer. */
  readonly cancelled: string[]
  /** A server of its own for each. */
  readonly make: () => NameServers
  /** How many were made. */
  made: number
}

/** `CODE`, or addresses; `never` answers nothing until it is cancelled. */
const servers = (four: Answer, six: Answer, ttl = 60): Asking => {
  const asking: Asking = { asked: [], cancelled: [], make: () => one(), made: 0 }
  const one = (): NameServers => {
    asking.made++
    const end = new EventEmitter()
    end.setMaxListeners(0)
    const answer = async (
      found: Answer,
      name: string,
    ): Promise<readonly { readonly address: string; readonly ttl: number }[]> => {
      asking.asked.push(name)
      if (found === 'never') {
        await once(end, 'cancel')
        asking.cancelled.push(name)
        throw new NameFault('ECANCELLED')
      }
      if (typeof found === 'string') throw new NameFault(found)
      return found.map((address) => ({ address, ttl }))
    }
    return {
      resolve4: (name) => answer(four, name),
      resolve6: (name) => answer(six, name),
      cancel: () => end.emit('cancel'),
    }
  }
  return asking
}

interface Client extends Asker {
  readonly waiting: EventEmitter & { destroyed: boolean }
  readonly leave: () => void
}

const clients: Client[] = []
afterEach(() => {
  for (const one of clients.splice(0)) one.leave()
})

const client = (key = 'a', ms = 10_000): Client => {
  const waiting = Object.assign(new EventEmitter(), { destroyed: false })
  const made: Client = {
    key,
    ms,
    waiting,
    leave: () => {
      waiting.destroyed = true
      waiting.emit('close')
    },
  }
  clients.push(made)
  return made
}

/** What has become of a look-up. */
const outcome = (found: Promise<readonly string[]>): Promise<string> =>
  found.then(
    (addresses) => addresses.join(' '),
    (error: unknown) => (error instanceof NameFault ? error.code : String(error)),
  )

const soon = (): Promise<void> => sleep(5)

describe('answers', () => {
  test.each<[string, Answer, Answer, readonly string[]]>([
    ['both families, IPv4 first', ['1.1.1.1'], ['2606::1'], ['1.1.1.1', '2606::1']],
    ['IPv4 alone', ['1.1.1.1'], 'ENODATA', ['1.1.1.1']],
    ['IPv6 alone', 'ENODATA', ['2606::1'], ['2606::1']],
    ['IPv6 that does not come', ['1.1.1.1'], 'never', ['1.1.1.1']],
    [
      'no more than eight',
      Array.from({ length: 20 }, (_, at) => `1.1.1.${at}`),
      'ENODATA',
      [0, 1, 2, 3, 4, 5, 6, 7].map((at) => `1.1.1.${at}`),
    ],
  ])('%s', async (_name, four, six, expected) => {
    const names = new Names(() => 0, servers(four, six).make)
    expect(await names.resolve('a.example', client())).toEqual(expected)
  })

  test.each<[string, Answer, Answer, string]>([
    ['no such name', 'ENOTFOUND', 'ENOTFOUND', 'ENOTFOUND'],
    ['no address', [], [], 'ENODATA'],
    ['a server that is down', 'ETIMEOUT', 'ETIMEOUT', 'ETIMEOUT'],
  ])('%s', async (_name, four, six, code) => {
    const names = new Names(() => 0, servers(four, six).make)
    await expect(names.resolve('a.example', client())).rejects.toMatchObject({ code })
  })
})

test('a name is asked for as it is, without a search list', async () => {
  const asking = servers(['1.1.1.1'], 'ENODATA')
  await new Names(() => 0, asking.make).resolve('com', client())
  expect(asking.asked).toEqual(['com.', 'com.'])
})

test('who asks at once waits for one answer; it is kept as long as it holds, 30 s at most', async () => {
  for (const [ttl, keptMs] of [
    [5, 5000],
    [3600, 30_000],
  ] as const) {
    const clock = { ms: 0 }
    const asking = servers(['1.1.1.1'], 'ENODATA', ttl)
    const names = new Names(() => clock.ms, asking.make)
    await Promise.all(['a', 'a', 'b'].map((key) => names.resolve('a.example', client(key))))
    clock.ms = keptMs - 1
    await names.resolve('a.example', client())
    expect(asking.asked).toHaveLength(2)
    clock.ms = keptMs
    await names.resolve('a.example', client())
    expect(asking.asked).toHaveLength(4)
  }
})

test('a fault is not kept', async () => {
  const asking = servers('ENOTFOUND', 'ENOTFOUND')
  const names = new Names(() => 0, asking.make)
  await expect(names.resolve('a.example', client())).rejects.toThrow()
  await expect(names.resolve('a.example', client())).rejects.toThrow()
  expect(asking.asked).toHaveLength(4)
})

test('what is kept is bounded, and so are the servers that are asked one after the other', async () => {
  const asking = servers(['1.1.1.1'], 'ENODATA')
  const names = new Names(() => 0, asking.make)
  for (let at = 0; at < 600; at++) await names.resolve(`n${at}.example`, client())
  expect(asking.made).toBe(1)
  asking.asked.length = 0
  await names.resolve('n599.example', client())
  expect(asking.asked).toEqual([])
  await names.resolve('n0.example', client())
  expect(asking.asked).toHaveLength(2)
})

describe('a client that asks for very much', () => {
  /** So many names that nobody answers for, each asked by a client of its own. */
  const slow = (names: Names, many: number, keyOf: (at: number) => string): readonly Client[] =>
    Array.from({ length: many }, (_, at) => {
      const one = client(keyOf(at))
      void outcome(names.resolve(`n${at}.slow.example`, one))
      return one
    })

  test('has its share, and keeps nobody else waiting', async () => {
    const asking = servers('never', 'never')
    const names = new Names(() => 0, asking.make)
    slow(names, 200, () => 'a')
    await soon()
    expect(asking.asked).toHaveLength(16)
    void outcome(names.resolve('b.example', client('b')))
    await soon()
    expect(asking.asked.slice(16)).toEqual(['b.example.', 'b.example.'])
  })

  test('does not hold another’s name behind its own line', async () => {
    const asking = servers('never', 'never')
    const names = new Names(() => 0, asking.make)
    slow(names, 100, () => 'a')
    void outcome(names.resolve('b.example', client('a')))
    await soon()
    void outcome(names.resolve('b.example', client('b')))
    await soon()
    expect(asking.asked.slice(16)).toEqual(['b.example.', 'b.example.'])
  })

  test('with many others takes all there are; then the next to end makes room by turns', async () => {
    const asking = servers('never', 'never')
    const names = new Names(() => 0, asking.make)
    const crowd = slow(names, 1000, (at) => `k${at % 10}`)
    await soon()
    expect(asking.asked).toHaveLength(128)
    void outcome(names.resolve('b.example', client('b')))
    await soon()
    expect(asking.asked).toHaveLength(128)
    // One of each of the ten: behind those who waited before it comes `b`.
    for (const one of crowd.slice(0, 20)) one.leave()
    await soon()
    expect(asking.asked).toContain('b.example.')
    expect(asking.asked.length).toBe(128 + asking.cancelled.length)
  })

  test('waits no longer than it says, and is told that there are too many', async () => {
    const names = new Names(() => 0, servers('never', 'never').make)
    slow(names, 8, () => 'a')
    expect(await outcome(names.resolve('b.example', client('a', 20)))).toBe('EBUSY')
    expect(await outcome(names.resolve('b.example', client('b', 20)))).toBe('ETIMEOUT')
  })
})

describe('a look-up that nobody waits for any more', () => {
  test('ends, and its place is free', async () => {
    const asking = servers('never', 'never')
    const names = new Names(() => 0, asking.make)
    for (let round = 0; round < 100; round++) {
      const one = client()
      const found = outcome(names.resolve(`n${round}.example`, one))
      await new Promise(setImmediate)
      one.leave()
      expect(await found).toBe('ECANCELLED')
    }
    await soon()
    expect(asking.asked).toHaveLength(200)
    expect(asking.cancelled).toHaveLength(200)
    expect(asking.made).toBeLessThanOrEqual(2)
  })

  test('goes on while one of several waits', async () => {
    const asking = servers('never', 'never')
    const names = new Names(() => 0, asking.make)
    const [first, second] = [client('a'), client('b')]
    void outcome(names.resolve('a.example', first))
    await soon()
    const found = outcome(names.resolve('a.example', second))
    first.leave()
    await soon()
    expect(asking.cancelled).toEqual([])
    second.leave()
    expect(await found).toBe('ECANCELLED')
    await soon()
    expect(asking.cancelled).toHaveLength(2)
  })

  test('is not joined by who comes then', async () => {
    const asking = servers('never', 'never')
    const names = new Names(() => 0, asking.make)
    const first = client()
    const left = outcome(names.resolve('a.example', first))
    await soon()
    first.leave()
    expect(await left).toBe('ECANCELLED')
    const found = outcome(names.resolve('a.example', client('a', 30)))
    expect(await found).toBe('ETIMEOUT')
    expect(asking.asked).toHaveLength(4)
  })

  test('is none where whoever asks has gone already', async () => {
    const asking = servers('never', 'never')
    const gone = client()
    gone.leave()
    expect(await outcome(new Names(() => 0, asking.make).resolve('a.example', gone))).toBe(
      'ECANCELLED',
    )
    await soon()
    expect(asking.cancelled).toEqual(asking.asked)
  })
})
