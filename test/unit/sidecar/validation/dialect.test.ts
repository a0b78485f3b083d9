import { describe, expect, test } from '@jest/globals'
import type { Json, JsonObject } from '../../../../shared/json.ts'
import { checked, of } from '../../../support/checked-arguments.ts'

const DRAFT_4 = 'http://json-schema.org/draft-04/schema#'
const DRAFT_6 = 'http://json-schema.org/draft-06/schema#'
const DRAFT_7 = 'http://json-schema.org/draft-07/schema#'

describe('a schema', () => {
  const [text, number] = [{ type: 'string' }, { type: 'number' }] as const
  test.each<[string, JsonObject, Json, string]>([
    [
      'without a dialect that has a list of items is one of 2019-09',
      of({ items: [text], additionalItems: false }),
      { a: ['x', 1] },
      '/a must have at most 1 items',
    ],
    [
      'without a dialect that has forms of two',
      of({ items: [text], not: { prefixItems: [number] } }),
      {},
      'uncheckable: it has prefixItems and a list in items, of two dialects, and no $schema',
    ],
    [
      'with a list of items in a default is one of 2020-12',
      of({ prefixItems: [text], default: { items: [1] } }),
      { a: [1] },
      '/a/0 must be a text, and is a number',
    ],
    [
      'of 2019-09 reads a list of items so',
      { $schema: 'https://json-schema.org/draft/2019-09/schema', ...of({ items: [text] }) },
      { a: [1] },
      '/a/0 must be a text, and is a number',
    ],
    [
      'of draft 4 has bounds that are not reached',
      { $schema: DRAFT_4, ...of({ minimum: 1, exclusiveMinimum: true, maximum: 3 }) },
      { a: 1 },
      '/a must be more than 1',
    ],
    [
      'of draft 4 has bounds that are reached',
      { $schema: DRAFT_4, ...of({ maximum: 1, exclusiveMaximum: false }) },
      { a: 1 },
      'right',
    ],
    [
      'of draft 4 knows no const, and no contains',
      { $schema: DRAFT_4, ...of({ const: 1, contains: false }) },
      { a: [2] },
      'right',
    ],
    [
      'of draft 4 is named by id',
      {
        $schema: DRAFT_4,
        ...of({ $ref: '#b' }),
        definitions: { b: { id: '#b', ...text } },
      },
      { a: 1 },
      '/a must be a text, and is a number',
    ],
    [
      'of draft 6 knows no if',
      { $schema: DRAFT_6, ...of(JSON.parse('{"if":true,"then":false}')) },
      { a: 1 },
      'right',
    ],
    [
      'of draft 7 reads nothing beside a reference',
      { $schema: DRAFT_7, ...of({ $ref: '#/definitions/b', ...text }), definitions: { b: number } },
      { a: 1 },
      'right',
    ],
    [
      'of draft 7 has definitions beside a reference',
      { $schema: DRAFT_7, $ref: '#/definitions/b', definitions: { b: of(text) } },
      { a: 1 },
      '/a must be a text, and is a number',
    ],
    [
      'of 2020-12 reads what stands beside a reference',
      { ...of({ $ref: '#/$defs/b', ...text }), $defs: { b: {} } },
      { a: 1 },
      '/a must be a text, and is a number',
    ],
    [
      'refers by an anchor',
      { ...of({ $ref: '#b' }), $defs: { any: { $anchor: 'b', ...text } } },
      { a: 1 },
      '/a must be a text, and is a number',
    ],
    [
      'refers from the one that has an identifier',
      {
        $defs: { b: number },
        ...of({ $id: 'inner', $ref: '#/$defs/b', $defs: { b: text } }),
      },
      { a: 1 },
      '/a must be a text, and is a number',
    ],
    [
      'refers by an identifier, from within another',
      {
        $id: 'https://x.example/outer',
        ...of({ $id: 'one', properties: { b: { $ref: 'two#/$defs/c' } } }),
        $defs: { any: { $id: 'two', $defs: { c: text } } },
      },
      { a: { b: 1 } },
      '/a/b must be a text, and is a number',
    ],
    [
      'refers to all of it by its identifier',
      {
        $id: 'https://x.example/outer',
        properties: { a: { $ref: 'https://x.example/outer' } },
        required: ['n'],
      },
      { n: 1, a: {} },
      '/a must have "n"',
    ],
    [
      'has one identifier twice',
      { $defs: { a: { $id: 'x' }, b: { $id: 'x' } } },
      {},
      'uncheckable: two schemas in it have the same identifier (at #/$defs/b)',
    ],
    [
      'has one anchor twice',
      { $defs: { a: { $anchor: 'x' }, b: { $anchor: 'x' } } },
      {},
      'uncheckable: two schemas in it have the same anchor (at #/$defs/b)',
    ],
    [
      'has a list of items in 2020-12',
      { $schema: 'https://json-schema.org/draft/2020-12/schema', ...of({ items: [text] }) },
      { a: [1] },
      'uncheckable: items holds a list, which 2020-12 names prefixItems (at #/properties/a)',
    ],
  ])('%s', (_what, schema, value, said) => {
    expect(checked(schema, value)).toBe(said)
  })
})
