import { describe, expect, test } from '@jest/globals'
import { createLog } from '../../../../shared/log.ts'
import {
  Elector,
  stepOf,
  type LeaseRecord,
  type LeaseStore,
  type Step,
} from '../../../../webhook/controller/lease.ts'

describe('what to do with a Lease', () => {
  const of = (holder: string, seconds = 15): LeaseRecord => ({ holder, seconds, version: '1' })
  test.each<[string, LeaseRecord, number, Step]>([
    ['nobody’s', of(''), 0, 'take'],
    ['our own', of('a'), 0, 'renew'],
    ['our own, long ago', of('a'), 1e9, 'renew'],
    ['another’s, just seen', of('b'), 0, 'wait'],
    ['another’s, to its last moment', of('b'), 15_000, 'wait'],
    ['another’s that is over', of('b'), 15_001, 'take'],
    ['another’s that says for ever', of('b', 1e9), 60_001, 'take'],
    ['another’s that says never', of('b', -5), 1, 'take'],
  ])('%s', (_name, record, nowMs, step) => {
    expect(stepOf({ record, sinceMs: 0 }, 'a', nowMs)).toBe(step)
  })
})

/** Everybody's time: it goes on only when the test says so. */
class Time {
  nowMs = 0
  private readonly timers = new Set<{ readonly atMs: number; readonly call: () => void }>()

  readonly schedule = (call: () => void, delayMs: number): (() => void) => {
    const timer = { atMs: this.nowMs + delayMs, call }
    this.timers.add(timer)
    return () => this.timers.delete(timer)
  }

  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const callOff = this.schedule(resolve, ms)
      signal.addEventListener('abort', () => {
        callOff()
        resolve()
      })
    })

  async pass(ms: number): Promise<void> {
    const end = this.nowMs + ms
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const due = [...this.timers].filter(({ atMs }) => atMs <= end)
      const [first] = due.sort((a, b) => a.atMs - b.atMs)
      if (!first) break
      this.timers.delete(first)
      this.nowMs = first.atMs
      first.call()
    }
    this.nowMs = end
    await new Promise((resolve) => setImmediate(resolve))
  }
}

class FakeLease {
  private version = 1
  record: LeaseRecord = { holder: '', seconds: 0, version: '1' }
  /** Whoever is named here hears nothing of the API server. */
  readonly cut = new Set<string>()
  writes = 0

  readonly of = (name: string): LeaseStore => ({
    read: async () => {
      this.reach(name)
      return this.record
    },
    write: async ({ holder, seconds }, version) => {
      this.reach(name)
      if (version !== this.record.version) return undefined
      this.version += 1
      this.writes += 1
      this.record = { holder, seconds, version: String(this.version) }
      return this.record
    },
  })
  private reach(name: string): void {
    if (this.cut.has(name)) throw new Error('cut off')
  }
}

const log = createLog({ level: 'error', write: () => undefined, now: () => 0 })

const start = (...names: readonly string[]) => {
  const time = new Time()
  const lease = new FakeLease()
  const leading = new Map<string, number>()
  const story: string[] = []
  const underWay = new Map<string, Promise<void>>()
  const electors = names.map((identity) => {
    const elector = new Elector({
      store: lease.of(identity),
      identity,
      terms: { leaseMs: 15_000, deadlineMs: 10_000, retryMs: 2000 },
      now: () => time.nowMs,
      schedule: time.schedule,
      sleep: time.sleep,
      settled: async () => underWay.get(identity),
      log,
    })
    elector.start(
      (signal) =>
        new Promise((resolve) => {
          story.push(`${identity} leads at ${time.nowMs}`)
          leading.set(identity, time.nowMs)
          // Never two at once.
          expect(leading.size).toBe(1)
          signal.addEventListener('abort', () => {
            story.push(`${identity} stops at ${time.nowMs}`)
            leading.delete(identity)
            resolve()
          })
        }),
    )
    return elector
  })
  const close = async (): Promise<void> => {
    await Promise.all(electors.map((elector) => elector.close()))
  }
  return { time, lease, leading, story, electors, underWay, close }
}

describe('the leader', () => {
  test('is one of three, and stays', async () => {
    const { time, story, lease, close } = start('a', 'b', 'c')
    await time.pass(600_000)
    expect(story).toHaveLength(1)
    expect(lease.writes).toBeGreaterThan(200)
    await close()
  })

  test('that is cut off stops before another begins', async () => {
    const { time, lease, story, leading, close } = start('a', 'b')
    await time.pass(5000)
    const [first = ''] = leading.keys()
    lease.cut.add(first)
    await time.pass(60_000)
    const other = first === 'a' ? 'b' : 'a'
    expect(story.map((line) => line.replace(/ at .*/, ''))).toEqual([
      `${first} leads`,
      `${first} stops`,
      `${other} leads`,
    ])
    const [, stopped = 0, began = 0] = story.map((line) => Number(line.replace(/.* /, '')))
    expect(began - stopped).toBeGreaterThanOrEqual(4000)
    lease.cut.clear()
    await time.pass(60_000)
    expect([...leading.keys()]).toEqual([other])
    await close()
  })

  test('from whom somebody has taken it stops as soon as it sees that', async () => {
    const { time, lease, story, close } = start('a')
    await time.pass(3000)
    const { version } = lease.record
    const theirs = { holder: 'z', seconds: 15, isTaken: true }
    await lease.of('z').write(theirs, version, new AbortController().signal)
    await time.pass(2000)
    expect(story.at(-1)).toMatch(/^a stops/)
    await time.pass(20_000)
    expect(story.at(-1)).toMatch(/^a leads/)
    await close()
  })

  test('that closes lets go of it, so that another begins at once', async () => {
    const { time, lease, story, electors, leading, close } = start('a', 'b')
    await time.pass(5000)
    const [first] = leading.keys()
    await electors[first === 'a' ? 0 : 1]?.close()
    expect(lease.record.holder).toBe('')
    const atMs = time.nowMs
    await time.pass(2000)
    expect(story.at(-1)).toMatch(/leads/)
    expect(time.nowMs - atMs).toBe(2000)
    await close()
  })

  test('that closes keeps it for as long as what it has written is under way', async () => {
    const { time, lease, electors, underWay } = start('a')
    await time.pass(5000)
    const { promise, resolve } = Promise.withResolvers<void>()
    underWay.set('a', promise)
    const closing = electors[0]?.close()
    await time.pass(2000)
    expect(lease.record.holder).toBe('a')
    resolve()
    await closing
    expect(lease.record.holder).toBe('')
  })

  test('whose work fails leads again only after that is over', async () => {
    const time = new Time()
    const lease = new FakeLease()
    let began = 0
    const elector = new Elector({
      store: lease.of('a'),
      identity: 'a',
      terms: { leaseMs: 15_000, deadlineMs: 10_000, retryMs: 2000 },
      now: () => time.nowMs,
      schedule: time.schedule,
      sleep: time.sleep,
      settled: async () => undefined,
      log,
    })
    elector.start(async (signal) => {
      began += 1
      if (began === 1) throw new Error('broken')
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    })
    await time.pass(10_000)
    expect(began).toBe(2)
    await elector.close()
  })
})
