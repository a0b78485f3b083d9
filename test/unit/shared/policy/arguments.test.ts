import { describe, expect, test } from '@jest/globals'
import { readArguments } from '../../../../shared/policy/arguments.ts'

const read = (json: string | undefined) => {
  const found = readArguments(json)
  return found.ok ? Object.fromEntries(found.value.value) : found.error
}

describe('readArguments', () => {
  test.each([
    ['nothing', undefined, {}],
    ['a whole number', '{"a":1}', { a: 1n }],
    ['one beyond 2^53', '{"a":9007199254740993}', { a: 9_007_199_254_740_993n }],
    ['one below -2^53', '{"a":-9007199254740993}', { a: -9_007_199_254_740_993n }],
    ['one beyond 64 bits', '{"a":18446744073709551617}', { a: 2 ** 64 }],
    ['one of a million digits', `{"a":${'9'.repeat(1_000_000)}}`, { a: Infinity }],
    ['digits in a string', '{"a":"9007199254740993"}', { a: '9007199254740993' }],
    ['a fraction', '{"a":1.5}', { a: 1.5 }],
    ['a fraction of nothing', '{"a":1.0}', { a: 1n }],
    ['an exponent', '{"a":1e2}', { a: 100n }],
    ['a list', '{"a":[null,true,"x"]}', { a: [null, true, 'x'] }],
    ['an object', '{"a":{"b":1}}', { a: new Map([['b', 1n]]) }],
    ['names of the language', '{"constructor":1}', { constructor: 1n }],
  ])('%s', (_what, json, value) => {
    expect(read(json)).toEqual(value)
  })

  test('a prototype is a member like any other', () => {
    const found = readArguments('{"__proto__":{"isAdmin":true}}')
    expect(found.ok && [...found.value.value.keys()]).toEqual(['__proto__'])
  })

  test.each([
    ['no object', '[1]', 'they are no object'],
    ['null', 'null', 'they are no object'],
    ['no JSON', '{', 'they are no object'],
    ['too many values', `{"a":[${'1,'.repeat(20_000)}1]}`, /more than 20000 values/],
    ['too deep', `{"a":${'['.repeat(200)}${']'.repeat(200)}}`, /more than 20000 values/],
    ['too long', `{"a":"${'x'.repeat(4 * 1024 * 1024)}"}`, /more than 20000 values/],
  ])('%s is judged by no condition', (_what, json, why) => {
    expect(read(json)).toEqual(expect.stringMatching(why))
  })

  test('separators within strings are no values', () => {
    expect(read(`{"a":"${',[{'.repeat(50_000)}\\",["}`)).toMatchObject({ a: expect.any(String) })
  })
})
