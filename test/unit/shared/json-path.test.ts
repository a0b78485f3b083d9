// Which JSON paths are understood, and as what.

import { expect, test } from '@jest/globals'
import { parsePath } from '../../../shared/json-path.ts'

test.each<[string, readonly object[]]>([
  ['$.a', [{ name: 'a' }]],
  ['$.params.arguments.card-no', [{ name: 'params' }, { name: 'arguments' }, { name: 'card-no' }]],
  ["$['a b'].c", [{ name: 'a b' }, { name: 'c' }]],
  ["$['it\\'s']", [{ name: "it's" }]],
  ['$.a[*].*', [{ name: 'a' }, { any: 'item' }, { any: 'member' }]],
])('%s', (path, steps) => {
  expect(parsePath(path)).toEqual({ ok: true, value: steps })
})

test.each([
  ['', 'begins with $'],
  ['a.b', 'begins with $'],
  ['$', '1 to 32 steps'],
  ['$..a', 'behind 1 characters'],
  ['$.a[0]', 'behind 3 characters'],
  ['$.a.', 'behind 3 characters'],
  ['$.a[?(@.b)]', 'behind 3 characters'],
  [`$${'.a'.repeat(33)}`, '1 to 32 steps'],
])('%s is refused', (path, why) => {
  expect(parsePath(path)).toEqual({ ok: false, error: expect.stringContaining(why) })
})
