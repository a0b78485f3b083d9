// The watchdog over lists in memory.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { isObject, type JsonObject } from '../../../../shared/json.ts'
import { createLog } from '../../../../shared/log.ts'
import { Events } from '../../../../webhook/controller/events.ts'
import { Owners } from '../../../../webhook/controller/owners.ts'
import type { Overlooked } from '../../../../webhook/controller/overlooked.ts'
import {
  MAX_NAMESPACE_OWNERS,
  Watchdog,
  type Beat,
} from '../../../../webhook/controller/watchdog.ts'
import type { Requests } from '../../../../webhook/kube/requests.ts'

const TOLD = { reason: 'SidecarMissing', message: 'm' }

describe('a watchdog', () => {
  let lines: string[]
  let events: JsonObject[]
  let counts: (number | undefined)[]
  let abort: AbortController
  let slept: number
  let looks: number
  let isReady: boolean
  let onGet: () => Promise<JsonObject | undefined>

  beforeEach(() => {
    lines = []
    events = []
    counts = []
    abort = new AbortController()
    slept = 0
    looks = 0
    isReady = true
    onGet = () => Promise.resolve(undefined)
  })

  const of = (namespace: string, name: string, kind = 'StatefulSet'): JsonObject => ({
    namespace,
    name,
    kind,
  })
  const judge = ({ namespace, name, kind }: JsonObject): Overlooked | undefined =>
    typeof namespace === 'string' && typeof name === 'string' && typeof kind === 'string'
      ? {
          namespace,
          owner: { apiVersion: 'apps/v1', kind, name, uid: `${namespace}/${name}` },
          told: () => TOLD,
        }
      : undefined

  const beatOf = (pages: Beat['pages']): Beat => ({
    pages,
    judge,
    says: 'found',
    found: (count) => counts.push(count),
  })
  const paged = (...pages: readonly (readonly JsonObject[])[]): Beat =>
    beatOf(async function* () {
      looks += 1
      yield* pages.map((items) => ({ items, version: '1' }))
    })

  /** Until it has slept so often. */
  const run = async (times: number, ...beats: readonly Beat[]): Promise<void> => {
    const write = (line: string): void => void lines.push(line)
    const log = createLog({ level: 'info', write, now: () => 0 })
    const requests: Requests = {
      get: () => onGet(),
      write: ({ body = '{}' }) => {
        const sent: unknown = JSON.parse(body)
        if (isObject(sent)) events.push(sent)
        return Promise.resolve({ status: 201, object: {} })
      },
    }
    const wall = { now: () => 0, wallMs: () => 0, randomName: () => 'r', identity: 'test' }
    const watchdog = new Watchdog({
      beats,
      isReady: () => isReady,
      owners: new Owners(requests),
      events: new Events({ ...wall, requests, log }),
      log,
      sleep: () => {
        slept += 1
        if (slept === times) abort.abort()
        return Promise.resolve()
      },
    })
    await watchdog.run(abort.signal)
  }
  const logged = (message: string): readonly string[] =>
    lines.filter((line) => line.includes(`"${message}"`))

  test('tells each owner once, counts all, and forgets the count when it ends', async () => {
    await run(1, paged([of('a', 'x'), of('a', 'x')], [{}, of('b', 'y')]))
    expect(events.map(({ involvedObject }) => involvedObject)).toMatchObject([
      { name: 'x', namespace: 'a' },
      { name: 'y', namespace: 'b' },
    ])
    expect(counts).toEqual([3, undefined])
    expect(logged('found')).toHaveLength(1)
    expect(logged('found')[0]).toContain('"count":3')
  })

  test('says nothing where there is nothing', async () => {
    await run(1, paged([{}]), paged())
    expect([lines, events, counts]).toEqual([[], [], [0, 0, undefined, undefined]])
  })

  test('does not look while that is switched off, or not everything is known', async () => {
    await run(
      2,
      beatOf(() => undefined),
    )
    expect(counts).toEqual([undefined, undefined, undefined])
    abort = new AbortController()
    slept = 0
    isReady = false
    await run(5, paged([of('a', 'x')]))
    expect(looks).toBe(0)
  })

  test('goes on with the rest, and at the next look, where one fails', async () => {
    const failing = beatOf(async function* () {
      looks += 1
      yield { items: [of('a', 'x')], version: '1' }
      throw new Error('no answer')
    })
    await run(2, failing, paged([of('b', 'y')]))
    expect(looks).toBe(4)
    expect(logged('a look was not finished')).toHaveLength(2)
    // What was not counted to its end is not told.
    expect(counts).toEqual([1, 1, undefined, undefined])
    expect(events).toHaveLength(1)
  })

  test('tells the others where one’s owner cannot be asked for', async () => {
    onGet = () => Promise.reject(new Error('no answer'))
    await run(1, paged([of('a', 'x', 'ReplicaSet'), of('a', 'y')]))
    expect(events).toHaveLength(1)
    expect(logged('not every owner could be told')[0]).toContain('"untold":1')
  })

  test('tells so many of one namespace, and the others; its line has a few', async () => {
    const many = Array.from({ length: 1000 }, (_, at) => of('loud', `x${at}`))
    await run(1, paged(many, [of('quiet', 'y')]))
    expect(events).toHaveLength(MAX_NAMESPACE_OWNERS + 1)
    expect(logged('found')[0]?.length).toBeLessThan(1000)
    expect(counts[0]).toBe(1001)
  })

  test('stops in the midst of a page when it is told to', async () => {
    let judged = 0
    const endless = { ...paged(Array.from({ length: 100 }, () => of('a', 'x'))) }
    const stopping: Beat = {
      ...endless,
      judge: (object) => {
        judged += 1
        if (judged === 3) abort.abort()
        return judge(object)
      },
    }
    await run(1, stopping)
    expect([judged, events, counts]).toEqual([3, [], [undefined]])
  })
})
