// A drain by its own clock: what it says and ends, when, and that a new container takes it back.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Drain } from '../../../../sidecar/life/drain.ts'
import { keptLog, type KeptLog } from '../../../support/kept-log.ts'

let nowMs: number
let inFlight: number
let unknown: number
let said: string[]
let kept: KeptLog
let readiness: { isDraining: boolean }
let drain: Drain
/** What is asleep, and until when. */
let sleepers: { readonly untilMs: number; readonly wake: () => void }[]

const note = (what: string) => (): void => void said.push(`${what} at ${nowMs}`)

const aDrain = (records?: object): Drain =>
  new Drain({
    router: {
      get inFlight() {
        return inFlight
      },
      refuseNew: note('nothing new'),
      endIdle: () => undefined,
      reopen: note('reopened'),
      close: note('closed'),
    },
    unknown: () => unknown,
    readiness,
    server: {
      exit: (code) => {
        note(`exit ${code}`)()
        return Promise.resolve()
      },
    },
    log: kept.log,
    records,
    now: () => nowMs,
    sleep: (delayMs) =>
      new Promise<void>((wake) => {
        sleepers.push({ untilMs: nowMs + delayMs, wake })
      }),
  })

beforeEach(() => {
  nowMs = 0
  inFlight = 0
  unknown = 0
  said = []
  sleepers = []
  kept = keptLog()
  readiness = { isDraining: false }
  drain = aDrain()
})

/** Lets the time pass until then, and wakes who is due. */
const passUntil = async (untilMs: number): Promise<void> => {
  await nextTurn()
  for (;;) {
    const next = sleepers.sort((a, b) => a.untilMs - b.untilMs)[0]
    if (next === undefined || next.untilMs > untilMs) break
    sleepers.shift()
    nowMs = next.untilMs
    next.wake()
    await nextTurn()
  }
  nowMs = untilMs
}

describe('a drain', () => {
  test.each([
    ['of a usual grace', 30_000, 5000],
    ['of a short grace', 3000, 1000],
    ['of none', 0, 0],
  ])('%s is a lame duck first', async (_name, leftMs, duckMs) => {
    drain.begin(leftMs)
    await passUntil(duckMs - 1)
    expect([readiness.isDraining, ...said]).toEqual(duckMs === 0 ? [true, ...said] : [true])
    await passUntil(duckMs)
    expect(said).toEqual(['nothing new', 'closed', 'exit 0'].map((what) => `${what} at ${duckMs}`))
    expect(kept.lines.join()).not.toContain('still in flight')
  })

  test('waits for what is in flight', async () => {
    inFlight = 1
    drain.begin(30_000)
    await passUntil(20_000)
    expect(said).toEqual(['nothing new at 5000'])
    inFlight = 0
    await passUntil(20_050)
    expect(said).toEqual(['nothing new at 5000', 'closed at 20050', 'exit 0 at 20050'])
  })

  test('waits for those of whom it is not known yet who they are', async () => {
    unknown = 1
    drain.begin(30_000)
    await passUntil(20_000)
    expect(said).toEqual(['nothing new at 5000'])
    unknown = 0
    await passUntil(20_050)
    expect(said).toEqual(['nothing new at 5000', 'closed at 20050', 'exit 0 at 20050'])
  })

  test('waits no longer than the grace allows, and says so', async () => {
    inFlight = 2
    drain.begin(30_000)
    await passUntil(30_000)
    expect(said).toEqual(['nothing new at 5000', 'closed at 27000', 'exit 0 at 27000'])
    expect(kept.lines.join()).toContain('still in flight')
  })

  test.each([
    ['that is long', 30_000, 5000, 22_500],
    ['that is short', 6000, 2000, 3000],
  ])('leaves records their time of a grace %s', async (_name, leftMs, duckMs, endMs) => {
    inFlight = 1
    aDrain({}).begin(leftMs)
    await passUntil(leftMs)
    expect(said).toEqual([`nothing new at ${duckMs}`, `closed at ${endMs}`, `exit 0 at ${endMs}`])
  })

  test.each([
    ['in the lame-duck time', 1000, []],
    ['while it waits', 6000, ['nothing new at 5000']],
  ])('is taken back %s', async (_name, whenMs, before) => {
    inFlight = 1
    drain.begin(30_000)
    await passUntil(whenMs)
    drain.takeBack()
    await passUntil(40_000)
    expect(said).toEqual([...before, `reopened at ${whenMs}`])
    expect(readiness.isDraining).toBe(false)
  })

  test('is one, however often it is asked for, and another after it was taken back', async () => {
    const first = drain.run(3000)
    expect(drain.run(30_000)).toBe(first)
    drain.takeBack()
    drain.begin(3000)
    await passUntil(3000)
    expect(said).toEqual([
      'reopened at 0',
      'nothing new at 1000',
      'closed at 1000',
      'exit 0 at 1000',
    ])
  })
})

test('nothing is taken back where nothing drains', () => {
  drain.takeBack()
  expect(said).toEqual([])
})
