import { describe, expect, test } from '@jest/globals'
import { FairTurns, type Turns } from '../../../shared/fair-turns.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Those who have asked for a turn, in the order in which they have had it; each ends its own when it is told to. */
const queue = (all?: Turns) => {
  const turns = new FairTurns(all)
  const had: string[] = []
  const ends = new Map<string, () => void>()
  const ask = async (name: string, signal?: AbortSignal): Promise<void> => {
    const end = await turns.take(name.charAt(0), signal)
    had.push(name)
    ends.set(name, end)
  }
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.()
    await settled()
  }
  return { ask, had, end }
}

describe('turns', () => {
  test('are taken one at a time, and at once where nobody has one', async () => {
    const { ask, had, end } = queue()
    await ask('a1')
    void ask('a2')
    await settled()
    expect(had).toEqual(['a1'])
    await end('a1')
    expect(had).toEqual(['a1', 'a2'])
    await end('a2')
    await ask('a3')
    expect(had).toEqual(['a1', 'a2', 'a3'])
  })

  test('go round the keys, and along each line', async () => {
    const { ask, had, end } = queue()
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) void ask(name)
    await settled()
    for (let index = 0; index < 7; index += 1) await end(had.at(-1) ?? '')
    expect(had).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4'])
  })

  test('are so many at once, and no key has more than its share', async () => {
    const { ask, had, end } = queue({ atOnce: 4, ofOneKey: 2 })
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'c2', 'd1']) void ask(name)
    await settled()
    expect(had).toEqual(['a1', 'a2', 'b1', 'c1'])
    // Its own line is first, and has its share.
    await end('b1')
    expect(had.slice(4)).toEqual(['c2'])
    await end('c1')
    expect(had.slice(5)).toEqual(['d1'])
    await end('a1')
    expect(had.slice(6)).toEqual(['a3'])
    for (const name of ['d1', 'c2', 'a2', 'a3']) await end(name)
    expect(had.slice(7)).toEqual(['a4'])
    for (const name of ['e1', 'e2', 'e3']) void ask(name)
    await settled()
    expect(had.slice(8)).toEqual(['e1', 'e2'])
  })

  test('are ended once', async () => {
    const { ask, had, end } = queue()
    for (const name of ['a1', 'b1', 'c1']) void ask(name)
    await settled()
    await end('a1')
    await end('a1')
    expect(had).toEqual(['a1', 'b1'])
  })

  test('are left by whoever goes, before and while he has his', async () => {
    const { ask, had, end } = queue()
    const [first, second] = [new AbortController(), new AbortController()]
    void ask('a1', first.signal)
    const gone = ask('b1', second.signal)
    void ask('b2')
    void ask('c1')
    await settled()
    second.abort()
    await expect(gone).rejects.toThrow()
    first.abort()
    await settled()
    expect(had).toEqual(['a1', 'b2'])
    await end('a1')
    expect(had).toEqual(['a1', 'b2'])
    await end('b2')
    expect(had).toEqual(['a1', 'b2', 'c1'])
  })

  test('are nobody’s who goes in the moment in which it is his', async () => {
    const { ask, had, end } = queue()
    const leaving = new AbortController()
    void ask('a1')
    const gone = ask('b1', leaving.signal)
    void ask('c1')
    await settled()
    const ended = end('a1')
    leaving.abort()
    await expect(gone).rejects.toThrow()
    await ended
    expect(had).toEqual(['a1', 'c1'])
  })

  test('are no one’s who has gone before', async () => {
    const { ask, had } = queue()
    await expect(ask('a1', AbortSignal.abort())).rejects.toThrow()
    await ask('a2')
    expect(had).toEqual(['a2'])
  })
})
