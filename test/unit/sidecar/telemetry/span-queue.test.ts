// What becomes of spans whose collector is slow, fails, or takes a part of them.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { SpanQueue } from '../../../../sidecar/telemetry/span-queue.ts'
import { keptLog } from '../../../support/kept-log.ts'

const CONTEXT = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, state: undefined }
const aSpan = (name = 'ping') => ({
  context: CONTEXT,
  start: {
    kind: 'server',
    startMs: 0,
    parent: undefined,
    link: undefined,
    name,
    attributes: {},
  } as const,
  end: { attributes: {}, isError: false, message: undefined },
  endMs: 1,
})

let sent: number[]
let bytes: number[]
let dropped: number
let answer: () => Promise<number>
let queue: SpanQueue
let lines: readonly string[]

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] })
  sent = []
  bytes = []
  dropped = 0
  answer = () => Promise.resolve(0)
  const kept = keptLog()
  lines = kept.lines
  queue = new SpanQueue({
    send: (spans, count) => {
      sent.push(count)
      bytes.push(spans.length)
      return answer()
    },
    onDropped: (count) => (dropped += count),
    log: kept.log,
  })
})
afterEach(() => {
  jest.useRealTimers()
})

const add = (count: number, name?: string): void => {
  for (let left = count; left > 0; left--) queue.add(aSpan(name))
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await nextTurn()
}

test('what has come goes out together after a second', async () => {
  add(3)
  jest.advanceTimersByTime(999)
  expect(sent).toEqual([])
  jest.advanceTimersByTime(1)
  expect(sent).toEqual([3])
  await settled()
  add(2)
  jest.advanceTimersByTime(1000)
  expect([sent, dropped]).toEqual([[3, 2], 0])
})

test('as much as one request has goes out at once, by number and by bytes', async () => {
  add(512)
  expect(sent).toEqual([512])
  await settled()
  add(33, 'x'.repeat(32 * 1024))
  expect(sent.at(-1)).toBeLessThanOrEqual(33)
  expect(bytes.at(-1)).toBeGreaterThanOrEqual(1024 * 1024)
})

test('one request at a time; beyond 2,048 spans that wait they are dropped', async () => {
  let go = (_rejected: number): void => undefined
  answer = () => new Promise((resolve) => (go = resolve))
  add(512)
  add(2048)
  expect([sent, dropped]).toEqual([[512], 0])
  add(7)
  expect([sent, dropped]).toEqual([[512], 7])
  for (let turn = 0; turn < 4; turn++) {
    go(0)
    await settled()
  }
  expect([sent, dropped]).toEqual([[512, 512, 512, 512, 512], 7])
})

test('long ones are dropped beyond 4 MiB that wait', () => {
  answer = () => new Promise(() => undefined)
  add(33, 'x'.repeat(32 * 1024))
  expect(sent).toHaveLength(1)
  add(200, 'x'.repeat(32 * 1024))
  expect(dropped).toBeGreaterThan(60)
  expect(dropped).toBeLessThan(80)
})

test('a collector that fails costs spans, which are counted, and one line until it is well', async () => {
  answer = () => Promise.reject(new Error('no'))
  for (let time = 0; time < 2; time++) {
    add(2)
    jest.advanceTimersByTime(1000)
    await settled()
  }
  expect([dropped, lines.length]).toEqual([4, 1])
  answer = () => Promise.resolve(0)
  add(1)
  jest.advanceTimersByTime(1000)
  await settled()
  answer = () => Promise.reject(new Error('no'))
  add(1)
  jest.advanceTimersByTime(1000)
  await settled()
  expect([dropped, lines.length]).toEqual([5, 2])
})

test('what a collector rejects is counted, and never more than it was sent', async () => {
  answer = () => Promise.resolve(2)
  add(3)
  jest.advanceTimersByTime(1000)
  await settled()
  expect(dropped).toBe(2)
  answer = () => Promise.resolve(1e9)
  add(3)
  jest.advanceTimersByTime(1000)
  await settled()
  expect(dropped).toBe(5)
})

test('at the end all goes out, also what comes behind a request that is on its way', async () => {
  let go = (_rejected: number): void => undefined
  answer = () => new Promise((resolve) => (go = resolve))
  add(512)
  add(3)
  const flushed = queue.flush()
  expect(sent).toEqual([512])
  answer = () => Promise.resolve(0)
  go(0)
  await flushed
  expect(sent).toEqual([512, 3])
  await queue.flush()
  expect(sent).toEqual([512, 3])
})
