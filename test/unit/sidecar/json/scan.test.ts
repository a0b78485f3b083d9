// The grammar: what the scan takes, what it refuses and where, and that it agrees with the platform's own parser
// except where it is stricter by intent.

import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { MAX_DEPTH, MAX_MEMBERS, scan, type JsonObject } from '../../../../sidecar/json/scan.ts'
import { isPlain } from '../../../../sidecar/json/text.ts'

const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

const reason = (text: string): string | undefined => {
  const bytes = latin1(text)
  const result = scan(bytes, isPlain(Buffer.from(bytes, 'latin1')))
  return result.ok ? undefined : result.error.reason
}

const nested = (depth: number, open: string, close: string): string =>
  open.repeat(depth) + close.repeat(depth)

/** Members with the names from 0 to below so many. */
const numbered = (count: number): string =>
  Array.from({ length: count }, (_, n) => `"${n}":0`).join()

const ACCEPTED: readonly (readonly [string, string])[] = [
  ['an empty object', '{}'],
  ['an empty array', '[]'],
  ['white space everywhere', ' \t\r\n{ "a" : [ 1 , 2 ] , "b" : { } } \r\n'],
  ['every literal', '[true,false,null]'],
  ['every form of number', '[0,-0,-1,10,1.5,-0.25,1e5,1E+5,1e-5,1.5e300]'],
  ['a number that no double holds', '[1e999,-1e999]'],
  ['an integer above 2^53', '[9007199254740993]'],
  ['a number of 300 digits', `[${'9'.repeat(300)}]`],
  ['every short escape', '["\\"\\\\\\/\\b\\f\\n\\r\\t"]'],
  ['\\u escapes in either case', '["\\u00e9\\u00E9\\uD83D\\uDE00"]'],
  ['a lone surrogate in a value', '["\\ud800"]'],
  ['an escaped NUL in a value', '["\\u0000"]'],
  ['DEL, which is no control character to JSON', '["\u007f"]'],
  ['line and paragraph separators', '["\u2028\u2029\u0085"]'],
  [
    'a name of an object prototype',
    '{"__proto__":1,"constructor":2,"toString":3,"hasOwnProperty":4}',
  ],
  ['the empty name', '{"":1}'],
  ['the same name in different objects', '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}'],
  ['the same many names in objects one within another', `{${numbered(40)},"a":{${numbered(40)}}}`],
  ['the same many names in objects one after another', `[{${numbered(40)}},{${numbered(40)}}]`],
  ['names of an object that has ended, in the one around it', '{"x":{"a":1,"b":2},"a":1,"b":2}'],
  ['names that differ in case below the envelope', '{"x":{"a":1,"A":2}}'],
  ['names that differ in normal form', '{"\u00e9":1,"e\u0301":2}'],
  ['objects as deep as allowed', `${'{"a":'.repeat(MAX_DEPTH - 1)}{}${'}'.repeat(MAX_DEPTH - 1)}`],
  ['arrays as deep as allowed', nested(MAX_DEPTH, '[', ']')],
  ['a string that is searched natively', JSON.stringify(['x'.repeat(500)])],
  ['a long string with escapes', JSON.stringify([`${'x'.repeat(100)}\\"`.repeat(20)])],
]

const REFUSED: readonly (readonly [string, string, string])[] = [
  ['nothing', '', 'not a JSON object or array'],
  ['white space', '  ', 'not a JSON object or array'],
  ['a bare string', '"a"', 'not a JSON object or array'],
  ['a bare number', '1', 'not a JSON object or array'],
  ['a bare literal', 'null', 'not a JSON object or array'],
  ['a byte order mark', '\ufeff{}', 'not a JSON object or array'],
  ['two values', '{}{}', 'something follows'],
  ['two values on two lines', '{}\n{}', 'something follows'],
  ['two values by a bare CR', '{}\r{}', 'something follows'],
  ['a NUL behind the value', '{}\0', 'something follows'],
  ['a comma behind the value', '{},', 'something follows'],
  ['an unclosed object', '{"a":1', 'comma or closing bracket'],
  ['an unclosed array', '[1', 'comma or closing bracket'],
  ['an unclosed string', '{"a', 'ends inside a string'],
  ['an unclosed long string', `["${'x'.repeat(200)}`, 'ends inside a string'],
  ['brackets that do not match', '[1}', 'comma or closing bracket'],
  ['a trailing comma in an object', '{"a":1,}', 'name is missing'],
  ['a trailing comma in an array', '[1,]', 'value is missing'],
  ['two commas', '[1,,2]', 'value is missing'],
  ['a comment', '{/**/}', 'name is missing'],
  ['a name without quotes', '{a:1}', 'name is missing'],
  ['a name in single quotes', "{'a':1}", 'name is missing'],
  ['a number as name', '{1:1}', 'name is missing'],
  ['no colon', '{"a" 1}', 'colon is missing'],
  ['no value', '{"a":}', 'value is missing'],
  ['a leading zero', '[01]', 'comma or closing bracket'],
  ['a leading plus', '[+1]', 'value is missing'],
  ['a bare minus', '[-]', 'digit is missing'],
  ['a point without digits', '[1.]', 'digit is missing'],
  ['no digit before the point', '[.5]', 'value is missing'],
  ['an exponent without digits', '[1e]', 'digit is missing'],
  ['a hexadecimal number', '[0x10]', 'comma or closing bracket'],
  ['NaN', '[NaN]', 'value is missing'],
  ['Infinity', '[-Infinity]', 'digit is missing'],
  ['undefined', '[undefined]', 'value is missing'],
  ['a literal in the wrong case', '[True]', 'value is missing'],
  ['a literal cut short', '[tru]', 'value is missing'],
  ['a literal run on', '[nullx]', 'comma or closing bracket'],
  ['an LF in a string', '["a\nb"]', '0x0a'],
  ['a CR in a string', '["a\rb"]', '0x0d'],
  ['a tab in a string', '["a\tb"]', '0x09'],
  ['a NUL in a string', '["a\0b"]', '0x00'],
  ['an LF deep in a long string', `["${'x'.repeat(200)}\n"]`, '0x0a'],
  ['a control character in a name', '{"a\nb":1}', '0x0a'],
  ['an unknown escape', '["\\x41"]', 'bad escape'],
  ['an escaped line end', '["\\\n"]', 'bad escape'],
  ['a short \\u escape', '["\\u12"]', 'bad \\u escape'],
  ['a \\u escape with a sign', '["\\u+123"]', 'bad \\u escape'],
  ['a backslash at the end', '["\\', 'bad escape'],
  ['a vertical tab between tokens', '[1\v]', 'comma or closing bracket'],
  ['a no-break space between tokens', '[1\u00a0]', 'comma or closing bracket'],
  ['a line separator between tokens', '{}\u2028{}', 'something follows'],
  ['a name twice', '{"a":1,"a":2}', '"a" stands twice'],
  ['a name twice, once escaped', '{"a":1,"\\u0061":2}', '"a" stands twice'],
  ['a name twice, its letters escaped differently', '{"\\u00e9":1,"\u00e9":2}', 'stands twice'],
  ['a name twice, deep', '{"a":[{"b":{"c":1,"c":1}}]}', '"c" stands twice'],
  ['__proto__ twice', '{"__proto__":1,"__proto__":2}', '"__proto__" stands twice'],
  ['the empty name twice', '{"":1,"":2}', '"" stands twice'],
  ['a name twice among many', `{${numbered(40)},"7":0}`, '"7" stands twice'],
  ['a name twice, behind an object', '{"a":{"b":1},"a":2}', '"a" stands twice'],
  [
    'a name twice among many, behind an object of many',
    `{${numbered(40)},"a":{${numbered(40)}},"7":0}`,
    '"7" stands twice',
  ],
  [
    'a name twice, where the first is the last that is compared with each',
    `{${numbered(12)},"11":0}`,
    '"11" stands twice',
  ],
  ['a lone high surrogate in a name', '{"\\ud800":1}', 'lone surrogate'],
  ['a lone low surrogate in a name, deep', '[{"x\\udfff":1}]', 'lone surrogate'],
  [
    'objects one deeper than allowed',
    `${'{"a":'.repeat(MAX_DEPTH)}{}${'}'.repeat(MAX_DEPTH)}`,
    'nested deeper',
  ],
  ['arrays one deeper than allowed', nested(MAX_DEPTH + 1, '[', ']'), 'nested deeper'],
  ['100,000 open brackets', '['.repeat(100_000), 'nested deeper'],
  [
    'more members than are recorded',
    `{"a":{${[...Array(MAX_MEMBERS).keys()].map((n) => `"${n}":0`).join()}}}`,
    `more than ${MAX_MEMBERS} members`,
  ],
  [
    'more items in the outer array than are recorded',
    `[${Array(MAX_MEMBERS + 1)
      .fill(0)
      .join()}]`,
    `more than ${MAX_MEMBERS} items`,
  ],
]

describe('the grammar', () => {
  test.each(ACCEPTED)('takes %s', (_name, text) => {
    expect(reason(text)).toBeUndefined()
    expect(() => void JSON.parse(text)).not.toThrow()
  })

  test.each(REFUSED)('refuses %s', (_name, text, part) => {
    expect(reason(text)).toContain(part)
  })

  test('says at which byte the fault stands', () => {
    expect(scan(latin1('{"é":1,"é":2}'), true)).toMatchObject({ ok: false, error: { offset: 13 } })
  })

  test('cuts a long name in an error text', () => {
    const name = 'n'.repeat(10_000)
    expect(reason(`{"${name}":1,"${name}":2}`)?.length).toBeLessThan(120)
  })

  test('takes as many members as anybody likes where none is recorded', () => {
    const members = [...Array(MAX_MEMBERS + 1).keys()].map((n) => `"${n}":0`).join()
    expect(reason(`{"params":{"arguments":{${members}}}}`)).toBeUndefined()
    const items = Array(MAX_MEMBERS + 1).fill(0)
    expect(reason(`{"params":[${items.join()}]}`)).toBeUndefined()
  })
})

describe('what is recorded', () => {
  const places = (text: string): JsonObject => {
    const result = scan(text, true)
    if (!result.ok || result.value.kind !== 'object') throw new Error('an object is expected')
    return result.value.object
  }

  test('the envelope, its objects, and _meta in them; nothing below', () => {
    const text = '{"p":{"_meta":{"t":{"deep":1}},"arguments":{"x":1}},"n":[{"y":1}]}'
    const shape = ({ members }: JsonObject): unknown =>
      members.map(({ name, object, start, end }) =>
        object ? [name, shape(object)] : [name, text.slice(start, end)],
      )
    expect(shape(places(text))).toEqual([
      [
        'p',
        [
          ['_meta', [['t', []]]],
          ['arguments', []],
        ],
      ],
      ['n', '[{"y":1}]'],
    ])
  })

  test('the places of objects themselves', () => {
    const text = '{"p" : {"_meta":{"t":[1],"u":2},"x":1} ,"n":{ }}'
    const found: string[] = []
    const note = (object: JsonObject): void => {
      found.push(text.slice(object.start, object.end))
      for (const one of object.members) if (one.object) note(one.object)
    }
    note(places(text))
    expect(found).toEqual([text, '{"_meta":{"t":[1],"u":2},"x":1}', '{"t":[1],"u":2}', '{ }'])
  })

  test('names unescaped, values as their exact text', () => {
    const text = '{"\\u0069d" : 1.50 ,"m":"\\u0061"}'
    const [id, method] = places(text).members
    expect([id?.name, text.slice(id?.start, id?.end)]).toEqual(['id', '1.50'])
    expect(text.slice(method?.start, method?.end)).toBe('"\\u0061"')
  })

  test('the items of an outer array', () => {
    const text = ' [ {"a":1} , [2] ]'
    const result = scan(text, true)
    const items = result.ok && result.value.kind === 'array' ? result.value.items : []
    expect(items.map(({ start, end }) => text.slice(start, end))).toEqual(['{"a":1}', '[2]'])
  })
})

const accepts = (bytes: Buffer): boolean => scan(bytes.toString('latin1'), isPlain(bytes)).ok

const parses = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Every value of an object or array that the scan recorded, against what the platform reads there. */
const agrees = (text: string, object: JsonObject, value: unknown): void => {
  const entries = new Map(Object.entries(Object(value)))
  expect(object.members.map(({ name }) => name).sort()).toEqual([...entries.keys()].sort())
  for (const { name, start, end } of object.members) {
    const part: unknown = JSON.parse(Buffer.from(text.slice(start, end), 'latin1').toString())
    expect(part).toEqual(entries.get(name))
  }
}

describe('against the platform', () => {
  const anyName = fc.string({ unit: 'grapheme' })
  const anyObject = fc.dictionary(anyName, fc.jsonValue({ stringUnit: 'grapheme' }))

  test('takes whatever it writes, and the places of the members are right', () => {
    fc.assert(
      fc.property(anyObject, fc.constantFrom(0, 2), (value, indent) => {
        const bytes = Buffer.from(JSON.stringify(value, undefined, indent))
        const text = bytes.toString('latin1')
        const result = scan(text, isPlain(bytes))
        if (!result.ok || result.value.kind !== 'object') throw new Error('not taken')
        agrees(text, result.value.object, JSON.parse(bytes.toString()))
      }),
    )
  })

  test('takes nothing that it does not take', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '\\u',
      '0',
      '1',
      '-',
      '.',
      'e',
      '"a"',
      '"b"',
      'true',
      'null',
      ' ',
      '\n',
      '\r',
      '\t',
      '\0',
      'é',
      '\u2028',
      '{"a":',
      '\\n',
      'd800',
    )
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        const text = tokens.join('')
        if (accepts(Buffer.from(text))) expect(parses(text)).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  test('takes nothing that it does not take, and all else it takes, where one byte of a text is changed', () => {
    const base = Buffer.from('{"a":[1.5e3,"x\\u0061\\n",{"b":null}],"c":{"d":-0,"e":true}}')
    fc.assert(
      fc.property(fc.nat(base.length - 1), fc.integer({ min: 0, max: 0x7f }), (index, byte) => {
        const bytes = Buffer.from(base)
        bytes[index] = byte
        const text = bytes.toString()
        // Stricter by intent: a name twice.
        const isTwice = /"(.)":.*"\1":/.test(text)
        if (!isTwice) expect(accepts(bytes)).toBe(parses(text))
      }),
      { numRuns: 3000 },
    )
  })
})

describe('its cost follows from the length', () => {
  const cpuMs = (text: string): number => {
    const before = process.cpuUsage()
    expect(scan(text, true).ok).toBe(true)
    const { user, system } = process.cpuUsage(before)
    return Math.max((user + system) / 1000, 1)
  }
  const string = (piece: string, bytes: number): string =>
    `["${piece.repeat(Math.ceil(bytes / piece.length))}"]`

  // Searched anew from each escape, the first would cost several hundred times the second.
  test('in a long string with an escape every 40 characters', () => {
    const bytes = 4 * 1024 * 1024
    cpuMs(string('x'.repeat(8), bytes))
    expect(cpuMs(string(`${'x'.repeat(40)}\\n`, bytes))).toBeLessThan(
      20 * cpuMs(string('xxx\\n', bytes)),
    )
  })
})
