import { describe, expect, test } from '@jest/globals'
import type { Json } from '../../../../shared/json.ts'
import { checked } from '../../../support/checked-arguments.ts'

describe('what is wrong', () => {
  const DATA = { type: 'string' } as const
  test.each<[string, Json, Json, string]>([
    ['two types', { type: ['string', 'null'] }, 1, 'must be a text or null, and is a number'],
    ['a fraction', { type: 'integer' }, 1.5, 'must be a whole number, and is a broken number'],
    [
      'alternatives of types',
      { anyOf: [DATA, { type: 'null' }] },
      1,
      'must be a text or null, and is a number',
    ],
    [
      'alternatives',
      { anyOf: [{ minLength: 3 }, { type: 'null' }] },
      'x',
      'must be as one of "anyOf" describes; by the first of them /a must have at least 3 characters',
    ],
    [
      'too many alternatives',
      { oneOf: [{}, {}] },
      1,
      'must be as one of "oneOf" describes, and is as 2 of them do',
    ],
    [
      'a name nearby',
      { properties: { query: {} }, additionalProperties: false },
      { qeury: 1 },
      'must not have "qeury"; did you mean "query"?',
    ],
    [
      'a choice nearby',
      { enum: ['ascending'] },
      'asending',
      'must be one of "ascending"; did you mean "ascending"?',
    ],
    [
      'a name that does not fit',
      { propertyNames: { maxLength: 1 } },
      { ab: 1 },
      'must not have "ab", whose name must have at most 1 characters',
    ],
    [
      'what follows',
      JSON.parse('{"if":true,"then":{"type":"string"}}'),
      1,
      'must be a text, and is a number',
    ],
    [
      'what is missing beside',
      { dependentRequired: { b: ['c'] } },
      { b: 1 },
      'must have "c" where it has "b"',
    ],
    [
      'what is not held',
      { contains: DATA },
      [1],
      'must hold at least 1 of the items that "contains" describes',
    ],
    ['what must not be there', false, 1, 'must not be there'],
    ['another value', { const: 'x' }, 'y', 'must be "x"'],
    ['no multiple', { multipleOf: 5 }, 7, 'must be a multiple of 5'],
    ['too few', { minItems: 2 }, [1], 'must have at least 2 items'],
    ['too many members', { maxProperties: 1 }, { a: 1, b: 2 }, 'must have at most 1 members'],
    ['what is left over', { unevaluatedProperties: false }, { b: 1 }, 'must not have "b"'],
    ['a list', { type: 'object' }, [], 'must be an object, and is a list'],
    ['nothing', DATA, null, 'must be a text, and is null'],
  ])('is said of %s', (_what, schema, value, said) => {
    expect(checked({ properties: { a: schema } }, { a: value })).toBe(`/a ${said}`)
  })
})
