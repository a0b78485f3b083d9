// What a writer promises of a sink that is slow, fails, fills up or never answers.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { Chain, membersOf } from '../../../../shared/audit/chain.ts'
import { Verification } from '../../../../shared/audit/verification.ts'
import type { AtOnce, Rotated, Sink } from '../../../../sidecar/audit/sink.ts'
import { Writer } from '../../../../sidecar/audit/writer.ts'
import { Budget } from '../../../../sidecar/bytes/budget.ts'
import { keptLog } from '../../../support/kept-log.ts'

const EVENT = membersOf({ event: 'process-start', process: 1 })
const MIB = 1024 * 1024

/** A sink in memory that does as it is told, write by write. */
class TestSink implements Sink {
  text = ''
  writes = 0
  isClosed = false
  rotated: Rotated | undefined
  atOnce: AtOnce | undefined
  /** What becomes of a write; by default all of it is out. */
  act: (bytes: Buffer) => Promise<number> = (bytes) => Promise.resolve(bytes.length)

  async write(bytes: Buffer): Promise<number> {
    this.writes++
    const written = await this.act(bytes)
    this.text += bytes.toString('utf8', 0, written)
    return written
  }

  rotate(): Promise<Rotated> | undefined {
    const { rotated } = this
    this.rotated = undefined
    return rotated && Promise.resolve(rotated)
  }

  close(): Promise<void> {
    this.isClosed = true
    return Promise.resolve()
  }

  get events(): readonly string[] {
    return this.text
      .split('\n')
      .slice(0, -1)
      .map((line) => String(JSON.parse(line).event))
  }
}

const aWriter = (budgetBytes = 256 * MIB) => {
  const sink = new TestSink()
  const clock = { nowMs: 0 }
  const { log, lines } = keptLog()
  const budget = new Budget(budgetBytes)
  const writer = new Writer({
    sink,
    chain: new Chain({ instance: 'one', server: 'local', prev: '' }),
    lease: budget.lease('records'),
    log,
    now: () => clock.nowMs,
    wallMs: () => clock.nowMs,
    sleep: async (delayMs) => {
      clock.nowMs += delayMs
      await nextTurn()
    },
    gatherMs: 0,
  })
  return { writer, sink, clock, lines, budget }
}

const rotatedBy = (prune: () => unknown): Rotated => ({
  file: 'audit.jsonl.1',
  oldest: { instance: 'one', seq: 1 },
  prune: async () => void (await prune()),
})

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await nextTurn()
}

const isWhole = (text: string): boolean => {
  const verification = new Verification([])
  const found = text
    .split('\n')
    .slice(0, -1)
    .map((line, index) => verification.take(line, { file: 'f', line: index + 1 }))
  return [...found, verification.end()].every((one) => one === undefined)
}

const refusing = (): Promise<number> => Promise.reject(new Error('ENOSPC: no space left'))

test('what comes in one turn goes out in one write, in order, and nothing is held any more', async () => {
  const { writer, sink, budget } = aWriter()
  for (let count = 0; count < 100; count++) expect(writer.add(EVENT)).toBeGreaterThan(0)
  expect(sink.writes).toBe(0)
  await settled()
  expect([sink.writes, sink.events.length, isWhole(sink.text)]).toEqual([1, 100, true])
  expect([writer.counts, budget.of('records')]).toEqual([{ written: 100, dropped: 0 }, 0])
})

test('a record that has to be out first is, when that is said', async () => {
  const { writer, sink } = aWriter()
  const isOut = await writer.addNow(EVENT)
  expect([isOut, sink.events]).toEqual([true, ['process-start']])
})

test('a sink that fails and comes back loses nothing and writes nothing twice', async () => {
  const { writer, sink, clock, lines } = aWriter()
  let left = 100
  sink.act = (bytes) => {
    // Full after a hundred bytes, in the middle of a record.
    if (left === 0) return refusing()
    const written = Math.min(left, bytes.length)
    left -= written
    return Promise.resolve(written)
  }
  expect(await writer.addNow(EVENT)).toBe(false)
  expect([writer.isFailing, sink.text.length]).toEqual([true, 100])
  writer.add(EVENT)
  clock.nowMs += 1000
  writer.sweep(clock.nowMs)
  await settled()
  expect(writer.isFailing).toBe(true)
  left = Infinity
  clock.nowMs += 1000
  writer.sweep(clock.nowMs)
  await settled()
  expect([writer.isFailing, sink.events.length, isWhole(sink.text)]).toEqual([false, 2, true])
  expect(lines.filter((line) => line.includes('cannot be written'))).toHaveLength(1)
})

test('who waits for what was not out hears so, and who comes later waits for that alone', async () => {
  const { writer, sink, clock } = aWriter()
  sink.act = refusing
  const failed = writer.addNow(EVENT)
  expect([await failed, writer.isOut]).toEqual([false, undefined])
  sink.act = (bytes) => Promise.resolve(bytes.length)
  const later = writer.addNow(EVENT)
  clock.nowMs += 1000
  writer.sweep(clock.nowMs)
  expect([await later, await failed, sink.events.length]).toEqual([true, false, 2])
})

test('what has no room keeps nobody waiting', async () => {
  const { writer, sink } = aWriter(MIB)
  while (writer.reserve(4096));
  expect([writer.addNow(EVENT), writer.isOut, sink.text]).toEqual([undefined, undefined, ''])
})

test('a write that never ends stands for a failure, until it does', async () => {
  const { writer, sink, clock, lines } = aWriter()
  let release: (written: number) => void = () => undefined
  sink.act = (bytes) =>
    new Promise((resolve) => {
      release = () => resolve(bytes.length)
    })
  const waits = writer.addNow(EVENT)
  await settled()
  clock.nowMs += 5000
  writer.sweep(clock.nowMs)
  expect([await waits, writer.isFailing]).toEqual([false, true])
  expect(lines.join()).toContain('takes too long')
  release(0)
  await settled()
  expect([writer.isFailing, sink.events]).toEqual([false, ['process-start']])
})

test('the queue is bounded: what has no room is counted, what was reserved has room', async () => {
  const { writer, sink, budget } = aWriter(MIB)
  sink.act = () => new Promise(() => undefined)
  let reserved = 0
  while (writer.reserve(4096)) reserved++
  expect([reserved, budget.of('records')]).toEqual([32, MIB / 8])
  expect(writer.add(EVENT)).toBe(0)
  expect(writer.counts.dropped).toBe(1)
  for (let count = 0; count < reserved; count++) expect(writer.add(EVENT, 4096)).toBeGreaterThan(0)
  await settled()
  expect(budget.of('records')).toBeLessThanOrEqual(MIB / 8)
})

test('a new file begins with a rotation, in the chain', async () => {
  const { writer, sink } = aWriter()
  writer.add(EVENT)
  await settled()
  sink.rotated = rotatedBy(() => undefined)
  writer.add(EVENT)
  await settled()
  expect([sink.events, isWhole(sink.text)]).toEqual([
    ['process-start', 'rotation', 'process-start'],
    true,
  ])
})

describe('a sink that writes at once', () => {
  const atOnce = (sink: TestSink, act: (bytes: Buffer) => number = ({ length }) => length) => {
    const state = { takes: true, writes: 0 }
    sink.atOnce = {
      takes: () => state.takes,
      write: (bytes) => {
        state.writes++
        const written = act(bytes)
        sink.text += bytes.toString('utf8', 0, written)
        return written
      },
    }
    return state
  }

  test('what must be out in one turn is, and takes along what waits, in one write', async () => {
    const { writer, sink } = aWriter()
    const state = atOnce(sink)
    writer.add(EVENT)
    const [first, second] = [writer.addNow(EVENT), writer.addNow(EVENT)]
    expect([await first, await second]).toEqual([true, true])
    expect([state.writes, sink.events.length]).toEqual([1, 3])
    expect([isWhole(sink.text), writer.counts.written, writer.isOut]).toEqual([true, 3, undefined])
  })

  test('what comes in the next turn is told by itself', async () => {
    const { writer, sink } = aWriter()
    const state = atOnce(sink)
    const first = writer.addNow(EVENT)
    expect([await first, sink.events.length]).toEqual([true, 1])
    const second = writer.addNow(EVENT)
    expect([second === first, await second, state.writes]).toEqual([false, true, 2])
  })

  test('what nobody waits for goes out later, together', async () => {
    const { writer, sink } = aWriter()
    const state = atOnce(sink)
    for (let count = 0; count < 5; count++) writer.add(EVENT)
    expect(state.writes).toBe(0)
    await settled()
    expect([state.writes, sink.events.length]).toEqual([1, 5])
  })

  test.each<[string, (bytes: Buffer) => number]>([
    ['takes a part', () => 10],
    [
      'takes nothing',
      () => {
        throw new Error('ENOSPC')
      },
    ],
  ])('that %s: the rest goes out the slow way, no byte twice', async (_what, act) => {
    const { writer, sink } = aWriter()
    atOnce(sink, act)
    expect(await writer.addNow(EVENT)).toBe(true)
    expect([sink.events, isWhole(sink.text)]).toEqual([['process-start'], true])
  })

  test('that does not take it now: it waits its turn, behind what came before', async () => {
    const { writer, sink } = aWriter()
    const state = atOnce(sink)
    state.takes = false
    const first = writer.addNow(EVENT)
    await settled()
    state.takes = true
    expect(await Promise.all([first, writer.addNow(EVENT)])).toEqual([true, true])
    expect([sink.events.length, isWhole(sink.text)]).toEqual([2, true])
  })
})

test('old files are taken away behind the record that says so, or to make room for it', async () => {
  const { writer, sink, clock } = aWriter()
  const seen: string[][] = []
  sink.rotated = rotatedBy(() => seen.push([...sink.events]))
  writer.add(EVENT)
  await settled()
  expect(seen).toEqual([['rotation', 'process-start']])
  let isFull = true
  sink.act = (bytes) => (isFull ? refusing() : Promise.resolve(bytes.length))
  sink.rotated = rotatedBy(() => (isFull = false))
  writer.add(EVENT)
  await settled()
  clock.nowMs += 1000
  writer.sweep(clock.nowMs)
  await settled()
  expect(sink.events).toEqual(['rotation', 'process-start', 'rotation', 'process-start'])
})

test('old files that cannot be taken away stop nothing', async () => {
  const { writer, sink, lines } = aWriter()
  sink.rotated = rotatedBy(() => {
    throw new Error('no')
  })
  expect(await writer.addNow(EVENT)).toBe(true)
  expect(lines).toEqual([expect.stringContaining('cannot be taken away')])
})

test('the end waits for what is not out, and tries a failing sink again', async () => {
  const { writer, sink } = aWriter()
  sink.act = refusing
  await writer.addNow(EVENT)
  let tries = 0
  sink.act = (bytes) => (++tries < 3 ? refusing() : Promise.resolve(bytes.length))
  expect(await writer.close(2000)).toBe(0)
  expect([sink.events, sink.isClosed, writer.add(EVENT)]).toEqual([['process-start'], true, 0])
})

test('the end, however long it takes, tries a failing sink five times a second', async () => {
  const { writer, sink } = aWriter()
  sink.act = refusing
  await writer.addNow(EVENT)
  const before = sink.writes
  expect(await writer.close(20_000)).toBe(1)
  expect(sink.writes - before).toBeGreaterThan(80)
  expect(sink.writes - before).toBeLessThanOrEqual(100)
})

test('the end does not wait for ever, and says how many records are lost', async () => {
  const { writer, sink } = aWriter()
  sink.act = () => new Promise(() => undefined)
  writer.add(EVENT)
  writer.add(EVENT)
  expect([await writer.close(500), sink.isClosed]).toEqual([2, false])
})

test('the lag is the age of the oldest record that is not out', async () => {
  const { writer, sink, clock } = aWriter()
  expect(writer.lagMs).toBe(0)
  sink.act = () => Promise.reject(new Error('no space left on device'))
  writer.add(EVENT)
  await settled()
  clock.nowMs = 400
  writer.add(EVENT)
  clock.nowMs = 1500
  expect(writer.lagMs).toBe(1500)
  sink.act = (bytes) => Promise.resolve(bytes.length)
  writer.sweep(clock.nowMs)
  await settled()
  expect(writer.lagMs).toBe(0)
})
