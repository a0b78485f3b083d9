import { describe, expect, test } from '@jest/globals'
import { MANY, MAX_AGE_MS, MAX_WAIT_MS, ReviewQueue } from '../../../webhook/review-queue.ts'

/** A queue on a clock that stands until somebody moves it. */
const queueAt = (clock: { ms: number }) => {
  const done: string[] = []
  const queue = new ReviewQueue(() => clock.ms)
  const run = async (name: string, takesMs = 0): Promise<string> => {
    const { result, waitedMs } = await queue.run(
      { namespace: name.charAt(0), cameMs: clock.ms },
      async () => {
        clock.ms += takesMs
        done.push(name)
      },
    )
    await result
    return result ? `after ${waitedMs}` : `late by ${waitedMs - MAX_WAIT_MS}`
  }
  return { run, done }
}

const A = { namespace: 'a', cameMs: 0 }

describe('the queue of reviews', () => {
  test('judges at once where nobody waits', async () => {
    const { run } = queueAt({ ms: 0 })
    expect(await run('a1')).toBe('after 0')
  })

  test('lets one namespace after the other have its turn', async () => {
    const { run, done } = queueAt({ ms: 0 })
    await Promise.all(['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2'].map((name) => run(name)))
    expect(done).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4'])
  })

  test('of many judges what has waited as long as that, and drops what has waited longer until few are left', async () => {
    const { run, done } = queueAt({ ms: 0 })
    const rest = Array.from({ length: MANY + 2 }, (_, index) => `a${index + 3}`)
    const all = [run('a1', MAX_WAIT_MS), run('a2', 1), ...rest.map((name) => run(name))]
    expect(await Promise.all(all)).toEqual([
      'after 0',
      `after ${MAX_WAIT_MS}`,
      'late by 1',
      'late by 1',
      ...Array.from({ length: MANY }, () => `after ${MAX_WAIT_MS + 1}`),
    ])
    expect(done).toEqual(['a1', 'a2', ...rest.slice(2)])
    expect(await run('b1')).toBe('after 0')
  })

  test.each([
    ['few', MANY, 'after 1001'],
    ['many', MANY + 1, 'late by 1'],
  ])('of %s that wait after a moment in which nothing went on', async (_what, count, becomes) => {
    const { run } = queueAt({ ms: 0 })
    const [, second] = [run('a0', MAX_WAIT_MS + 1), run('a1')]
    const others = Array.from({ length: count - 1 }, (_, index) => run(`a${index + 2}`))
    expect(await second).toBe(becomes)
    await Promise.all(others)
  })

  test('judges nothing that has waited too long to be answered, however few wait', async () => {
    const { run } = queueAt({ ms: 0 })
    const all = [run('a1', MAX_AGE_MS + 1), run('a2')]
    expect(await Promise.all(all)).toEqual(['after 0', `late by ${MAX_AGE_MS + 1 - MAX_WAIT_MS}`])
  })

  test.each([
    ['was read in time', 0, true],
    ['took too long to be read', 1, false],
  ])('judges what %s', async (_name, more, isJudged) => {
    const queue = new ReviewQueue(() => MAX_AGE_MS + more)
    const { waitedMs, result } = await queue.run(A, async () => 'judged')
    expect([waitedMs, await result]).toEqual([0, isJudged ? 'judged' : undefined])
  })

  test('waits for nobody who waits himself', async () => {
    const { run } = queueAt({ ms: 0 })
    const queue = new ReviewQueue(() => 0)
    const { promise, resolve } = Promise.withResolvers<void>()
    const slow = queue.run(A, () => promise)
    const next = await queue.run(A, async () => 'judged')
    expect(await next.result).toBe('judged')
    resolve()
    await (
      await slow
    ).result
    expect(await run('a1')).toBe('after 0')
  })

  test('goes on where one fails', async () => {
    const queue = new ReviewQueue(() => 0)
    const failing = await queue.run(A, () => Promise.reject(new Error('broken')))
    await expect(failing.result).rejects.toThrow('broken')
    const next = await queue.run(A, async () => 'judged')
    expect(await next.result).toBe('judged')
  })
})
