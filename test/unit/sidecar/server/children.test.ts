// What the shim is asked for and told, and what becomes of who waits, by a clock and names of the test's.

import { aBudget } from '../../../support/budgets.ts'
import { watchedProcesses, type WatchedProcesses } from '../../../support/watched-processes.ts'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { Children, type ChildEvent } from '../../../../sidecar/server/children.ts'
import type { Spawned } from '../../../../sidecar/server/child-ends.ts'
import { endFrame, spawnFrame } from '../../../../sidecar/server/control-frame.ts'

const NAME = 'a'.repeat(32)
const SPAWN_TIMEOUT_MS = 15_000

let sent: string[]
let exits: number[]
/** What is due, and when; undefined once it was called off. */
let due: ({ readonly delayMs: number; readonly callback: () => void } | undefined)[]
let watched: WatchedProcesses
let children: Children

beforeEach(() => {
  sent = []
  exits = []
  due = []
  watched = watchedProcesses()
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
    watch: watched.watch,
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
    children.heard({ kind: 'exited', child: 1, code, signal, isOutOfMemory: false })
    expect(exits).toEqual([expected])
  })

  test('that we end by a signal has not failed', () => {
    due[0]?.callback()
    children.heard({ kind: 'exited', child: 1, code: undefined, signal: 15, isOutOfMemory: false })
    expect(exits).toEqual([0])
  })
})

describe('who keeps the log hears of a child', () => {
  const exited = (
    code: number | undefined,
    signal?: number,
    isOutOfMemory = false,
  ): ChildEvent => ({
    kind: 'exited',
    child: 1,
    code,
    signal,
    isOutOfMemory,
  })
  const stderr = (text: string, dropped = 0): ChildEvent => ({
    kind: 'stderr',
    child: 1,
    dropped,
    bytes: Buffer.from(text),
  })

  test.each<[string, events: readonly ChildEvent[], news: readonly unknown[]]>([
    ['that ends with a code', [exited(3)], ['1 s exited with code 3 (code)']],
    ['that ends well', [exited(0)], ['1 s exited with code 0 (code_0)']],
    ['that crashes', [exited(undefined, 11)], ['1 s was ended by SIGSEGV (SIGSEGV)']],
    [
      'that had no memory left',
      [exited(undefined, 9, true)],
      [expect.stringMatching(/^1 s was ended by SIGKILL, .* raise its limit.* \(out_of_memory\)$/)],
    ],
    [
      'that says something, line by line, and with what was dropped',
      [stderr('one\ntw'), stderr('o\n'), stderr('rest', 7), exited(1)],
      [
        '1 s: one',
        '1 s: two',
        expect.stringContaining('7 bytes were dropped'),
        '1 s: rest',
        '1 s exited with code 1 (code)',
      ],
    ],
  ])('%s', (_name, events, news) => {
    void children.spawn({ ...TENANT, session: 's' })
    children.heard({ kind: 'spawned', child: 1, pid: 7 })
    for (const event of events) children.heard(event)
    expect(watched.news).toEqual(['1 s started', ...news])
  })

  test('that is lost with the shim, unless we are leaving', () => {
    void children.spawn(TENANT)
    children.heard({ kind: 'spawned', child: 1, pid: 7 })
    children.lost('the shim has gone')
    void children.spawn(TENANT)
    children.heard({ kind: 'spawned', child: 2, pid: 8 })
    children.isLeaving = true
    children.lost('the shim has gone')
    expect(watched.news).toEqual(['1 - started', '1 - lost', '2 - started'])
  })
})

test('what is said of a child that nobody asked for is nothing', () => {
  children.heard({ kind: 'exited', child: 7, code: 1, signal: undefined, isOutOfMemory: false })
  children.heard({ kind: 'gone', child: 7 })
  expect([exits, sent, children.count]).toEqual([[], [], 0])
})
