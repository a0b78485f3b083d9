import { beforeEach, describe, expect, test } from '@jest/globals'
import { EMPTY_INDEX, type ImageIndex } from '../../../../shared/image-index.ts'
import {
  FoundImages,
  MAX_BYTES,
  MAX_NAMESPACE_BYTES,
  withFound,
  withMoved,
  type Found,
} from '../../../../webhook/controller/found-images.ts'
import { IndexApi } from '../../../support/index-api.ts'

const digest = (n: number): string => `sha256:${String(n).padStart(64, '0')}`

/** Of one image and its tag. */
const index = (n: number, entrypoint: readonly string[] = ['serve']): ImageIndex => ({
  version: 1,
  tags: { [`r.example/app:${n}`]: digest(n) },
  images: { [digest(n)]: { 'linux/amd64': { entrypoint, cmd: [] } } },
})
const WORDS = ['x'.repeat(15_000)]
const NOTHING: Found = { index: EMPTY_INDEX, marks: {} }

const added = (found: Found, namespace: string, more: ImageIndex): Found => {
  const after = withFound(found, namespace, more)
  if (!after.ok || !after.value) throw new Error(after.ok ? 'nothing is new' : after.error)
  return after.value
}

describe('what is found', () => {
  test('is added with what was there', () => {
    const after = added({ index: index(1), marks: {} }, 'a', index(2))
    expect(Object.keys(after.index.images)).toEqual([digest(1), digest(2)])
    expect(Object.keys(after.index.tags)).toEqual(['r.example/app:1', 'r.example/app:2'])
    expect(after.marks['a']).toHaveLength(2)
  })

  test('takes the place of nothing that was there', () => {
    const moved = { ...index(1), tags: { 'r.example/app:1': digest(2) } }
    expect(withFound({ index: index(1, ['mine']), marks: {} }, 'a', index(1))).toEqual({ ok: true })
    expect(
      added({ index: index(1), marks: {} }, 'a', { ...moved, images: index(2).images }).index.tags,
    ).toEqual(index(1).tags)
  })

  test('is refused where it is too large by itself', () => {
    expect(withFound(NOTHING, 'a', index(1, ['x'.repeat(17_000)]))).toEqual({
      ok: false,
      error: expect.stringContaining('16384 is the most'),
    })
  })

  const filled = (namespaces: readonly string[], each: number): Found => {
    let found = NOTHING
    let n = 0
    for (const namespace of namespaces) {
      for (let times = 0; times < each; times += 1)
        found = added(found, namespace, index((n += 1), WORDS))
    }
    return found
  }

  const tagged = ({ index: { tags } }: Found): readonly string[] => Object.keys(tags)
  const bytesOf = ({ index: all }: Found): number => JSON.stringify(all).length

  test('takes the place of what was found first for its namespace, where that has had its share', () => {
    const full = filled(['b', 'a'], 4)
    expect(bytesOf(full)).toBeGreaterThan(MAX_NAMESPACE_BYTES)
    const after = added(full, 'a', index(99, WORDS))
    expect(tagged(after)).toEqual([1, 2, 3, 4, 6, 7, 8, 99].map((n) => `r.example/app:${n}`))
    expect(Object.keys(after.index.images)).toHaveLength(8)
    expect(after.marks['a']).toHaveLength(8)
    expect(after.marks['b']).toEqual(full.marks['b'])
    expect(tagged(added(full, 'c', index(99, WORDS)))).toHaveLength(9)
  })

  test('takes that of whoever has most, where all have had theirs', () => {
    let full = filled(['h', 'a', 'b', 'c', 'd', 'e', 'f', 'g'], 4)
    for (const n of [201, 202]) full = added(full, 'z', index(n, WORDS))
    const after = added(full, 'z', index(203, WORDS))
    // One of those who have more than it: the largest by a letter.
    expect(tagged(full).filter((tag) => !tagged(after).includes(tag))).toEqual(['r.example/app:13'])
    expect(after.marks['z']).toHaveLength(6)
    expect(bytesOf(after)).toBeLessThan(MAX_BYTES + 10_000)
  })

  test('takes nothing that people have recorded, or that is wanted now', () => {
    const recorded: Found = { ...filled(['a'], 4), marks: {} }
    const own = filled(['a'], 3)
    expect(tagged(added(recorded, 'a', index(99, WORDS)))).toHaveLength(5)
    // A tag of people's leads to what was found first, and to what the next one adds a name to.
    const theirs: Found = {
      ...own,
      index: { ...own.index, tags: { ...own.index.tags, 'r.example/theirs:1': digest(1) } },
    }
    const more = added(added(theirs, 'a', index(98, WORDS)), 'a', index(99, WORDS))
    expect(Object.keys(more.index.images)).toContain(digest(1))
    expect(more.index.tags).toHaveProperty(['r.example/theirs:1'], digest(1))
    expect(tagged(more)).not.toContain('r.example/app:1')
    const again = { ...index(99, WORDS), tags: { 'r.example/app:again': digest(1) } }
    const kept = added(filled(['a'], 4), 'a', again)
    expect(Object.keys(kept.index.images)).toEqual([1, 3, 4, 99].map(digest))
  })

  test('leaves what another namespace has found by a tag of its own with that', () => {
    const shared = added(filled(['a'], 1), 'b', {
      ...index(1, WORDS),
      tags: { 'r.example/b:1': digest(1) },
    })
    let after = shared
    for (const n of [11, 12, 13, 14, 15]) after = added(after, 'a', index(n, WORDS))
    expect(after.index.tags).toHaveProperty(['r.example/b:1'], digest(1))
    expect(Object.keys(after.index.images)).toContain(digest(1))
    expect(after.marks['b']).toHaveLength(2)
  })

  test('is bounded in how many there are, too, whatever they are called', () => {
    let full = NOTHING
    const name = (n: number): string => `${'n'.repeat(60)}${n}`
    for (let n = 0; n < 420; n += 1) full = added(full, name(n), index(n))
    const found = JSON.stringify({ version: 1, namespaces: full.marks })
    expect(found.length).toBeLessThanOrEqual(40_000)
    expect(found.length).toBeGreaterThan(39_000)
    expect([full.marks[name(0)], full.marks[name(419)]?.length]).toEqual([undefined, 2])
    expect(tagged(full)).not.toContain('r.example/app:0')
    expect(Object.keys(full.index.images)).toHaveLength(tagged(full).length)
  })

  test('counts no more once somebody has taken it out of the index', () => {
    const { marks } = filled(['a'], 4)
    const after = added({ index: EMPTY_INDEX, marks }, 'a', index(99, WORDS))
    expect(after.marks['a']).toHaveLength(2)
    expect(added({ index: EMPTY_INDEX, marks }, 'b', index(99)).marks).not.toHaveProperty('a')
  })

  test.each(['constructor', '__proto__'])('for a namespace called %s is counted, too', (name) => {
    const after = added(NOTHING, name, index(1))
    expect(JSON.stringify(after.marks)).toContain(`"${name}":[`)
  })
})

describe('a tag that was found', () => {
  const tag = 'r.example/app:1'
  const found = { namespace: 'a', tag, digest: digest(1) }
  const now: ImageIndex = { ...index(2), tags: { [tag]: digest(2) } }
  const moved = (before: Found): ImageIndex | undefined => {
    const after = withMoved(before, found, now)
    if (!after.ok) throw new Error(after.error)
    return after.value?.index
  }
  const before = added(NOTHING, 'a', index(1))

  test('and leads elsewhere does so in the index, which keeps nothing of what it led to', () => {
    expect(moved(before)).toEqual(now)
    const after = withMoved(before, found, now)
    expect(after.ok && after.value?.marks['a']).toHaveLength(2)
  })

  test.each<[string, Found]>([
    [
      'another tag leads there',
      added(before, 'b', { ...index(1), tags: { 'r.example/b:1': digest(1) } }),
    ],
    ['somebody has recorded it', { index: before.index, marks: {} }],
  ])('keeps what it led to where %s', (_name, standing) => {
    expect(Object.keys(moved(standing)?.images ?? {})).toEqual([digest(1), digest(2)])
  })

  test.each<[string, Found, ImageIndex]>([
    [
      'somebody has recorded it anew',
      { ...before, index: { ...index(3), tags: { [tag]: digest(3) } } },
      now,
    ],
    ['it leads where it did', before, index(1)],
    ['it was taken out', NOTHING, now],
    ['nothing says where it leads', before, { ...now, tags: {} }],
  ])('stays where %s', (_name, standing, to) => {
    expect(withMoved(standing, found, to)).toEqual({ ok: true })
  })

  test('stays where what it leads to is more than its namespace may have', () => {
    const large = { ...index(2, ['x'.repeat(17_000)]), tags: { [tag]: digest(2) } }
    expect(withMoved(before, found, large)).toMatchObject({ ok: false })
  })
})

describe('the ConfigMap', () => {
  const { signal } = new AbortController()
  let api: IndexApi
  let images: FoundImages

  beforeEach(() => {
    api = new IndexApi()
    images = new FoundImages(api.requests, 'outrigger-system')
  })

  test('gets what was found, and keeps for whom', async () => {
    expect(await images.add('a', index(1), signal)).toEqual({ ok: true })
    expect(await images.read(signal)).toEqual({ ok: true, value: api.index })
    expect(api.index).toEqual(index(1))
    expect(await images.add('b', index(1), signal)).toEqual({ ok: true })
    expect(api.index).toEqual(index(1))
  })

  test('says which tags were found, but for those that somebody has recorded anew', async () => {
    api.put({ 'index.json': JSON.stringify(index(3)) })
    await images.add('a', index(1), signal)
    await images.add('b', index(2), signal)
    const tags = { ...api.index.tags, 'r.example/app:2': digest(3) }
    api.put({ 'index.json': JSON.stringify({ ...api.index, tags }) })
    const found = { namespace: 'a', tag: 'r.example/app:1', digest: digest(1) }
    expect(await images.tags(signal)).toEqual({ ok: true, value: [found] })
  })

  test('keeps what somebody has written meanwhile', async () => {
    api.meanwhile = () => api.put({ 'index.json': JSON.stringify(index(2)) })
    expect(await images.add('a', index(1), signal)).toEqual({ ok: true })
    expect(Object.keys(api.index.images)).toEqual([digest(1), digest(2)])
  })

  test.each([
    ['the index', { 'index.json': '{' }, 'the image index in the cluster is not taken'],
    ['what says for whom', { 'found.json': '{"version":2}' }, 'found.json in the ConfigMap'],
  ])('is left as it is where %s is broken', async (_name, data, error) => {
    api.put(data)
    expect(await images.add('a', index(1), signal)).toEqual({
      ok: false,
      error: expect.stringContaining(error),
    })
  })

  test.each<[string, ImageIndex]>([
    ['a name', { ...index(1), tags: { [`r.example/${'a'.repeat(600)}:1`]: digest(1) } }],
    [
      'a command',
      index(
        1,
        Array.from({ length: 300 }, () => 'x'),
      ),
    ],
  ])('takes nothing that would spoil it: too long %s', async (_name, more) => {
    expect(await images.add('a', more, signal)).toMatchObject({
      error: expect.stringContaining('nothing that the image index can hold'),
    })
    expect(api.index).toEqual(EMPTY_INDEX)
  })

  test('has to be there', async () => {
    const nowhere = new FoundImages(api.requests, 'elsewhere')
    expect(await nowhere.add('a', index(1), signal)).toMatchObject({
      error: "there is no ConfigMap elsewhere/outrigger-images; Outrigger's manifests have it",
    })
  })
})
