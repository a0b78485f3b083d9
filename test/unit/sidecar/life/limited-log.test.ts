// What says the same too often is left out and counted; nothing else is.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { LimitedLog } from '../../../../sidecar/life/limited-log.ts'
import { keptLog, type KeptLog } from '../../../support/kept-log.ts'

let nowMs: number
let kept: KeptLog
let log: LimitedLog

const said = (): readonly string[] =>
  kept.lines.map((line) => {
    const { message, leftOut } = JSON.parse(line)
    return leftOut === undefined ? message : `${message} (${leftOut})`
  })

beforeEach(() => {
  nowMs = 0
  kept = keptLog()
  log = new LimitedLog(kept.log, { burst: 2, perSecond: 1 }, () => nowMs)
})

const LEFT_OUT = 'lines were left out: too many said the same'

describe('of one kind', () => {
  test('a burst is written, the rest counted and told once there is room', () => {
    for (let line = 0; line < 5; line++) log.warn('a')
    log.sweep(nowMs)
    expect(said()).toEqual(['a', 'a'])
    nowMs = 1000
    log.sweep(nowMs)
    expect(said()).toEqual(['a', 'a', `${LEFT_OUT} (3)`])
    nowMs = 10_000
    log.warn('a')
    expect(said()).toEqual(['a', 'a', `${LEFT_OUT} (3)`, 'a'])
  })

  test('what was left out is told before anything more is', () => {
    for (let line = 0; line < 3; line++) log.warn('a')
    nowMs = 5000
    log.warn('a')
    log.sweep(nowMs)
    log.warn('a')
    expect(said()).toEqual(['a', 'a', `${LEFT_OUT} (2)`, 'a'])
  })
})

test.each<[string, (log: LimitedLog) => void]>([
  ['another message', (other) => other.warn('b')],
  ['another level', (other) => other.error('a')],
  ['another fault', (other) => other.warn('a', { fault: 'no-capacity' })],
])('%s is another kind', (_name, write) => {
  for (let line = 0; line < 3; line++) log.warn('a')
  write(log)
  expect(said()).toHaveLength(3)
})

test('messages without end share the room of one', () => {
  for (let line = 0; line < 1000; line++) log.warn(`message ${line}`)
  expect(said().length).toBeLessThan(140)
})

describe('a kind that nobody speaks of any more', () => {
  /** So many that whatever comes next shares the room of one. */
  const fill = (): void => {
    for (let line = 0; line < 200; line++) log.warn(`message ${line}`)
  }

  test('is forgotten once it has its whole room again, so that another has room of its own', () => {
    fill()
    log.warn('a')
    expect(said()).not.toContain('a')
    nowMs = 2000
    log.sweep(nowMs)
    // What those that shared one room have left out is told, and then that room grows full again.
    nowMs = 10_000
    log.sweep(nowMs)
    for (let line = 0; line < 3; line++) for (const kind of ['a', 'b']) log.warn(kind)
    expect(said().slice(-4)).toEqual(['a', 'b', 'a', 'b'])
  })

  test('is remembered while it has not: it gets no more lines by that', () => {
    for (let line = 0; line < 2; line++) log.warn('a')
    nowMs = 999
    log.sweep(nowMs)
    log.warn('a')
    nowMs = 1500
    log.sweep(nowMs)
    log.sweep(nowMs)
    for (let line = 0; line < 3; line++) log.warn('a')
    expect(said()).toEqual(['a', 'a', `${LEFT_OUT} (1)`])
  })

  test('is remembered while what it has left out is not told', () => {
    const slow = new LimitedLog(kept.log, { burst: 1, perSecond: 0 }, () => nowMs)
    slow.warn('a')
    slow.warn('a')
    nowMs = 1_000_000
    slow.sweep(nowMs)
    slow.warn('a')
    expect(said()).toEqual(['a'])
  })
})

test('a kind of its own covers every message', () => {
  const servers = new LimitedLog(kept.log, { burst: 2, perSecond: 1, kind: 'servers' }, () => nowMs)
  for (let line = 0; line < 4; line++) servers.info(`line ${line}`)
  nowMs = 1000
  servers.sweep(nowMs)
  expect(said()).toEqual(['line 0', 'line 1', `${LEFT_OUT} (2)`])
})
