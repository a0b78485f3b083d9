import * as fc from 'fast-check'
import { describe, expect, test } from '@jest/globals'
import { applyPatch, writePatch } from '../../../webhook/inject/patch.ts'
import { isObject, isSame, type Json, type JsonObject } from '../../../shared/json.ts'

const operations = (before: JsonObject, after: JsonObject): unknown => {
  const patch = writePatch(before, after)
  return patch.ok ? patch.value : patch.error
}

describe('writePatch', () => {
  test.each<readonly [string, JsonObject, JsonObject, unknown]>([
    ['nothing', { a: 1 }, { a: 1 }, []],
    ['a new member', {}, { 'a/b~c': 1 }, [{ op: 'add', path: '/a~1b~0c', value: 1 }]],
    [
      'a null that becomes a value',
      { a: null },
      { a: {} },
      [{ op: 'replace', path: '/a', value: {} }],
    ],
    ['a member gone', { a: 1, b: 2 }, { b: 2 }, [{ op: 'remove', path: '/a' }]],
    [
      'a plain list',
      { args: [1] },
      { args: [1, 2] },
      [{ op: 'replace', path: '/args', value: [1, 2] }],
    ],
    [
      'a container in front leaves those behind it alone',
      { containers: [{ name: 'a', image: '1' }] },
      { containers: [{ name: 'new' }, { name: 'a', image: '2' }] },
      [
        { op: 'add', path: '/containers/0', value: { name: 'new' } },
        { op: 'replace', path: '/containers/1/image', value: '2' },
      ],
    ],
    [
      'our own item moves, not theirs',
      { initContainers: [{ name: 'outrigger-sidecar' }, { name: 'mesh' }] },
      { initContainers: [{ name: 'mesh' }, { name: 'outrigger-sidecar' }] },
      [
        { op: 'remove', path: '/initContainers/0' },
        { op: 'add', path: '/initContainers/1', value: { name: 'outrigger-sidecar' } },
      ],
    ],
    [
      'removals go from the end',
      { volumes: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
      { volumes: [{ name: 'b' }] },
      [
        { op: 'remove', path: '/volumes/2' },
        { op: 'remove', path: '/volumes/0' },
      ],
    ],
    [
      'names that stand twice are no names',
      {
        env: [
          { name: 'a', value: '1' },
          { name: 'a', value: '2' },
        ],
      },
      { env: [{ name: 'a', value: '2' }] },
      [{ op: 'replace', path: '/env', value: [{ name: 'a', value: '2' }] }],
    ],
  ])('%s', (_name, before, after, expected) => {
    expect(operations(before, after)).toEqual(expected)
  })

  const item = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'outrigger-sidecar'),
    value: fc.nat(2),
  })
  const arbitrary = fc.letrec<{ value: Json; object: JsonObject }>((tie) => ({
    value: fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.nat(3),
      fc.string({ maxLength: 2 }),
      tie('object'),
    ),
    object: fc
      .record(
        {
          containers: fc.array(item, { maxLength: 5 }),
          env: fc.array(item, { maxLength: 4 }),
          'x/~': tie('value'),
          y: fc.array(tie('value'), { maxLength: 3 }),
        },
        { requiredKeys: [] },
      )
      .map((object): JsonObject => Object.assign({}, object)),
  })).object

  test('always leads from one to the other', () => {
    fc.assert(
      fc.property(arbitrary, arbitrary, (before, after) => {
        const patch = writePatch(before, after)
        expect(patch.ok).toBe(true)
        if (!patch.ok) return
        const kept = structuredClone([before, after, patch.value])
        const result = applyPatch(before, patch.value)
        expect(result.ok && isSame(result.value, after)).toBe(true)
        expect([before, after, patch.value]).toEqual(kept)
      }),
    )
  })
})

describe('applyPatch', () => {
  test('says why a patch does not apply, and leaves the document alone', () => {
    const before = { a: 1 }
    const result = applyPatch(before, [{ op: 'remove', path: '/b/c' }])
    expect(result.ok).toBe(false)
    expect(before).toEqual({ a: 1 })
  })

  test('changes no value that an operation brings, whatever comes after it', () => {
    const [before, brought] = [{ a: { b: [{ c: 1 }] } }, { list: [{ d: 1 }] }]
    const result = applyPatch(before, [
      { op: 'add', path: '/a/b/0', value: brought },
      { op: 'replace', path: '/a/b/0/list/0/d', value: 2 },
      { op: 'replace', path: '/a/b/1/c', value: 3 },
    ])
    expect(result).toEqual({ ok: true, value: { a: { b: [{ list: [{ d: 2 }] }, { c: 3 }] } } })
    expect([before, brought]).toEqual([{ a: { b: [{ c: 1 }] } }, { list: [{ d: 1 }] }])
  })

  test('refuses to reach for a prototype', () => {
    const result = applyPatch({}, [{ op: 'add', path: '/__proto__/polluted', value: true }])
    expect(result.ok && isObject(result.value)).toBe(false)
    expect('polluted' in {}).toBe(false)
  })
})
