// Who waits is woken in the order of coming, and leaves with its client.

import { expect, test } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fail, ok } from '../../../../shared/result.ts'
import { Names } from '../../../../sidecar/identity/names.ts'
import { Places } from '../../../../sidecar/identity/places.ts'
import { Crowd, Share, Shares, Waiting } from '../../../../sidecar/identity/waiting.ts'

const stays = (): void => undefined

test('who came first is woken first', async () => {
  const waiting = new Waiting(new Crowd(3))
  const woken: number[] = []
  const all = [1, 2, 3].map((one) => waiting.wait(stays).then(() => woken.push(one)))
  expect([waiting.wakeOne(), waiting.wakeOne()]).toEqual([true, true])
  await Promise.all(all.slice(0, 2))
  expect([woken, waiting.size]).toEqual([[1, 2], 1])
})

test('whose client has gone keeps no place, and hears so', async () => {
  const waiting = new Waiting(new Crowd(3))
  let goes = (): void => undefined
  const gone = waiting.wait((callback) => {
    goes = callback
  })
  const other = waiting.wait(stays)
  goes()
  expect([await gone, waiting.size]).toEqual(['gone', 1])
  waiting.wakeAll()
  expect([await other, waiting.size, waiting.wakeOne()]).toEqual(['woken', 0, false])
})

test('only so many wait, wherever they do', async () => {
  const crowd = new Crowd(2)
  const [here, there] = [new Waiting(crowd), new Waiting(crowd)]
  const [first, second] = [here.wait(stays), there.wait(stays)]
  expect(await here.wait(stays)).toBe('busy')
  here.wakeAll()
  expect(await first).toBe('woken')
  const next = here.wait((callback) => callback())
  there.wakeAll()
  expect([await next, await second]).toEqual(['gone', 'woken'])
})

test('whoever fills a share of a crowd keeps nobody out of the others', async () => {
  const crowd = new Crowd(8)
  const [flooded, other, third] = [0, 1, 2].map(() => new Waiting(new Share(crowd)))
  const enter = (waiting: Waiting | undefined, times: number) =>
    Array.from({ length: times }, () => void waiting?.wait(stays))
  enter(flooded, 20)
  enter(other, 20)
  enter(third, 1)
  expect([flooded?.size, other?.size, third?.size]).toEqual([4, 2, 1])
  flooded?.wakeAll()
  await nextTurn()
  enter(third, 20)
  expect([flooded?.size, other?.size, third?.size]).toEqual([0, 2, 3])
})

test('each name has a share of a share, and keeps nobody out of it or of the whole', async () => {
  const crowd = new Crowd(16)
  const shares = new Shares(new Share(crowd))
  const waiting = new Waiting(crowd)
  const enter = (name: string, times: number) =>
    Array.from({ length: times }, () => waiting.wait(stays, shares.of(name)))
  const all = [...enter('evil', 99), ...enter('worse', 99), ...enter('good', 1)]
  const other = waiting.wait(stays)
  // Half of the half that a share is (4), half of what that leaves (2), then one, and one beside: nobody is left out.
  expect(waiting.size).toBe(8)
  waiting.wakeAll()
  const ended = await Promise.all([...all, other])
  expect(ended.filter((one) => one === 'woken')).toHaveLength(8)
  expect(ended.slice(-2)).toEqual(['woken', 'woken'])
  expect(crowd.free).toBe(16)
})

test('who finds no room to wait for a turn hears so', async () => {
  const places = new Places(1, new Crowd(0))
  const first = places.take(stays, async () => 'done')
  expect(await places.take(stays, async () => 'never')).toEqual(fail({ kind: 'busy' }))
  expect(await first).toEqual(ok('done'))
})

test('only so much is done at once, and each in its turn', async () => {
  const places = new Places(2, new Crowd(9))
  const begun: number[] = []
  const ends: (() => void)[] = []
  const all = [0, 1, 2, 3].map((one) =>
    places.take(stays, () => {
      begun.push(one)
      return new Promise<number>((resolve) => ends.push(() => resolve(one)))
    }),
  )
  await nextTurn()
  expect(begun).toEqual([0, 1])
  ends[0]?.()
  await nextTurn()
  expect(begun).toEqual([0, 1, 2])
  ends[1]?.()
  ends[2]?.()
  await nextTurn()
  ends[3]?.()
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3].map((one) => ok(one)))
})

test('what fails gives its place back, and who has gone takes none', async () => {
  const places = new Places(1, new Crowd(1))
  const failing = places.take(stays, async () => Promise.reject(new Error('no')))
  const gone = places.take(
    (callback) => callback(),
    async () => 'done',
  )
  await expect(failing).rejects.toThrow('no')
  expect(await gone).toEqual(fail({ kind: 'gone' }))
  expect(await places.take(stays, async () => 'after')).toEqual(ok('after'))
})

test('a name that hangs is looked up once, and others than two do not wait for it', async () => {
  let lookups = 0
  let answer = (_addresses: readonly string[]): void => undefined
  const names = new Names(() => {
    lookups++
    return new Promise((resolve) => {
      answer = resolve
    })
  })
  const same = [names.addresses('a'), names.addresses('a'), names.addresses('a')]
  void names.addresses('b')
  await expect(names.addresses('c')).rejects.toThrow('does not answer')
  expect(lookups).toBe(2)
  answer([])
  await nextTurn()
  const other = names.addresses('c')
  answer(['192.0.2.7'])
  expect(await other).toEqual(['192.0.2.7'])
  expect(same).toHaveLength(3)
})
