// What the shim is asked for and told, and what becomes of who waits, by a clock and names of the test's.

import { aBudget } from '../../../support/budgets.ts'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { Children, type ChildEvent, type Spawned } from '../../../../sidecar/server/children.ts'
import { endFrame, spawnFrame } from '../../../../sidecar/server/control-frame.ts'

const NAME = 'a'.repeat(32)
const SPAWN_TIMEOUT_MS = 15_000

let sent: string[]
let exits: number[]
/** What is due, and when; undefined once it was called off. */
let due: ({ readonly delayMs: number; readonly callback: () => void } | undefined)[]
let children: Children

beforeEach(() => {
  sent = []
  exits = []
  due = []
  children = new Children({
    pipesDir: '/nowhere',
    budget: aBudget(),
    newName: () => NAME,
    schedule: (callback, delayMs) => {
      const place = due.push({ callback, delayMs }) - 1
      return () => {
        due[place] = undefined
      }
    },
    send: (frame) => void sent.push(frame.toString('hex')),
    onExit: (code) => void exits.push(code),
  })
})

const TENANT = { principal: 'p', idle: undefined, giveUp: () => undefined }
const hex = (frame: Buffer): string => frame.toString('hex')
const SPAWN = hex(spawnFrame(1, NAME))
const END = hex(endFrame(1, 2000, 3000))

const refused = (isBusy: boolean): ChildEvent => ({
  kind: 'refused',
  child: 1,
  reason: 'too many processes',
  isBusy,
})

describe('a child that was asked for', () => {
  let spawned: Promise<Spawned>

  beforeEach(() => {
    spawned = children.spawn(TENANT)
  })

  test('has a number and the name that it was given', () => {
    expect(sent).toEqual([SPAWN])
    expect([children.count, children.ending, [...children.tenants]]).toEqual([1, 0, [TENANT]])
  })

  test('that does not come in time is given up and ended, and holds its place until it has gone', async () => {
    expect(due.map((one) => one?.delayMs)).toEqual([SPAWN_TIMEOUT_MS])
    due[0]?.callback()
    const message = 'the shim did not start the server in time'
    expect(await spawned).toEqual({ ok: false, error: { message, isBusy: false } })
    expect(sent).toEqual([SPAWN, END])
    expect([children.count, children.ending, [...children.tenants]]).toEqual([1, 1, []])
    children.heard({ kind: 'gone', child: 1 })
    expect(children.count).toBe(0)
  })

  test.each([[true], [false]])('is refused, busy: %s', async (isBusy) => {
    const free = children.whenFreed()
    children.heard(refused(isBusy))
    expect(await spawned).toEqual({ ok: false, error: { message: 'too many processes', isBusy } })
    await free
    expect(children.count).toBe(0)
    expect(due).toEqual([undefined])
  })

  test('is lost with the shim', async () => {
    children.lost('the shim has gone')
    expect(await spawned).toMatchObject({ ok: false, error: { message: 'the shim has gone' } })
    expect(children.count).toBe(0)
  })

  test.each<[string, code: number | undefined, signal: number | undefined, number]>([
    ['with a code', 3, undefined, 3],
    ['by a signal', undefined, 9, 137],
  ])('ends %s', (_name, code, signal, expected) => {
    children.heard({ kind: 'exited', child: 1, code, signal })
    expect(exits).toEqual([expected])
  })

  test('that we end by a signal has not failed', () => {
    due[0]?.callback()
    children.heard({ kind: 'exited', child: 1, code: undefined, signal: 15 })
    expect(exits).toEqual([0])
  })
})

test('what is said of a child that nobody asked for is nothing', () => {
  children.heard({ kind: 'exited', child: 7, code: 1, signal: undefined })
  children.heard({ kind: 'gone', child: 7 })
  expect([exits, sent, children.count]).toEqual([[], [], 0])
})
