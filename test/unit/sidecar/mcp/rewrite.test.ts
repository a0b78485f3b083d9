// Edits at places, and every other byte as it was.

import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { rewrite } from '../../../../sidecar/mcp/rewrite.ts'

describe('rewrite', () => {
  test.each([
    ['nothing', [], 'abcdef'],
    ['one place', [{ start: 1, end: 3, text: 'X' }], 'aXdef'],
    ['the whole', [{ start: 0, end: 6, text: '' }], ''],
    ['an insertion', [{ start: 6, end: 6, text: '!' }], 'abcdef!'],
    [
      'two places, given backwards',
      [
        { start: 4, end: 5, text: 'YY' },
        { start: 0, end: 1, text: '' },
      ],
      'bcdYYf',
    ],
    [
      'neighbours',
      [
        { start: 0, end: 2, text: '1' },
        { start: 2, end: 4, text: '2' },
      ],
      '12ef',
    ],
    [
      'an insertion in front of what is replaced, given behind it',
      [
        { start: 1, end: 3, text: '' },
        { start: 1, end: 1, text: 'X' },
      ],
      'aXdef',
    ],
    ['what looks like a pattern of replace()', [{ start: 0, end: 1, text: '$&$1' }], '$&$1bcdef'],
  ])('%s', (_name, edits, expected) => {
    expect(rewrite('abcdef', edits)).toBe(expected)
  })

  test('keeps everything between the places, in order', () => {
    const pieces = fc.array(fc.tuple(fc.string(), fc.string(), fc.string()), { maxLength: 6 })
    fc.assert(
      fc.property(pieces, (parts) => {
        const edits = []
        let text = ''
        for (const [kept, old, fresh] of parts) {
          const start = text.length + kept.length
          edits.push({ start, end: start + old.length, text: fresh })
          text += kept + old
        }
        const expected = parts.map(([kept, , fresh]) => kept + fresh).join('')
        expect(rewrite(text, edits)).toBe(expected)
      }),
    )
  })
})
