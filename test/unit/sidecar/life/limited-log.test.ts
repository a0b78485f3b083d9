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

test('a kind of its own covers every message', () => {
  const servers = new LimitedLog(kept.log, { burst: 2, perSecond: 1, kind: 'servers' }, () => nowMs)
  for (let line = 0; line < 4; line++) servers.info(`line ${line}`)
  nowMs = 1000
  servers.sweep(nowMs)
  expect(said()).toEqual(['line 0', 'line 1', `${LEFT_OUT} (2)`])
})
