// Children on demand: the cap, who makes room at it, who is waited for, and what a client is told.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fail } from '../../../../shared/result.ts'
import { Spawner } from '../../../../sidecar/server/spawner.ts'

const MAX = 2

let isReady: boolean
let count: number
let ending: number
let isBusy: boolean
let asked: number
let freed: (() => void)[]
let outcomes: string[]
let spawner: Spawner

beforeEach(() => {
  isReady = true
  count = 0
  ending = 0
  isBusy = false
  asked = 0
  freed = []
  outcomes = []
  spawner = new Spawner({
    maxProcesses: MAX,
    onSpawn: (outcome) => void outcomes.push(outcome),
    control: {
      get isReady() {
        return isReady
      },
      get count() {
        return count
      },
      get ending() {
        return ending
      },
      // What it says of a child is the children's; here every one is refused, and keeps its place.
      spawn: () => {
        asked++
        count++
        return Promise.resolve(fail({ message: 'none today', isBusy }))
      },
      whenFreed: () =>
        new Promise((resolve) => {
          freed.push(resolve)
        }),
    },
  })
})

/** A child has gone. */
const free = async (): Promise<void> => {
  count--
  ending = Math.max(ending - 1, 0)
  for (const resolve of freed.splice(0)) resolve()
  await nextTurn()
}

const codeOf = async (opened: ReturnType<Spawner['open']>): Promise<string> => {
  const result = await opened
  return result.ok ? 'ok' : `${result.error.code}: ${result.error.message}`
}

test.each([
  ['without a shim', () => void (isReady = false), 'no-capacity: the server', 0],
  ['at the cap', () => void (count = MAX), `no-capacity: all ${MAX} server processes`, 0],
  ['where it cannot start', () => undefined, 'server-not-started: the server could not', 1],
  ['where the shim is busy', () => void (isBusy = true), 'no-capacity: the server could not', 1],
])('%s the client is told', async (_name, arrange, expected, spawned) => {
  arrange()
  expect(await codeOf(spawner.open())).toContain(expected)
  expect(asked).toBe(spawned)
})

describe('at the cap', () => {
  test('no more are asked for than it allows, however many come at once', async () => {
    const told = await Promise.all([...Array(MAX + 3).keys()].map(() => codeOf(spawner.open())))
    expect(asked).toBe(MAX)
    expect(told.filter((text) => text.startsWith('no-capacity: all'))).toHaveLength(3)
    expect(outcomes.filter((outcome) => outcome === 'full')).toHaveLength(3)
  })

  test('the place of a process that is ending is waited for', async () => {
    count = MAX
    ending = 1
    const opened = codeOf(spawner.open())
    await nextTurn()
    expect(asked).toBe(0)
    await free()
    expect(await opened).toContain('server-not-started')
    expect(asked).toBe(1)
  })

  test('one place that becomes free is promised once', async () => {
    count = MAX
    ending = 1
    const [first, second] = [codeOf(spawner.open()), codeOf(spawner.open())]
    expect(await second).toContain('no-capacity: all')
    await free()
    expect(await first).toContain('server-not-started')
    expect(asked).toBe(1)
  })

  test('an idle process makes room', async () => {
    count = MAX
    spawner.reclaim = () => {
      ending++
      return true
    }
    const opened = codeOf(spawner.open())
    await nextTurn()
    expect(ending).toBe(1)
    await free()
    expect(await opened).toContain('server-not-started')
  })
})
