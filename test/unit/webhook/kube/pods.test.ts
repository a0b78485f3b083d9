// Pods are read within bounds, whatever their authors have put into them.

import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { MAX_ALL_BYTES, MAX_BYTES, PAGE, runningPods } from '../../../../webhook/kube/pods.ts'
import type { Ask } from '../../../../webhook/kube/reply.ts'

const signal = new AbortController().signal
const CHUNK = 65_536

interface Server {
  readonly ask: Ask
  /** The sizes of the pages that were asked for. */
  readonly limits: number[]
  /** What was read of each answer. */
  readonly read: number[]
}

/** An API server with these pods of one namespace; what is read of its answers is counted. */
const serverOf = (pods: readonly JsonObject[]): Server => {
  const [limits, read]: [number[], number[]] = [[], []]
  async function* bodyOf(object: JsonObject): AsyncGenerator<Uint8Array> {
    const bytes = Buffer.from(JSON.stringify(object))
    const index = read.push(0) - 1
    for (let from = 0; from < bytes.length; from += CHUNK) {
      const part = bytes.subarray(from, from + CHUNK)
      read[index] = (read[index] ?? 0) + part.length
      yield part
    }
  }
  const ask: Ask = (path) => {
    const { pathname, searchParams } = new URL(path, 'http://api')
    const name = /^\/api\/v1\/namespaces\/team-a\/pods\/(.*)$/.exec(pathname)?.[1]
    if (name !== undefined) {
      const found = pods[Number(name)]
      return Promise.resolve(
        found ? { status: 200, body: bodyOf(found) } : { status: 404, body: bodyOf({}) },
      )
    }
    expect(pathname).toBe('/api/v1/namespaces/team-a/pods')
    const limit = Number(searchParams.get('limit'))
    const end = Number(searchParams.get('continue') ?? 0) + limit
    limits.push(limit)
    const metadata = end < pods.length ? { continue: String(end) } : { continue: '' }
    return Promise.resolve({
      status: 200,
      body: bodyOf({ metadata, items: pods.slice(end - limit, end) }),
    })
  }
  return { ask, limits, read }
}

const listed = async (ask: Ask): Promise<{ found: JsonObject[]; error?: unknown }> => {
  const found: JsonObject[] = []
  try {
    for await (const pod of runningPods(ask).list('team-a', signal)) {
      found.push(pod)
    }
  } catch (error) {
    return { found, error }
  }
  return { found }
}

const some = (count: number, more: JsonObject = {}): readonly JsonObject[] =>
  Array.from({ length: count }, (_, index) => ({ metadata: { name: `p-${index}` }, ...more }))
/** As many values as 1.4 MB hold, which its author may store. */
const env = Array.from({ length: 60_000 }, (_, index) => ({ name: `v${index}` }))
const full = { spec: { containers: [{ name: 'server', env }] } }
const withText = (length: number): JsonObject => ({ spec: { text: 'x'.repeat(length) } })

describe('the pods of a namespace', () => {
  test('come page by page, all of them', async () => {
    const { ask, limits } = serverOf(some(25))
    expect(await listed(ask)).toEqual({ found: some(25) })
    expect(limits).toEqual([PAGE, PAGE, PAGE])
  })

  test('that hold very many values are never parsed', async () => {
    const { ask, limits, read } = serverOf(some(20, full))
    const error = expect.objectContaining({
      message: expect.stringMatching(/^one is larger than is read here \(20000 values, 2 MiB\)/),
    })
    expect(await listed(ask)).toEqual({ found: [], error })
    expect(limits).toEqual([10, 5, 2, 1])
    expect(Math.max(...read)).toBeLessThanOrEqual(MAX_BYTES + CHUNK)
  })

  test('that are large come one by one', async () => {
    const pods = some(6, withText(1_400_000))
    const { ask, limits, read } = serverOf(pods)
    expect(await listed(ask)).toEqual({ found: pods })
    expect(limits).toEqual([10, 5, 2, 1, 1, 1, 1, 1, 1])
    expect(Math.max(...read)).toBeLessThanOrEqual(MAX_BYTES + CHUNK)
  })

  test('that are too much together are read as far as that', async () => {
    const { ask, read } = serverOf(some(60, withText(1_400_000)))
    const { found, error } = await listed(ask)
    expect(found.length).toBeGreaterThan(10)
    expect(error).toMatchObject({ message: expect.stringMatching(/^together they are larger/) })
    const all = read.reduce((sum, each) => sum + each, 0)
    expect(all).toBeLessThanOrEqual(MAX_ALL_BYTES + 4 * (MAX_BYTES + CHUNK))
  })

  test('leave others their turn between two pages', async () => {
    let [turns, isOver] = [0, false]
    const count = (): void => {
      turns += 1
      if (!isOver) setImmediate(count)
    }
    count()
    const { ask, limits } = serverOf(some(50))
    await listed(ask)
    isOver = true
    expect(turns).toBeGreaterThanOrEqual(limits.length)
  })

  test('that may not be listed: what the API server says', async () => {
    const ask: Ask = () =>
      Promise.resolve({
        status: 403,
        body: (async function* () {
          yield Buffer.from('{"kind":"Status","message":"pods is forbidden"}')
        })(),
      })
    expect((await listed(ask)).error).toMatchObject({
      message: 'the API server answered 403: pods is forbidden',
    })
  })
})

describe('several namespaces', () => {
  /** An API server that answers when it is told to. */
  const slow = (): { ask: Ask; asked: string[]; answer: () => void } => {
    const [asked, waiting]: [string[], (() => void)[]] = [[], []]
    const ask: Ask = async (path) => {
      asked.push(/namespaces\/([^/]+)/.exec(path)?.[1] ?? '')
      await new Promise<void>((resolve) => waiting.push(resolve))
      return serverOf(some(1)).ask('/api/v1/namespaces/team-a/pods?limit=1', signal)
    }
    return { ask, asked, answer: () => waiting.shift()?.() }
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const count = async (pods: AsyncIterable<JsonObject>): Promise<number | string> => {
    let found = 0
    try {
      for await (const _pod of pods) found += 1
    } catch {
      return 'ended'
    }
    return found
  }

  test('have their turn one after the other', async () => {
    const { ask, asked, answer } = slow()
    const { list } = runningPods(ask)
    const all = ['a', 'b', 'c'].map((name) => count(list(name, signal)))
    for (const so of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
      await turn()
      expect(asked).toEqual(so)
      answer()
      await turn()
    }
    expect(await Promise.all(all)).toEqual([1, 1, 1])
  })

  test('are not kept waiting by a crowd of one', async () => {
    const [asked, pages]: [string[], Map<string, number>] = [[], new Map()]
    const ask: Ask = (path, leave) => {
      const { pathname, searchParams } = new URL(path, 'http://api')
      const name = pathname.split('/')[4] ?? ''
      asked.push(name)
      pages.set(name, (pages.get(name) ?? 0) + 1)
      const query = `limit=1&continue=${Number(searchParams.get('continue') ?? 0)}`
      return serverOf(some(20)).ask(`/api/v1/namespaces/team-a/pods?${query}`, leave)
    }
    const { list } = runningPods(ask)
    const crowd = Array.from({ length: 50 }, () => count(list('crowd', signal)))
    await turn()
    const before = asked.length
    expect(await count(list('alone', signal))).toBe(20)
    // Of two namespaces each has every other page.
    expect(asked.length - before).toBeLessThanOrEqual(2 * 20 + 2)
    expect(asked.slice(before).filter((name) => name === 'alone')).toHaveLength(20)
    await Promise.all(crowd)
  })

  test('who goes leaves his turn, and takes nobody else’s', async () => {
    const { ask, asked, answer } = slow()
    const { list } = runningPods(ask)
    const [first, second] = [new AbortController(), new AbortController()]
    void count(list('never-answered', first.signal))
    const gone = count(list('b', second.signal))
    const last = count(list('c', signal))
    await turn()
    second.abort()
    expect(await gone).toBe('ended')
    await turn()
    expect(asked).toEqual(['never-answered'])
    first.abort()
    await turn()
    expect(asked).toEqual(['never-answered', 'c'])
    answer()
    answer()
    expect(await last).toBe(1)
  })
})

test('what a policy is held against is listed by our labels', async () => {
  const paths: string[] = []
  const ask: Ask = (path) => {
    paths.push(path)
    return serverOf([]).ask('/api/v1/namespaces/team-a/pods?limit=1', signal)
  }
  const { guarded } = runningPods(ask)
  for (const listed of [guarded.pods('team/a', signal), guarded.policies('team/a', signal)]) {
    for await (const object of listed) expect(object).toBeUndefined()
  }
  expect(paths).toEqual([
    '/api/v1/namespaces/team%2Fa/pods?limit=10&labelSelector=outrigger.dev%2Finjected%3Dtrue',
    '/apis/networking.k8s.io/v1/namespaces/team%2Fa/networkpolicies?limit=10&labelSelector=app.kubernetes.io%2Fmanaged-by%3Doutrigger',
  ])
})

describe('one pod', () => {
  const { ask } = serverOf([{ metadata: { name: '0' } }, full])
  const pods = runningPods(ask)
  test('is there, or is not', async () => {
    expect(await pods.get('team-a', '0')).toEqual({ metadata: { name: '0' } })
    expect(await pods.get('team-a', '9')).toBeUndefined()
  })
  test.each(['', '.', '..'])('is never the list that a name %j leads to', async (name) => {
    const list: Ask = () => serverOf(some(1)).ask('/api/v1/namespaces/team-a/pods?limit=1', signal)
    await expect(runningPods(list).get('team-a', name)).rejects.toThrow('no pod of that name')
  })
  test('that holds very many values is never parsed', async () => {
    await expect(pods.get('team-a', '1')).rejects.toThrow('one is larger than is read here')
  })
})
