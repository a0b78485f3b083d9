// The values of `Mcp-*` headers.

import { describe, expect, test } from '@jest/globals'
import { decodeHeader } from '../../../../sidecar/mcp/header-value.ts'

describe('decodeHeader', () => {
  test.each([
    ['plain', 'echo', 'echo'],
    ['empty', '', ''],
    ['with spaces and a tab', 'a b\tc', 'a b\tc'],
    ['encoded', '=?base64?w6k=?=', 'é'],
    ['encoded nothing', '=?base64??=', ''],
    ['encoded with a mark', '=?base64?77u/YQ==?=', '\ufeffa'],
    ['encoded control characters', '=?base64?DQo=?=', '\r\n'],
    ['what only looks encoded', '=?base64?w6k=', '=?base64?w6k='],
    ['another encoding, as it is', '=?utf-8?q?a?=', '=?utf-8?q?a?='],
    ['the marker in another case, as it is', '=?BASE64?w6k=?=', '=?BASE64?w6k=?='],
    ['a byte above 0x7e', 'Ã©', undefined],
    ['DEL', 'a\u007f', undefined],
    ['bad base64', '=?base64?w6k?=', undefined],
    ['base64 for URLs', '=?base64?-_-_?=', undefined],
    ['base64 with a space', '=?base64?w6 k=?=', undefined],
    ['base64 of what is not UTF-8', '=?base64?/w==?=', undefined],
    ['base64 of an overlong slash', '=?base64?wK8=?=', undefined],
  ])('%s', (_name, value, expected) => {
    expect(decodeHeader(value)).toBe(expected)
  })
})
