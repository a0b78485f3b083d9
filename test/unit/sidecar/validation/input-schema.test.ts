import { describe, expect, test } from '@jest/globals'
import type { Json, JsonObject } from '../../../../shared/json.ts'
import { compileSchema } from '../../../../sidecar/validation/input-schema.ts'
import { checked, of } from '../../../support/checked-arguments.ts'

const DRAFT_7 = 'http://json-schema.org/draft-07/schema#'

const chain = (length: number, make: (next: string) => Json, last: Json): JsonObject => ({
  $ref: '#/$defs/d0',
  $defs: Object.fromEntries([
    ...Array.from({ length }, (_, at) => [`d${at}`, make(`#/$defs/d${at + 1}`)]),
    [`d${length}`, last],
  ]),
})
const nested = (depth: number, make: (inner: JsonObject) => JsonObject): JsonObject =>
  Array.from({ length: depth }).reduce<JsonObject>(make, {})

describe('arguments', () => {
  test.each<[string, JsonObject, Json, string]>([
    ['that fit', of({ type: 'string' }), { a: 'x' }, 'right'],
    ['of another type', of({ type: 'string' }), { a: 1 }, '/a must be a text, and is a number'],
    ['that lack something', { required: ['a'] }, {}, ' must have "a"'],
    [
      'that lack what every object inherits',
      { required: ['toString'] },
      {},
      ' must have "toString"',
    ],
    [
      'that have too much',
      { properties: {}, additionalProperties: false },
      { b: 1 },
      ' must not have "b"',
    ],
    [
      'that are none of some',
      of({ enum: ['x', 'y'] }),
      { a: 'other' },
      '/a must be one of "x", "y"',
    ],
    [
      'deep inside',
      of({ items: { properties: { 'b/c': { minimum: 1 } } } }),
      { a: [{}, { 'b/c': 0 }] },
      '/a/1/b~1c must be at least 1',
    ],
    [
      'by a pattern',
      of({ pattern: '^(a+)+$' }),
      { a: `${'a'.repeat(60_000)}b` },
      '/a must match the pattern "^(a+)+$"',
    ],
    [
      'by names that a pattern matches',
      { patternProperties: { '^x-': { type: 'string' } } },
      { 'x-a': 1 },
      '/x-a must be a text, and is a number',
    ],
    [
      'by a definition',
      { ...of({ $ref: '#/$defs/b' }), $defs: { b: { type: 'string' } } },
      { a: 1 },
      '/a must be a text, and is a number',
    ],
    [
      'by definitions of draft 7',
      {
        $schema: DRAFT_7,
        ...of({ $ref: '#/definitions/b' }),
        definitions: { b: { type: 'string' } },
      },
      { a: 1 },
      '/a must be a text, and is a number',
    ],
    [
      'by a row of draft 7',
      { $schema: DRAFT_7, ...of({ items: [{ type: 'string' }] }) },
      { a: [1] },
      '/a/0 must be a text, and is a number',
    ],
    [
      'by a row of 2020-12',
      of({ prefixItems: [{ type: 'string' }] }),
      { a: [1] },
      '/a/0 must be a text, and is a number',
    ],
    [
      'by a tree',
      { properties: { kids: { items: { $ref: '#' } } }, required: ['n'] },
      { n: 1, kids: [{ n: 1 }, {}] },
      '/kids/1 must have "n"',
    ],
    [
      'that are twice the same',
      of({ uniqueItems: true }),
      {
        a: [
          { x: 1, y: 2 },
          { y: 2, x: 1 },
        ],
      },
      '/a must not hold an item twice',
    ],
    ['by a format, which is an annotation', of({ format: 'email' }), { a: 'x' }, 'right'],
    [
      'by what nobody knows',
      of({ 'x-secret': true, id: 'b', $id: 'c', nullable: true }),
      { a: 1 },
      'right',
    ],
    ['with characters of two halves', of({ maxLength: 3 }), { a: '👋👋👋' }, 'right'],
    [
      'named __proto__',
      JSON.parse('{"properties":{"__proto__":{"type":"string"}},"additionalProperties":false}'),
      {},
      'right',
    ],
    ['that are left out by a false schema', of({}), {}, 'right'],
    ['that nothing fits', of({ not: {} }), { a: 1 }, '/a must not be as "not" describes'],
  ])('%s', (_what, schema, value, said) => {
    expect(checked(schema, value)).toBe(said)
  })
})

describe('a number beyond 2^53', () => {
  const MOST = 9_007_199_254_740_991
  const big = (digits: string): Json => JSON.parse(`{"a":${digits}}`)
  const unsure =
    'undecided: a number in them is beyond 2^53, and cannot be compared to the last digit'
  test.each<[string, JsonObject, Json, string]>([
    ['is a whole number', { type: 'integer' }, big('12345678901234567890'), 'right'],
    ['is more than little', { minimum: 0, maximum: 1e30 }, big('12345678901234567890'), 'right'],
    [
      'is more than a bound',
      { maximum: MOST },
      big('9007199254740993'),
      `/a must be at most ${MOST}`,
    ],
    ['is near its bound', { maximum: 2 ** 53 }, big('9007199254740993'), unsure],
    ['is near one of some', { enum: [2 ** 53] }, big('9007199254740993'), unsure],
    ['is none of some', { enum: [1] }, big('9007199254740993'), '/a must be one of 1'],
    ['is a multiple, perhaps', { multipleOf: 2 }, big('9007199254740993'), unsure],
    ['stands in what is compared', { const: [2 ** 53] }, big('[9007199254740993]'), unsure],
    [
      'stands twice in what is unique',
      { uniqueItems: true },
      big('[9007199254740993,9007199254740992]'),
      unsure,
    ],
    ['is larger than any', { type: 'number' }, big('1e400'), unsure],
    ['is larger than any, and perhaps null', { type: ['null', 'number'] }, big('1e400'), unsure],
    ['is larger than any, and of no type', {}, big('-1e400'), unsure],
  ])('that %s', (_what, schema, value, said) => {
    expect(checked(of(schema), value)).toBe(said)
  })
})

describe('a schema of a hostile author', () => {
  test.each<[string, JsonObject, Json, string | RegExp]>([
    [
      'refers to another host',
      { $ref: 'https://evil.example/schema' },
      {},
      'uncheckable: it refers to a schema elsewhere',
    ],
    [
      'refers to a file',
      { $ref: 'file:///etc/passwd#/x' },
      {},
      'uncheckable: it refers to a schema elsewhere',
    ],
    [
      'refers to another host under an id of its own',
      { $id: 'https://evil.example/', ...of({ $ref: 'other' }) },
      {},
      'uncheckable: it refers to a schema elsewhere (at #/properties/a)',
    ],
    [
      'refers to what is no schema',
      { $ref: '#/title', title: {} },
      {},
      'uncheckable: it refers to what is no schema',
    ],
    [
      'refers to a name',
      { $ref: '#name', $anchor: 'other' },
      {},
      'uncheckable: it refers to what is no schema',
    ],
    ['refers with a broken escape', { $ref: '#/%' }, {}, /^uncheckable/],
    [
      'refers by whoever is around',
      { $dynamicRef: '#a' },
      {},
      'uncheckable: $dynamicRef is not supported',
    ],
    ['refers to itself', { $ref: '#' }, {}, 'undecided: the arguments cannot be checked'],
    [
      'asks 60 times whether 200,000 items differ',
      { properties: { a: { allOf: Array.from({ length: 60 }, () => ({ uniqueItems: true })) } } },
      { a: Array.from({ length: 200_000 }, (_, index) => index) },
      'undecided: the arguments take too long to check',
    ],
    [
      'compares 90,000 items with 5,000 others',
      {
        properties: {
          a: { items: { enum: Array.from({ length: 5000 }, (_, index) => [index, 'x']) } },
        },
      },
      { a: Array.from({ length: 90_000 }, () => [4999, 'x']) },
      'undecided: the arguments take too long to check',
    ],
    [
      'measures a long text 450 times',
      { properties: { a: { allOf: Array.from({ length: 450 }, () => ({ minLength: 1 })) } } },
      { a: 'x'.repeat(4_000_000) },
      'undecided: the arguments take too long to check',
    ],
    [
      'has 2 to the 40 ways',
      chain(
        40,
        ($ref) => ({ anyOf: [{ allOf: [{ $ref }, false] }, { allOf: [{ $ref }, false] }] }),
        {},
      ),
      {},
      'undecided: the arguments take too long to check',
    ],
    [
      'tries each level twice',
      {
        $ref: '#/$defs/s',
        $defs: {
          s: {
            anyOf: [1, 2].map((one) => ({
              allOf: [{ properties: { a: { $ref: '#/$defs/s' } } }, { required: [`${one}`] }],
            })),
          },
        },
      },
      nested(60, (a) => ({ a })),
      /^undecided: the arguments take too long to check|must be as one of/,
    ],
    [
      'looks ahead',
      of({ pattern: '(?=a)b' }),
      {},
      'uncheckable: the pattern "(?=a)b" is none that RE2 knows: it looks neither ahead nor back (at #/properties/a)',
    ],
    [
      'has a long pattern',
      of({ pattern: 'a'.repeat(257) }),
      {},
      /^uncheckable: a pattern in it is no text of at most 256/,
    ],
    [
      'has many patterns',
      { allOf: Array.from({ length: 51 }, () => ({ pattern: 'a' })) },
      {},
      'uncheckable: it has more than 50 patterns',
    ],
    [
      'matches long texts',
      of({ pattern: 'a' }),
      { a: 'b'.repeat(70_000) },
      /^undecided: more than 65536 characters/,
    ],
    [
      'is deep',
      nested(70, (a) => ({ properties: { a } })),
      {},
      'uncheckable: it is nested deeper than 32',
    ],
    [
      'is wide',
      { allOf: Array.from({ length: 501 }, () => ({})) },
      {},
      'uncheckable: it holds more than 500 schemas',
    ],
    [
      'is of no known dialect',
      { $schema: 'https://evil.example/dialect' },
      {},
      /^uncheckable: it is of a dialect other than/,
    ],
    [
      'is of a dialect that is no text',
      { $schema: { a: 1 } },
      {},
      /^uncheckable: it is of a dialect other than/,
    ],
    ['has a type that is none', { type: 'wat' }, {}, /^uncheckable/],
    ['requires a text', { required: 'a' }, {}, /^uncheckable/],
    [
      'has a list of properties',
      { properties: [] },
      {},
      'uncheckable: its properties is no object',
    ],
    [
      'has a number for a schema',
      of({ items: 1 }),
      {},
      'uncheckable: a schema in it is neither an object nor a boolean (at #/properties/a/items)',
    ],
    [
      'brings our own keyword',
      { ...of({ type: 'string' }), 'outrigger-step': { a: 1 } },
      { a: 1 },
      '/a must be a text, and is a number',
    ],
  ])('that %s', (_what, schema, value, said) => {
    expect(checked(schema, value)).toEqual(
      typeof said === 'string' ? said : expect.stringMatching(said),
    )
  })

  test.each([
    `'];globalThis.hit=1;//`,
    '`${globalThis.hit=1}`',
    '"+(globalThis.hit=1)+"',
    '\\";globalThis.hit=1;//',
    '\u2028globalThis.hit=1',
  ])('that names things %j runs nothing', (name) => {
    const schema = {
      properties: { [name]: { const: name, pattern: 'x' } },
      required: [name],
      dependentRequired: { [name]: [name] },
      enum: [{ [name]: name }],
      patternProperties: { x: { $ref: `#/properties/${encodeURIComponent(name)}` } },
    }
    checked(schema, { [name]: name })
    checked(of({ $schema: name, pattern: name }), { a: name })
    expect(Object.hasOwn(globalThis, 'hit')).toBe(false)
  })
})

test('many items take no more than their number', () => {
  const items = Array.from({ length: 50_000 }, (_, index) => ({ index }))
  expect(checked(of({ uniqueItems: true }), { a: items })).toBe('right')
  expect(
    checked(of({ items: { type: 'integer' } }), { a: Array.from({ length: 200_000 }, () => 1) }),
  ).toMatch(/^undecided/)
})

test('what one check has used is no longer used by the next', () => {
  const compiled = compileSchema(of({ items: {}, pattern: 'a' }))
  for (let times = 0; times < 5; times += 1) {
    expect(compiled.ok && compiled.value({ a: Array.from({ length: 60_000 }, () => 1) })).toEqual({
      ok: true,
      value: undefined,
    })
    expect(compiled.ok && compiled.value({ a: `${'b'.repeat(60_000)}a` })).toEqual({
      ok: true,
      value: undefined,
    })
  }
})
