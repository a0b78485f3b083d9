import { setTimeout as after } from 'node:timers/promises'
import { describe, expect, jest, test } from '@jest/globals'
import { retryMs, WorkQueue } from '../../../../webhook/controller/work-queue.ts'

const queueOf = (
  more: {
    most?: number
    atOnce?: number
    now?: () => number
    sleep?: (ms: number) => Promise<void>
    ownerOf?: (key: string) => string
  } = {},
): WorkQueue =>
  new WorkQueue({
    most: 10,
    atOnce: 2,
    now: () => performance.now(),
    random: () => 0,
    // Pauses are skipped: what is due is told by the clock.
    sleep: (_ms, signal) => after(1, undefined, { signal }).catch(() => undefined),
    ...more,
  })

/** Works until everything is done. */
const drain = async (queue: WorkQueue, work: (key: string) => Promise<boolean>): Promise<void> => {
  const abort = new AbortController()
  const running = queue.run(work, abort.signal)
  while (queue.size > 0) await after(1)
  abort.abort()
  await running
}

describe('the work queue', () => {
  test('a key that waits is done once, in the order of the first asking', async () => {
    const queue = queueOf({ atOnce: 1 })
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key)
    const done: string[] = []
    await drain(queue, async (key) => {
      done.push(key)
      return true
    })
    expect(done).toEqual(['a', 'b', 'c'])
  })

  test('keys come by turns between owners, those of one in their order', async () => {
    const queue = queueOf({ atOnce: 1, ownerOf: (key) => key.slice(0, 1) })
    for (const key of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.add(key)
    const done: string[] = []
    await drain(queue, async (key) => {
      done.push(key)
      if (key === 'c1') queue.add('d1')
      return true
    })
    expect(done).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'd1', 'a3'])
  })

  test('one that is asked for while it is worked on comes again, and never beside itself', async () => {
    const queue = queueOf()
    let busy = 0
    const done: string[] = []
    queue.add('a')
    await drain(queue, async (key) => {
      busy += 1
      expect(busy).toBe(1)
      if (done.length === 0) for (let i = 0; i < 5; i++) queue.add('a')
      await after(3)
      done.push(key)
      busy -= 1
      return true
    })
    expect(done).toEqual(['a', 'a'])
  })

  test('one that failed waits longer each time, while others go on', async () => {
    let nowMs = 0
    // The clock goes on by nothing but rest.
    const sleep = async (ms: number): Promise<void> => {
      nowMs += ms
      await after(0)
    }
    const queue = queueOf({ atOnce: 1, now: () => nowMs, sleep })
    const at: number[] = []
    queue.add('bad')
    await drain(queue, async (key) => {
      if (key === 'good') return true
      at.push(nowMs)
      queue.add('good')
      if (at.length === 2) throw new Error('also a failure')
      return at.length === 4
    })
    expect(at).toEqual([0, 250, 750, 1750])
  })

  test('news of one that waits after a failure is looked at now', async () => {
    const queue = queueOf({ atOnce: 1, now: () => 0 })
    const done: string[] = []
    queue.add('a')
    queue.add('b')
    await drain(queue, async (key) => {
      done.push(key)
      if (key === 'b') queue.add('a')
      return done.length > 1
    })
    expect(done).toEqual(['a', 'b', 'a'])
  })

  test('a look at everything wakes none that waits after a failure', async () => {
    const queue = queueOf({ atOnce: 1, now: () => 0 })
    const done: string[] = []
    const abort = new AbortController()
    queue.add('a')
    queue.add('b')
    const running = queue.run(async (key) => {
      done.push(key)
      if (key === 'a') return false
      queue.add('a', false)
      return true
    }, abort.signal)
    while (queue.size > 1) await after(1)
    queue.add('b', false)
    while (queue.size > 1) await after(1)
    abort.abort()
    await running
    expect(done).toEqual(['a', 'b', 'b'])
  })

  test('of thousands that wait, or that wait after a failure, none is looked at before its turn', async () => {
    const MANY = 5000
    let nowMs = 0
    // The clock goes on by nothing but rest.
    const sleep = async (ms: number): Promise<void> => {
      nowMs += ms
      await after(0)
    }
    const queue = queueOf({ most: MANY, atOnce: 1, now: () => nowMs, sleep })
    for (let key = 0; key < MANY; key += 1) queue.add(`${key}`)
    const walked: number[] = []
    const walks = ([Symbol.iterator, 'values', 'entries'] as const).map((way) => {
      const walk = Map.prototype[way]
      return jest.spyOn(Map.prototype, way).mockImplementation(function (
        this: Map<string, unknown>,
      ) {
        walked.push(this.size)
        return walk.call(this)
      })
    })
    const seen = new Set<string>()
    try {
      await drain(queue, async (key) => {
        const isFirst = !seen.has(key)
        seen.add(key)
        return !isFirst
      })
      expect(walked.filter((size) => size > 100)).toHaveLength(0)
    } finally {
      for (const walk of walks) walk.mockRestore()
    }
    expect(seen.size).toBe(MANY)
  })

  test('one that fails again after news waits as long as that failure says, not as the one before', async () => {
    let nowMs = 0
    const sleep = async (ms: number): Promise<void> => {
      nowMs += ms
      await after(0)
    }
    const queue = queueOf({ atOnce: 1, now: () => nowMs, sleep })
    const at: number[] = []
    queue.add('bad')
    queue.add('news')
    await drain(queue, async (key) => {
      if (key === 'news') queue.add('bad')
      else at.push(nowMs)
      return key === 'news' || at.length === 4
    })
    expect(at).toEqual([0, 0, 500, 1500])
  })

  test('what there is no room for is counted, and not taken', () => {
    const queue = queueOf({ most: 2 })
    for (const key of ['a', 'b', 'c', 'a']) queue.add(key)
    expect([queue.size, queue.refused]).toEqual([2, 1])
  })

  test('ends when it is told to, and forgets', async () => {
    const queue = queueOf()
    const abort = new AbortController()
    const running = queue.run(async () => {
      abort.abort()
      return false
    }, abort.signal)
    queue.add('a')
    queue.add('b')
    await running
    expect(queue.size).toBe(0)
  })

  test('no pause is longer than five minutes', () => {
    expect(retryMs(1, 0)).toBe(250)
    expect(retryMs(1000, 0.999)).toBeLessThanOrEqual(300_000)
  })
})
