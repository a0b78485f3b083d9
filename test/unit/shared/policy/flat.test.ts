// What is told of short and flat arguments in one pass is what a parser makes of them; of all else nothing is told.

import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { readArguments, readArgumentsWithin } from '../../../../shared/policy/arguments.ts'
import { flatIn, flatWithin } from '../../../../shared/policy/flat.ts'

describe('is told', () => {
  test.each([
    ['nothing', '{}', []],
    ['nothing, with space', ' {\n} ', []],
    ['a text', '{"a":"b"}', ['a']],
    ['one beyond ASCII', '{"ä":"\u2028"}', ['ä']],
    ['truths and nothing', '{"a":true,"b":false,"c":null}', ['a', 'b', 'c']],
    ['whole numbers', '{"a":0,"b":-1,"c":123456789012345}', ['a', 'b', 'c']],
    ['space everywhere', ' { "a" : 1 ,\t"b" : "" } ', ['a', 'b']],
    ['names of the language', '{"__proto__":"x","constructor":"y"}', ['__proto__', 'constructor']],
    ['what stands twice', '{"a":1,"a":2}', ['a', 'a']],
  ])('%s', (_what, json, names) => {
    expect(flatIn(json)?.names).toEqual(names)
  })
})

describe('is left to a parser', () => {
  test.each([
    ['nothing at all', ''],
    ['no object', '[]'],
    ['an escape in a text', '{"a":"\\n"}'],
    ['an escape in a name', '{"\\u0061":1}'],
    ['a control character', '{"a":"\n"}'],
    ['a fraction', '{"a":1.5}'],
    ['an exponent', '{"a":1e2}'],
    ['a number that a double may not hold', '{"a":1234567890123456}'],
    ['a padded number', '{"a":01}'],
    ['a minus', '{"a":-}'],
    ['a list', '{"a":[]}'],
    ['an object', '{"a":{}}'],
    ['half a word', '{"a":tru}'],
    ['a longer word', '{"a":truest}'],
    ['no colon', '{"a" 1}'],
    ['no comma', '{"a":1 "b":2}'],
    ['a comma too many', '{"a":1,}'],
    ['a comma alone', '{,}'],
    ['a name without quotes', '{a:1}'],
    ['something behind', '{}x'],
    ['an end that is missing', '{"a":1'],
    ['a text without an end', '{"a":"b'],
    ['a name without an end', '{"a'],
    ['a value that is missing', '{"a":}'],
    ['a long one', `{"a":"${'x'.repeat(4096)}"}`],
  ])('%s', (_what, json) => {
    expect(flatIn(json)).toBeUndefined()
  })
})

describe('within a message is told', () => {
  test.each([
    ['nothing', '{}', []],
    ['a text', '{"a":"b"}', ['a']],
    ['a text longer than names are', `{"a":"${'b'.repeat(17)}","c":""}`, ['a', 'c']],
    ['space everywhere', '{ "a" : 1 ,\t"b" : "" }', ['a', 'b']],
  ])('%s', (_what, json, names) => {
    const text = `{"params":${json} }`
    expect(flatWithin(text, 10, 10 + json.length)?.names).toEqual(names)
  })
})

describe('within a message is left to a parser', () => {
  test.each([
    ['a name beyond ASCII, as bytes', '{"\u00c3\u00a4":1}'],
    ['a text beyond ASCII, as bytes', '{"a":"\u00c3\u00a4"}'],
    ['a long one', `{"a":"${'b'.repeat(16)}\u00c3\u00a4"}`],
    ['an escape', '{"a":"\\n"}'],
    ['a long text with an escape', `{"a":"${'b'.repeat(16)}\\n"}`],
    ['a list', '{"a":[]}'],
    ['an end that is another', '{"a":1}}'],
    ['no object', '"a"'],
  ])('%s', (_what, json) => {
    const text = `{"params":${json} }`
    expect(flatWithin(text, 10, 10 + json.length)).toBeUndefined()
  })

  test('what stands in a long message, of which a name would keep all', () => {
    const json = '{"a":1}'
    const text = `{"params":${json},"b":"${'b'.repeat(4096)}"}`
    expect(flatWithin(text, 10, 10 + json.length)).toBeUndefined()
  })
})

const NAMES = ['a', 'A', 'b', '', '__proto__', 'toString', 'é', 'k']
const leaf = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.constant(null),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const flat = fc.array(fc.tuple(fc.constantFrom(...NAMES), leaf), { minLength: 1, maxLength: 6 })

test('of what is read either way all says the same as of what a parser has made', () => {
  fc.assert(
    fc.property(flat, fc.constantFrom('', ' ', '\n\t'), (members, space) => {
      const texts = members.map(([name, value]) => [name, value].map((one) => JSON.stringify(one)))
      const json = `${space}{${texts.map((pair) => pair.join(`${space}:`)).join(`,${space}`)}}${space}`
      // A list is nothing that is flat, and no condition asks for `zz`.
      const [short, parsed] = [readArguments(json), readArguments(json.replace('{', '{"zz":[],'))]
      if (!short.ok || !parsed.ok) throw new Error(json)
      for (const name of [...NAMES, 'none']) {
        expect(short.value.has(name)).toBe(parsed.value.has(name))
        expect(short.value.plain(name)).toBe(parsed.value.plain(name))
      }
      const withoutOurs = new Map([...parsed.value.value].filter(([name]) => name !== 'zz'))
      expect(short.value.value).toEqual(withoutOurs)
      expect(new Set(short.value.names)).toEqual(
        new Set([...parsed.value.names].filter((name) => name !== 'zz')),
      )
      expect(short.value.characters).toBe(json.length)
    }),
  )
})

test('within a message all says the same as of the arguments by themselves', () => {
  fc.assert(
    fc.property(
      flat,
      fc.constantFrom('', '{"params":', '{"b":"c","params": '),
      (members, before) => {
        const texts = members.map((pair) => pair.map((one) => JSON.stringify(one)).join(':'))
        const json = `{${texts.join(',')}}`
        // As a message is: each byte as a character.
        const bytes = Buffer.from(json).toString('latin1')
        const end = before.length + bytes.length
        const within = readArgumentsWithin(`${before}${bytes}}`, before.length, end)
        const alone = readArguments(json)
        if (!within?.ok || !alone.ok) return
        for (const name of [...NAMES, 'none']) {
          expect(within.value.has(name)).toBe(alone.value.has(name))
          expect(within.value.plain(name)).toBe(alone.value.plain(name))
        }
        const { names, values, characters, value } = within.value
        expect({ names, values, characters, value }).toEqual({
          names: alone.value.names,
          values: alone.value.values,
          characters: alone.value.characters,
          value: alone.value.value,
        })
      },
    ),
  )
})

test.each([
  ['{}', 2],
  ['{"a":1}', 2],
  ['{"a":1,"b":2}', 3],
  ['{"a":"[,{"}', 2],
])('as many values are counted in %s as before: %d', (json, values) => {
  // An escape has a parser read it.
  const escaped = readArguments(json.replace('}', ' }').replace('"a"', String.raw`"\u0061"`))
  const short = readArguments(json)
  expect([short, escaped].map((read) => read.ok && read.value.values)).toEqual([values, values])
})
