// Arguments mirrored in headers: which, and whether they agree.

import { describe, expect, test } from '@jest/globals'
import {
  mirroredHeaders,
  paramHeaders,
  paramMismatch,
} from '../../../../sidecar/mcp/param-headers.ts'

const property = (header: unknown, type: unknown = 'string'): unknown => ({
  type,
  'x-mcp-header': header,
})
const schema = (properties: unknown): unknown => ({ type: 'object', properties })
const nested = (depth: number): unknown =>
  depth === 0 ? schema({ deep: property('Deep') }) : schema({ in: nested(depth - 1) })

describe('which are declared', () => {
  test.each([
    ['none', schema({ a: { type: 'string' } }), []],
    ['a string', schema({ a: property('Region') }), ['mcp-param-region']],
    [
      'a boolean and numbers',
      schema({
        a: property('A', 'boolean'),
        b: property('B', 'integer'),
        c: property('C', 'number'),
      }),
      ['mcp-param-a', 'mcp-param-b', 'mcp-param-c'],
    ],
    ['in an object in an object', schema({ a: schema({ b: property('B') }) }), ['mcp-param-b']],
    ['as deep as is looked', nested(15), ['mcp-param-deep']],
    ['deeper than is looked', nested(16), []],
    ['an object, which cannot be mirrored', schema({ a: property('A', 'object') }), []],
    ['a list of types', schema({ a: property('A', ['string', 'null']) }), []],
    ['a name that is no token', schema({ a: property('A B') }), []],
    ['a name with a line end', schema({ a: property('A\r\nX') }), []],
    ['a name that is no string', schema({ a: property(1) }), []],
    ['behind a list', schema({ a: { type: 'array', items: property('A') } }), []],
    ['properties that are an array', schema([property('A')]), []],
    ['no schema', undefined, []],
    [
      'a property called __proto__',
      JSON.parse('{"properties":{"__proto__":{"type":"string","x-mcp-header":"P"}}}'),
      ['mcp-param-p'],
    ],
  ])('%s', (_name, value, expected) => {
    expect(paramHeaders(value).map(({ name }) => name)).toEqual(expected)
  })
})

const AGREE = undefined
const ROWS: readonly (readonly [
  string,
  string,
  unknown,
  Record<string, string>,
  string | undefined,
])[] = [
  ['the same string', 'string', 'eu', { 'mcp-param-v': 'eu' }, AGREE],
  ['the same string encoded', 'string', 'é', { 'mcp-param-v': '=?base64?w6k=?=' }, AGREE],
  ['the same boolean', 'boolean', true, { 'mcp-param-v': 'true' }, AGREE],
  ['the same integer', 'integer', 42, { 'mcp-param-v': '42' }, AGREE],
  ['the same integer written otherwise', 'integer', 42, { 'mcp-param-v': '42.0' }, AGREE],
  ['the same negative', 'integer', -1, { 'mcp-param-v': '-1' }, AGREE],
  [
    'the largest safe integer',
    'integer',
    9007199254740991,
    { 'mcp-param-v': '9007199254740991' },
    AGREE,
  ],
  ['neither', 'string', undefined, {}, AGREE],
  ['null and no header', 'string', null, {}, AGREE],
  ['another string', 'string', 'eu', { 'mcp-param-v': 'us' }, 'does not say'],
  ['another case', 'string', 'eu', { 'mcp-param-v': 'EU' }, 'does not say'],
  ['another boolean', 'boolean', true, { 'mcp-param-v': 'false' }, 'does not say'],
  ['another integer', 'integer', 42, { 'mcp-param-v': '43' }, 'does not say'],
  ['an integer as hexadecimal', 'integer', 16, { 'mcp-param-v': '0x10' }, 'does not say'],
  [
    'an integer beyond the safe range',
    'integer',
    9007199254740992,
    { 'mcp-param-v': '9007199254740992' },
    'does not say',
  ],
  [
    'what rounds to the same',
    'integer',
    9007199254740992,
    { 'mcp-param-v': '9007199254740993' },
    'does not say',
  ],
  ['infinity', 'number', Infinity, { 'mcp-param-v': 'Infinity' }, 'does not say'],
  ['an object', 'string', {}, { 'mcp-param-v': '[object Object]' }, 'does not say'],
  ['a list of one', 'string', ['eu'], { 'mcp-param-v': 'eu' }, 'does not say'],
  ['no header', 'string', 'eu', {}, 'is missing'],
  ['no header for an empty string', 'string', '', {}, 'is missing'],
  ['no argument', 'string', undefined, { 'mcp-param-v': 'eu' }, 'the argument v is not'],
  ['null and a header', 'string', null, { 'mcp-param-v': 'null' }, 'the argument v is not'],
  ['bad characters', 'string', 'é', { 'mcp-param-v': 'Ã©' }, 'not allowed'],
]

describe('whether they agree', () => {
  test.each(ROWS)('%s', (_name, ...row) => {
    const [type, value, headers, part] = row
    const declared = paramHeaders(schema({ v: property('V', type) }))
    const wrong = paramMismatch(declared, { v: value }, (name) => headers[name])
    if (part === undefined) expect(wrong).toBeUndefined()
    else expect(wrong).toContain(part)
  })

  test.each([
    ['no arguments', undefined],
    ['arguments as a list', ['eu']],
    ['a property of the prototype', {}],
  ])('%s is no argument', (_name, args) => {
    const declared = paramHeaders(schema({ toString: property('V') }))
    expect(paramMismatch(declared, args, () => undefined)).toBeUndefined()
    expect(paramMismatch(declared, args, () => 'x')).toContain('is not')
  })

  test('is found out without a look at all other arguments, which may be very many', () => {
    const declared = paramHeaders(schema({ a: property('A'), b: property('B') }))
    const ownKeys = (): never => {
      throw new Error('all arguments were looked at')
    }
    const args = new Proxy({ a: 'x', b: 'y', c: 'z' }, { ownKeys })
    expect(
      paramMismatch(declared, args, (name) => (name.endsWith('a') ? 'x' : 'y')),
    ).toBeUndefined()
    expect(mirroredHeaders(declared, args)).toEqual({ 'mcp-param-a': 'x', 'mcp-param-b': 'y' })
  })
})
