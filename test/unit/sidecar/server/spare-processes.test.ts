// Processes that are there before anybody asks: how many, when, whose, and what becomes of those that do not last.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fail, ok } from '../../../../shared/result.ts'
import type { Tenant } from '../../../../sidecar/server/source.ts'
import { pauseAfter, SpareProcesses } from '../../../../sidecar/server/spare-processes.ts'
import { FakeLink } from '../../../support/fake-link.ts'
import { keptLog } from '../../../support/kept-log.ts'

const ADA: Tenant = { principal: 'ada', idle: undefined, giveUp: () => undefined }

let isReady: boolean
let isServing: boolean
let isHeldBack: boolean
let canStart: boolean
let count: number
let asked: Tenant[]
let links: FakeLink[]
let handed: Tenant[]
let isGone: boolean
let outcomes: string[]
let nowMs: number
let spares: SpareProcesses

beforeEach(() => {
  isReady = true
  isServing = true
  isHeldBack = true
  canStart = true
  count = 0
  asked = []
  links = []
  handed = []
  isGone = false
  outcomes = []
  nowMs = 0
  spares = new SpareProcesses({
    wanted: 2,
    maxProcesses: 3,
    isHeldBack: () => isHeldBack,
    isServing: () => isServing,
    onSpawn: (outcome) => void outcomes.push(outcome),
    now: () => nowMs,
    log: keptLog().log,
    control: {
      get isReady() {
        return isReady
      },
      get count() {
        return count
      },
      spawn: (tenant) => {
        asked.push(tenant)
        if (!canStart) return Promise.resolve(fail({ message: 'none today', isBusy: false }))
        count++
        const link = new FakeLink()
        links.push(link)
        return Promise.resolve(ok(link))
      },
      hand: (_child, tenant) => {
        if (!isGone) handed.push(tenant)
        return !isGone
      },
    },
  })
})

const sweep = async (afterMs = 0): Promise<void> => {
  nowMs += afterMs
  spares.sweep(nowMs)
  await nextTurn()
}

describe('as many as are wanted', () => {
  test('are started, one at a time, and are nobody’s', async () => {
    spares.sweep(0)
    spares.sweep(0)
    expect([asked.length, spares.size, spares.free]).toEqual([1, 1, 0])
    await sweep()
    await sweep()
    await sweep()
    expect([asked.length, spares.size, spares.free]).toEqual([2, 2, 2])
    expect(asked.map(({ principal, caller, isSpare }) => [principal, caller, isSpare])).toEqual([
      ['', undefined, true],
      ['', undefined, true],
    ])
    expect(outcomes).toEqual(['started', 'started'])
  })

  test.each<[string, () => void]>([
    ['no shim is there', () => (isReady = false)],
    ['the server is not known to work', () => (isServing = false)],
    ['nothing keeps them from reaching others', () => (isHeldBack = false)],
    ['all places are taken', () => (count = 3)],
  ])('are not started while %s', async (_name, set) => {
    set()
    await sweep()
    expect(asked).toEqual([])
  })

  test('leave no place to a third where two have the others', async () => {
    count = 2
    await sweep()
    await sweep()
    expect(asked).toHaveLength(1)
  })
})

describe('whoever comes', () => {
  test('has the first, which is made up for', async () => {
    await sweep()
    await sweep()
    expect(spares.take(ADA)).toBe(links[0])
    expect(handed).toEqual([ADA])
    expect([spares.size, links[0]?.owner]).toEqual([1, undefined])
    await sweep()
    expect([asked.length, spares.free]).toEqual([3, 2])
  })

  test('has none where none is there, or only one that starts', () => {
    expect(spares.take(ADA)).toBeUndefined()
    spares.sweep(0)
    expect(spares.take(ADA)).toBeUndefined()
  })

  test('has none that is going', async () => {
    await sweep()
    isGone = true
    expect([spares.take(ADA), spares.size]).toEqual([undefined, 0])
  })
})

describe('one that does not last', () => {
  const die = (): void => links.at(-1)?.owner?.ended({ message: 'the server exited with code 1' })

  test('is made up for after a pause that grows, and readiness tells of it', async () => {
    await sweep()
    expect(spares.weakness).toBeUndefined()
    die()
    expect([spares.size, spares.failures]).toEqual([0, 1])
    expect(spares.weakness).toContain('(1 in a row): the server exited with code 1')
    await sweep(999)
    expect(asked).toHaveLength(1)
    await sweep(1)
    expect(asked).toHaveLength(2)
    die()
    await sweep(1999)
    expect(asked).toHaveLength(2)
    await sweep(1)
    expect([asked.length, spares.failures]).toEqual([3, 2])
  })

  test('counts for nothing once one was taken', async () => {
    await sweep()
    die()
    await sweep(1000)
    spares.take(ADA)
    expect([spares.failures, spares.weakness]).toEqual([0, undefined])
  })

  test('does not even start', async () => {
    canStart = false
    await sweep()
    expect([spares.size, spares.failures, outcomes]).toEqual([0, 1, ['refused']])
    expect(spares.weakness).toContain('none today')
    await sweep()
    expect(asked).toHaveLength(1)
  })

  test('is no fault of its own where its shim has gone', async () => {
    await sweep()
    isReady = false
    die()
    expect([spares.size, spares.failures]).toEqual([0, 0])
  })

  test.each([
    [0, 0],
    [1, 1000],
    [2, 2000],
    [6, 32_000],
    [7, 60_000],
    [2000, 60_000],
  ])('%d in a row: a pause of %d ms', (failures, pauseMs) => {
    expect(pauseAfter(failures)).toBe(pauseMs)
  })
})

test('readiness says where there can be none', () => {
  isHeldBack = false
  expect(spares.weakness).toContain('there are no spare processes')
})
