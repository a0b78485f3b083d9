// From bytes to text that is safe as one line: encodings, marks, and CR and LF.

import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { isPlain, readJson } from '../../../../sidecar/json/text.ts'

const bytes = (...parts: readonly (string | number)[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))),
  )

const text = (body: Buffer): string | undefined => {
  const json = readJson(body)
  return json.ok ? Buffer.from(json.value.text, 'latin1').toString() : undefined
}

const reason = (body: Buffer): string | undefined => {
  const json = readJson(body)
  return json.ok ? undefined : json.error.reason
}

describe('encodings', () => {
  test.each([
    ['a byte order mark', bytes(0xef, 0xbb, 0xbf, '{}'), 'byte order mark'],
    ['UTF-16', Buffer.from('{}', 'utf16le'), 'name is missing'],
    ['UTF-16 with its mark', bytes(0xff, 0xfe, '{', 0, '}', 0), 'not valid UTF-8'],
    ['a lone continuation byte', bytes('{"a":"', 0x80, '"}'), 'not valid UTF-8'],
    ['a cut sequence', bytes('{"a":"', 0xc3, '"}'), 'not valid UTF-8'],
    ['an overlong slash', bytes('{"a":"', 0xc0, 0xaf, '"}'), 'not valid UTF-8'],
    ['an overlong quote', bytes('{"a":"', 0xc0, 0xa2, '"}'), 'not valid UTF-8'],
    ['an encoded surrogate', bytes('{"a":"', 0xed, 0xa0, 0x80, '"}'), 'not valid UTF-8'],
    [
      'a code point above U+10FFFF',
      bytes('{"a":"', 0xf4, 0x90, 0x80, 0x80, '"}'),
      'not valid UTF-8',
    ],
    ['latin1', Buffer.from('{"a":"é"}', 'latin1'), 'not valid UTF-8'],
    ['nothing', Buffer.alloc(0), 'not a JSON object or array'],
  ])('refuses %s', (_name, body, part) => {
    expect(reason(body)).toContain(part)
  })

  test.each([
    ['four-byte characters', '{"a":"😀"}'],
    ['the last code point', '{"a":"\u{10ffff}"}'],
    ['a mark inside a string', '{"a":"\ufeff"}'],
    ['separators that some line readers split at', '{"a":"\u2028\u2029\u0085"}'],
  ])('takes %s as it is', (_name, body) => {
    expect(text(Buffer.from(body))).toBe(body)
  })
})

describe('line ends', () => {
  test.each([
    ['LF', '{\n"a":1\n}', '{ "a":1 }'],
    ['CRLF', '{\r\n"a":1}\r\n', '{  "a":1}  '],
    ['a bare CR', '{\r"a":1}', '{ "a":1}'],
    ['tabs, which stay', '{\t"a":\t1}', '{\t"a":\t1}'],
    ['escaped ones, which stay', '{"a":"\\r\\n"}', '{"a":"\\r\\n"}'],
  ])('%s', (_name, body, expected) => {
    expect(text(Buffer.from(body))).toBe(expected)
  })

  test('never survive, and nothing else changes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
        const body = JSON.stringify({ value }, undefined, '\r\n')
        expect(text(Buffer.from(body))).toBe(body.replace(/[\r\n]/g, ' '))
      }),
    )
  })
})

describe('isPlain', () => {
  test('finds a control byte at every place of every alignment', () => {
    for (let offset = 0; offset < 4; offset++) {
      for (let length = 0; length < 12; length++) {
        const part = new Uint8Array(new ArrayBuffer(32), offset, length).fill(0x20)
        expect(isPlain(part)).toBe(true)
        for (let index = 0; index < length; index++) {
          const changed = part.slice()
          new Uint8Array(part.buffer, offset, length)[index] = 0x1f
          expect(isPlain(part)).toBe(false)
          part.set(changed)
        }
      }
    }
  })

  test('agrees with a search byte by byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ min: 0x10, maxLength: 40 }), fc.nat(3), (all, from) => {
        const part = all.subarray(Math.min(from, all.length))
        expect(isPlain(part)).toBe(part.every((byte) => byte >= 0x20))
      }),
    )
  })
})
