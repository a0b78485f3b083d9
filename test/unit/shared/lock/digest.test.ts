import { describe, expect, test } from '@jest/globals'
import { definitionOf, differences, digestOf } from '../../../../shared/lock/digest.ts'
import type { Json, JsonObject } from '../../../../shared/json.ts'
import type { LockedKind } from '../../../../shared/lock/kinds.ts'

const EMPTY_OBJECT = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'

describe('a digest', () => {
  test('is that of the canonical text', () => {
    expect(digestOf({})).toBe(EMPTY_OBJECT)
  })

  test.each<[string, Json, Json, boolean]>([
    ['the order of members', { a: 1, b: [2] }, { b: [2], a: 1 }, true],
    ['the order of items', [1, 2], [2, 1], false],
    ['one spelling of a number', 1, 1.0, true],
    ['a number and its text', 1, '1', false],
    ['null and nothing', { a: null }, {}, false],
    ['what is nested', { a: { b: [{ c: 1 }] } }, { a: { b: [{ c: 2 }] } }, false],
    ['a member moved in', { a: { b: 1 } }, { a: {}, b: 1 }, false],
    ['letters that look alike', 'a', '\u0430', false],
    ['what nobody sees', 'a', 'a\u200B', false],
    ['quotes in a name', { 'a":1,"b': 2 }, { a: 1, b: 2 }, false],
  ])('%s', (_what, a, b, isSame) => {
    expect(digestOf(a) === digestOf(b)).toBe(isSame)
  })
})

const ITEM = { name: 'echo', title: 'Echo', description: 'Says it.', inputSchema: {} }

test('a definition has every member but the name, by name', () => {
  expect([...definitionOf('tools', ITEM).keys()]).toEqual(['description', 'inputSchema', 'title'])
})

describe('what differs', () => {
  test.each<[string, LockedKind, readonly [JsonObject, JsonObject], readonly string[]]>([
    ['nothing', 'tools', [ITEM, { ...ITEM }], []],
    ['a description', 'tools', [ITEM, { ...ITEM, description: 'x' }], ['description differs']],
    ['a member of later revisions', 'tools', [ITEM, { ...ITEM, newer: 1 }], ['newer is new']],
    [
      'a title that is gone',
      'tools',
      [{ name: 'a', title: 'A' }, { name: 'a' }],
      ['title is gone'],
    ],
    [
      'a size',
      'resources',
      [
        { uri: 'a:b', size: 1 },
        { uri: 'a:b', size: 2 },
      ],
      [],
    ],
    [
      'when a resource changed',
      'resources',
      [
        { uri: 'a:b', annotations: { priority: 1, lastModified: 'a' } },
        { uri: 'a:b', annotations: { priority: 1, lastModified: 'b' } },
      ],
      [],
    ],
    [
      'its other annotations',
      'resources',
      [
        { uri: 'a:b', annotations: { priority: 1 } },
        { uri: 'a:b', annotations: { priority: 0 } },
      ],
      ['annotations differs'],
    ],
    [
      'the size of a tool',
      'tools',
      [
        { name: 'a', size: 1 },
        { name: 'a', size: 2 },
      ],
      ['size differs'],
    ],
  ])('%s', (_what, kind, [locked, found], words) => {
    expect(differences(definitionOf(kind, locked), definitionOf(kind, found))).toEqual(words)
  })

  test('of a hundred members a few are named', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`m${index}`, index]))
    const words = differences(
      definitionOf('tools', ITEM),
      definitionOf('tools', { ...ITEM, ...many }),
    )
    expect(words).toHaveLength(9)
    expect(words.at(-1)).toBe('92 more differ')
  })
})
