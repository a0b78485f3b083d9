// How the API is listed: whoever may create an object decides how large it is.

import { expect, test } from '@jest/globals'
import { sourceOf } from '../../../../webhook/kube/collection.ts'

/** As large as etcd takes one. */
const MAX_OBJECT_BYTES = 1_500_000
/** What the webhook's memory has room for as text, and three times over once it is read. */
const MAX_PAGE_BYTES = 32 * 1024 * 1024

test('a page of the largest objects fits the memory, and all pages are read', async () => {
  const objects = Array.from({ length: 50 }, (_, index) => ({ name: `s${index}` }))
  const limits: number[] = []
  const source = sourceOf(
    { watch: () => Promise.reject(new Error('not watched')) },
    {
      path: '/api/v1/services',
      list: ({ limit, _continue = '0' }) => {
        limits.push(limit)
        const end = Number(_continue) + limit
        return Promise.resolve({
          items: objects.slice(Number(_continue), end),
          metadata: { resourceVersion: '7', ...(end < 50 ? { _continue: String(end) } : {}) },
        })
      },
      read: (object) => object,
    },
  )
  const found: unknown[] = []
  for await (const { items } of source.list()) found.push(...items)
  expect(found).toEqual(objects)
  expect(Math.max(...limits) * MAX_OBJECT_BYTES).toBeLessThanOrEqual(MAX_PAGE_BYTES)
})

test('a watch is of the objects that are selected, from the version that was listed', async () => {
  const asked: unknown[] = []
  const source = sourceOf(
    {
      watch: (path, query, _take, done) => {
        asked.push(path, query)
        queueMicrotask(() => done(undefined))
        return Promise.resolve({ abort: () => undefined })
      },
    },
    {
      path: '/api/v1/events',
      fieldSelector: 'reason=FailedCreate',
      list: () => Promise.resolve({ items: [] }),
      read: (object) => object,
    },
  )
  const hears = { opened: () => undefined, change: () => undefined }
  await source.watch('7', hears, new AbortController().signal)
  const query = {
    resourceVersion: '7',
    allowWatchBookmarks: true,
    fieldSelector: 'reason=FailedCreate',
  }
  expect(asked).toEqual(['/api/v1/events', query])
})
