// Pieces in, one bounded whole out, at a cost that follows from the bytes.

import { describe, expect, test } from '@jest/globals'
import { Whole } from '../../../../sidecar/bytes/whole.ts'

const pieces = (...texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text))

describe('Whole', () => {
  test.each([
    ['nothing', [], ''],
    ['one piece', pieces('abc'), 'abc'],
    ['several', pieces('ab', 'c', 'd'), 'abcd'],
    ['empty ones among them', pieces('', 'ab', '', 'cd'), 'abcd'],
  ])('%s', (_name, given, expected) => {
    const whole = new Whole(4)
    expect(given.every((piece) => whole.add(piece))).toBe(true)
    expect(whole.take().toString()).toBe(expected)
  })

  test.each([
    ['in one piece', pieces('abcde')],
    ['in the last piece', pieces('abcd', 'e')],
  ])('over the bound %s nothing is kept', (_name, given) => {
    const whole = new Whole(4)
    expect(given.map((piece) => whole.add(piece)).at(-1)).toBe(false)
    expect(whole.take()).toHaveLength(0)
  })

  test('one piece is handed out as it came', () => {
    const [piece = Buffer.alloc(0)] = pieces('abc')
    const whole = new Whole(4)
    whole.add(piece)
    expect(whole.take()).toBe(piece)
  })

  test("a piece that has been copied is freed, unless its memory is somebody else's too", () => {
    const whole = new Whole(100_000)
    const own = [Buffer.alloc(5000, 'a'), Buffer.alloc(5000, 'b')]
    const part = Buffer.alloc(10_000, 'c').subarray(0, 5000)
    for (const piece of [...own, part]) whole.add(piece)
    expect(own.map(({ length }) => length)).toStrictEqual([0, 0])
    expect(part.every((byte) => byte === 0x63)).toBe(true)
    expect(whole.take().toString()).toBe('a'.repeat(5000) + 'b'.repeat(5000) + 'c'.repeat(5000))
  })

  test('a million single bytes keep no more than twice their number', () => {
    const whole = new Whole(1_000_000)
    for (let index = 0; index < 1_000_000; index++) whole.add(Buffer.of(index & 0xff))
    expect(whole.take().buffer.byteLength).toBeLessThan(2_100_000)
  })
})
