// Names are absolute, asked once at a time, remembered for a short while, and bounded.

import { describe, expect, test } from '@jest/globals'
import { NameFault, Names, type NameServers } from '../../../../../sidecar/egress/reach/resolver.ts'

type Answer = readonly string[] | string

/** `CODE`, or addresses; `never` answers nothing. */
const servers = (
  four: Answer,
  six: Answer,
  ttl = 60,
): NameServers & { readonly asked: string[] } => {
  const asked: string[] = []
  const answer = async (
    found: Answer,
    name: string,
  ): Promise<readonly { readonly address: string; readonly ttl: number }[]> => {
    asked.push(name)
    if (found === 'never') return new Promise(() => undefined)
    if (typeof found === 'string') throw new NameFault(found)
    return found.map((address) => ({ address, ttl }))
  }
  return { asked, resolve4: (name) => answer(four, name), resolve6: (name) => answer(six, name) }
}

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
    const names = new Names(() => 0, servers(four, six))
    expect(await names.resolve('a.example')).toEqual(expected)
  })

  test.each<[string, Answer, Answer, string]>([
    ['no such name', 'ENOTFOUND', 'ENOTFOUND', 'ENOTFOUND'],
    ['no address', [], [], 'ENODATA'],
    ['a server that is down', 'ETIMEOUT', 'ETIMEOUT', 'ETIMEOUT'],
  ])('%s', async (_name, four, six, code) => {
    const names = new Names(() => 0, servers(four, six))
    await expect(names.resolve('a.example')).rejects.toMatchObject({ code })
  })
})

test('a name is asked for as it is, without a search list', async () => {
  const asking = servers(['1.1.1.1'], 'ENODATA')
  await new Names(() => 0, asking).resolve('com')
  expect(asking.asked).toEqual(['com.', 'com.'])
})

test('who asks at once waits for one answer; it is kept as long as it holds, 30 s at most', async () => {
  for (const [ttl, keptMs] of [
    [5, 5000],
    [3600, 30_000],
  ] as const) {
    const clock = { ms: 0 }
    const asking = servers(['1.1.1.1'], 'ENODATA', ttl)
    const names = new Names(() => clock.ms, asking)
    await Promise.all([names.resolve('a.example'), names.resolve('a.example')])
    clock.ms = keptMs - 1
    await names.resolve('a.example')
    expect(asking.asked).toHaveLength(2)
    clock.ms = keptMs
    await names.resolve('a.example')
    expect(asking.asked).toHaveLength(4)
  }
})

test('a fault is not kept', async () => {
  const asking = servers('ENOTFOUND', 'ENOTFOUND')
  const names = new Names(() => 0, asking)
  await expect(names.resolve('a.example')).rejects.toThrow()
  await expect(names.resolve('a.example')).rejects.toThrow()
  expect(asking.asked).toHaveLength(4)
})

test('names at once are bounded, and so is what is kept', async () => {
  const names = new Names(() => 0, servers('never', 'never'))
  for (let at = 0; at < 64; at++) void names.resolve(`n${at}.example`)
  await expect(names.resolve('one-more.example')).rejects.toMatchObject({ code: 'EBUSY' })
  const asking = servers(['1.1.1.1'], 'ENODATA')
  const many = new Names(() => 0, asking)
  for (let at = 0; at < 600; at++) await many.resolve(`n${at}.example`)
  asking.asked.length = 0
  await many.resolve('n599.example')
  expect(asking.asked).toEqual([])
  await many.resolve('n0.example')
  expect(asking.asked).toHaveLength(2)
})
