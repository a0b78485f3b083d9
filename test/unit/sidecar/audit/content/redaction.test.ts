// What stands in a record of JSON that somebody else has written: what is left out, what is cut, and what stays to the letter.

import { describe, expect, test } from '@jest/globals'
import { parsePath } from '../../../../../shared/json-path.ts'
import { Marks } from '../../../../../sidecar/audit/content/marks.ts'
import { shapeOfPaths } from '../../../../../sidecar/audit/content/path-shape.ts'
import { redacted } from '../../../../../sidecar/audit/content/redaction.ts'
import { SecretNames } from '../../../../../sidecar/audit/content/secret-names.ts'

const marks = new Marks(Buffer.alloc(32))
const shapeOf = (...paths: readonly string[]) =>
  shapeOfPaths(
    paths.map((path) => {
      const read = parsePath(path)
      if (!read.ok) throw new Error(read.error)
      return read.value
    }),
  )
const redact = (
  text: string,
  paths: readonly string[] = [],
  keys: readonly string[] = [],
): string => redacted(text, [shapeOf(...paths)], { marks, names: new SecretNames(keys) }, '_meta')

/** A mark's size, which says which value it stands for. */
const brief = (text: string): string => text.replaceAll(/: (\d+) bytes, hmac [\w-]{22}\]/g, ' $1]')

describe('what stays', () => {
  test.each<[string, string]>([
    ['numbers to the letter', '{"a":12345678901234567890123,"b":1.10,"c":-0,"d":1e400}'],
    ['words, and texts of every kind', '{"a":[true,false,null,"x","\\u0041é😀"],"b":{}}'],
    [
      'names that only look like secrets',
      '{"tokens_used":5,"max_tokens":9,"monkey":"x","pinned":"y"}',
    ],
    ['a number that is no card’s', '{"order":4111111111111112,"at":1767225600000}'],
    ['the same name twice', '{"a":1,"a":2}'],
  ])('%s', (_what, text) => {
    const shown = redact(text)
    expect(shown).toBe(text.replace('\\u0041', 'A'))
    JSON.parse(shown)
  })

  test('space goes, and what stands elsewhere', () => {
    expect(redact(' { "_meta" : {"traceparent":"x"} , "a" : [ 1 , 2 ] }\n')).toBe('{"a":[1,2]}')
  })
})

describe('what is left out', () => {
  test.each<[string, string, string]>([
    ['a password by its name', '{"password":"hunter2"}', '{"password":"[redacted 7]"}'],
    ['whatever stands under such a name', '{"api_key":{"v":["s"]}}', '{"api_key":"[redacted 11]"}'],
    ['a number', '{"pin":1234}', '{"pin":"[redacted 4]"}'],
    ['not that there is none', '{"secret":null,"token":false}', '{"secret":null,"token":false}'],
    [
      'in another writing',
      '{"dbPassWord":"x","X-Api-Key":"y"}',
      '{"dbPassWord":"[redacted 1]","X-Api-Key":"[redacted 1]"}',
    ],
    ['a name that hides in escapes', '{"pass\\u0077ord":"x"}', '{"password":"[redacted 1]"}'],
    [
      'a token in a text',
      '{"q":"use ghp_aaaaaaaaaaaaaaaaaaaaaaaa now"}',
      '{"q":"use [redacted 28] now"}',
    ],
    [
      'one that hides in escapes',
      '{"q":"gh\\u0070_aaaaaaaaaaaaaaaaaaaaaaaa"}',
      '{"q":"[redacted 28]"}',
    ],
    [
      'JSON in a text',
      '{"t":"{\\"password\\":\\"hun\\\\\\"ter2\\",\\"n\\":1}"}',
      '{"t":"{\\"password\\":\\"[redacted 8]\\",\\"n\\":1}"}',
    ],
    ['a card in a text', '{"q":"4111 1111 1111 1111 12/27"}', '{"q":"[redacted 19] 12/27"}'],
    [
      'a card as a number',
      '[4111111111111111,4111111111111111.0,4111111111111111e0]',
      '["[redacted 16]","[redacted 18]","[redacted 18]"]',
    ],
    ['a token as a name', '{"ghp_aaaaaaaaaaaaaaaaaaaaaaaa":1}', '{"[redacted 28]":1}'],
  ])('%s', (_what, text, shown) => {
    expect(brief(redact(text))).toBe(shown)
    JSON.parse(redact(text))
  })

  test.each<[string, string, string, string]>([
    [
      'a member',
      '$.a.b',
      '{"a":{"b":"x","c":"x"},"b":"x"}',
      '{"a":{"b":"[redacted 1]","c":"x"},"b":"x"}',
    ],
    ['a name with a space', "$['a b']", '{"a b":"x"}', '{"a b":"[redacted 1]"}'],
    [
      'every item',
      '$.a[*].b',
      '{"a":[{"b":1},{"b":2,"c":3}]}',
      '{"a":[{"b":"[redacted 1]"},{"b":"[redacted 1]","c":3}]}',
    ],
    [
      'every member',
      '$.*.b',
      '{"a":{"b":1},"c":{"b":2}}',
      '{"a":{"b":"[redacted 1]"},"c":{"b":"[redacted 1]"}}',
    ],
    ['not an item for a member', '$.a.*', '{"a":[1]}', '{"a":[1]}'],
  ])('by a path: %s', (_what, path, text, shown) => {
    expect(brief(redact(text, [path]))).toBe(shown)
  })

  test('by a name of the configuration, however it is written', () => {
    expect(brief(redact('{"mothersName":"x","mothers_name":"y"}', [], ['mothers-name']))).toBe(
      '{"mothersName":"[redacted 1]","mothers_name":"[redacted 1]"}',
    )
  })

  test('equal values have equal digests, by one key and no other', () => {
    const digest = (text: string, key = 0): string =>
      new Marks(Buffer.alloc(32, key)).redacted(text)
    expect(digest('a')).toBe(digest('a'))
    expect(new Set([digest('a'), digest('b'), digest('a', 1)]).size).toBe(3)
  })
})

describe('what is long', () => {
  test('a text keeps its head and tail', () => {
    const shown: unknown = JSON.parse(redact(JSON.stringify({ a: `head${'x'.repeat(5000)}tail` })))
    expect(shown).toEqual({
      a: expect.stringMatching(/^headx+\[cut: 5008 bytes, hmac [\w-]{22}\]x+tail$/),
    })
    expect(JSON.stringify(shown).length).toBeLessThan(800)
  })

  test.each<[string, string]>([
    ['at its beginning', `ghp_${'a'.repeat(4000)} ${'x'.repeat(60_000)}`],
    [
      'across the end of what is shown',
      `${'x '.repeat(250)}ghp_${'a'.repeat(36)} ${'x'.repeat(60_000)}`,
    ],
    ['at its end', `${'x '.repeat(30_000)}ghp_${'a'.repeat(36)}`],
    ['that is longer than what is looked at', `${'x '.repeat(9000)}eyJ${'a'.repeat(40_000)}`],
    ['that ends in what is shown', `${'x'.repeat(60_000)} eyJ${'a'.repeat(50)}.${'a'.repeat(200)}`],
  ])('a secret %s is in no part of it', (_where, text) => {
    expect(redact(JSON.stringify({ text }))).not.toContain('aaaaaa')
  })

  test('a long object ends with a mark, and is whole JSON still', () => {
    const members = Object.fromEntries(
      Array.from({ length: 3000 }, (_, n) => [`m${n}`, { n: [n] }]),
    )
    const shown = redact(JSON.stringify({ members, list: Array.from({ length: 9000 }, () => 1) }))
    expect(JSON.parse(shown)).toMatchObject({
      members: { m0: { n: [0] }, '[cut]': expect.any(String) },
    })
    expect(shown.length).toBeLessThan(10_000)
  })
})

describe('whatever somebody sends', () => {
  const deep = `${'{"a":['.repeat(60)}1${']}'.repeat(60)}`
  test.each<[string, string]>([
    ['deep', deep],
    [
      'many texts that are long',
      JSON.stringify(Array.from({ length: 200 }, () => 'eyJ'.repeat(6000))),
    ],
    ['many short texts', JSON.stringify(Array.from({ length: 200_000 }, () => 'a b'))],
    ['one long text', JSON.stringify('password='.repeat(400_000))],
    [
      'many names that are secrets',
      `{${Array.from({ length: 90_000 }, (_, n) => `"token${n}":"x"`).join(',')}}`,
    ],
    ['many lines that look like JSON', JSON.stringify('{a}\n'.repeat(300_000))],
    [
      'many texts of such lines',
      JSON.stringify(Array.from({ length: 60 }, () => 'x\n{a}\n'.repeat(300))),
    ],
    ['lines of space', JSON.stringify(`x${'\n '.repeat(300_000)}{`)],
    ['backslashes', JSON.stringify('\\"'.repeat(500_000))],
    ['a number of a million digits', `[${'1'.repeat(1_000_000)}]`],
    ['quotes and brackets in texts', JSON.stringify({ a: '}]"{[', b: '\\' })],
  ])('%s: whole JSON, bounded, at once', (_what, text) => {
    const shown = redact(text)
    JSON.parse(shown)
    expect(shown.length).toBeLessThan(20_000)
  })
})

describe('space that ends lines elsewhere takes no longer than letters', () => {
  /** The least of several: what else the machine does makes none of them shorter. */
  const leastMs = (text: string): number => {
    const json = JSON.stringify({ text })
    const times = Array.from({ length: 5 }, () => {
      const startMs = performance.now()
      redact(json)
      return performance.now() - startMs
    })
    return Math.min(...times)
  }

  test.each<[string, string]>([
    ['carriage returns', '\r'],
    ['line separators', '\u2028'],
    ['paragraph separators', '\u2029'],
    ['line feeds', '\n'],
    ['spaces', ' '],
  ])('%s', (_name, space) => {
    const length = 32 * 1024 - 1
    // Were it quadratic, it would be some hundred times that of letters.
    const letters = leastMs('x'.repeat(length))
    expect(leastMs(`x${space.repeat(length - 1)}`)).toBeLessThan(Math.max(letters, 1) * 40)
  })
})

describe('a text that is JSON', () => {
  const shown = (value: string, paths: readonly string[] = []): unknown =>
    JSON.parse(brief(redact(JSON.stringify({ a: value }), paths))).a

  test.each<[string, string, string]>([
    ['its secrets by name', '{"pin": "1234", "b": 1}', '{"pin":"[redacted 4]","b":1}'],
    ['in a list', '[{"pin":"1234"}]', '[{"pin":"[redacted 4]"}]'],
    ['by their shape', '["Bearer abcdefghijkl"]', '["Bearer [redacted 12]"]'],
    ['one in it, as a whole', '{"b":"{\\"c\\":1}"}', '{"b":"[redacted 7]"}'],
    ['no JSON after all', '{"b":', '{"b":'],
    ['each line of it', '{"pin":"1"}\n{"b":2}\n', '{"pin":"[redacted 1]"}\n{"b":2}\n'],
    [
      'lines of it behind words',
      'found:\n  {"pin":"1"}\nend',
      'found:\n{"pin":"[redacted 1]"}\nend',
    ],
    ['a line in one in it', '{"b":"x\\n{\\"c\\":1}"}', '{"b":"x\\n[redacted 7]"}'],
    [
      'lines with a key of several between them',
      '{"a":1}\n-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n[2]',
      '{"a":1}\n[redacted 58]\n[2]',
    ],
    [
      'each item of a list that is cut off',
      '[\n{"pin":"1"},\n{"b":2} , \n{"c":',
      '[\n{"pin":"[redacted 1]"},\n{"b":2},\n{"c":',
    ],
    [
      'each line, as other systems end it',
      '{"pin":"1"}\r\n{"b":2}\r{"pin":"2"}',
      '{"pin":"[redacted 1]"}\n{"b":2}\n{"pin":"[redacted 1]"}',
    ],
    ['a line that only looks like it', '{a}\n{"pin":"1"}', '{a}\n{"pin":"[redacted 1]"}'],
    ['a number', '12', '12'],
  ])('%s', (_what, value, said) => {
    expect(shown(value)).toBe(said)
  })

  test('by a path', () => {
    expect(shown('{"b":"x"}', ['$.a.b'])).toBe('{"b":"[redacted 1]"}')
    expect(shown('1:\n{"b":"x"}', ['$.a.b'])).toBe('1:\n{"b":"[redacted 1]"}')
  })

  test.each<[string, string]>([
    ['at its beginning', `{"iban":"s3s3${' s3'.repeat(20_000)}"}\n{"b":1}`],
    ['at its end', `{"b":1}\n{"x":"${'x'.repeat(40_000)}","iban":"s3 s3"}`],
    [
      'behind a carriage return',
      `1\r{"pin":"${'9'.repeat(16_000)}"}\r{"iban":"s3${' s3'.repeat(20_000)}"}`,
    ],
    ['behind one, at its end', `1\r{"b":1}\r{"x":"${'x'.repeat(40_000)}","iban":"s3 s3"}\rend`],
    ['behind too many that are none', `${'{a}\n'.repeat(300)}{"iban":"s3"}`],
  ])(
    'a line too long to be looked at, or not looked at, is shown in no part: %s',
    (_where, text) => {
      expect(redact(JSON.stringify({ text }), [], ['iban'])).not.toContain('s3')
    },
  )

  test('long: cut to what is shown of it', () => {
    const said = String(shown(JSON.stringify({ pin: '12345', b: 'x'.repeat(50_000) })))
    expect(said).toMatch(/^\{"pin":"\[redacted 5\]"/)
    expect(said.length).toBeLessThan(1000)
  })

  test('as deep as it may be: nothing is overrun', () => {
    const deep = '['.repeat(30_000) + ']'.repeat(30_000)
    expect(String(shown(deep)).length).toBeLessThan(1500)
  })
})
