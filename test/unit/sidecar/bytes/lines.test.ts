// Bytes into lines, however they are cut, within the bound.

import { aBudget } from '../../../support/budgets.ts'
import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { Lines } from '../../../../sidecar/bytes/lines.ts'

const read = (chunks: readonly Uint8Array[], maxBytes = 1000) => {
  const lines: string[] = []
  const parts: string[] = []
  const reader = new Lines(maxBytes, aBudget().lease('lines'), {
    line: (line) => void lines.push(line.toString('latin1')),
    overlong: (part, which) => void parts.push(`${which}: ${part.toString('latin1')}`),
  })
  // As in production: every chunk comes in the same memory.
  const memory = Buffer.alloc(4096)
  const isWithin = chunks.every((chunk) => {
    memory.set(chunk)
    const isTaken = reader.push(memory.subarray(0, chunk.length))
    memory.fill('?')
    return isTaken
  })
  return { lines, parts, isWithin, reader }
}

const chunks = (...texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text))

describe('lines', () => {
  test.each([
    ['one', ['a\n'], ['a']],
    ['several in a chunk', ['a\nb\n\nc\n'], ['a', 'b', '', 'c']],
    ['one over several chunks', ['a', 'b', 'c\nd'], ['abc']],
    ['the end in a chunk of its own', ['ab', '\n'], ['ab']],
    ['CR is no end', ['a\rb\r\n'], ['a\rb\r']],
    ['an empty chunk', ['a', '', '\n'], ['a']],
  ])('%s', (_name, texts, expected) => {
    expect(read(chunks(...texts)).lines).toEqual(expected)
  })

  test('are the same however the bytes are cut', () => {
    const bytes = fc.uint8Array({ min: 9, max: 12, maxLength: 60 })
    fc.assert(
      fc.property(
        bytes,
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 60 }),
        (all, cuts) => {
          const parts: Uint8Array[] = []
          let start = 0
          for (const cut of cuts) {
            parts.push(all.subarray(start, start + cut))
            start += cut
          }
          const text = Buffer.from(all).toString('latin1')
          expect(read(parts).lines).toEqual(text.split('\n').slice(0, -1))
        },
      ),
    )
  })

  test('the rest comes with flush, once', () => {
    const { lines, reader } = read(chunks('a\nb', 'c'))
    reader.flush()
    reader.flush()
    expect(lines).toEqual(['a', 'bc'])
  })
})

describe('a line over the bound', () => {
  const LONG = 'x'.repeat(6)
  test.each([
    ['exactly reached is none', ['x'.repeat(10), '\n'], ['x'.repeat(10)], []],
    ['in one chunk', [`${'x'.repeat(11)}\na\n`], ['a'], ['x'.repeat(11), 'x'.repeat(11)]],
    ['over several', [LONG, LONG, 'yz\na\n'], ['a'], [LONG, `${LONG}${LONG}yz`]],
    ['without its end yet', [LONG, LONG, 'yz'], [], [LONG]],
    [
      'one behind the other',
      [`${LONG}${LONG}\n${LONG}${LONG}\nb\n`],
      ['b'],
      Array(4).fill(LONG + LONG),
    ],
    [
      'not reached by many lines',
      Array<string>(20).fill('xxxxxxxx\n'),
      Array(20).fill('xxxxxxxx'),
      [],
    ],
  ])('%s: told by its beginning and its end, the others go on', (_name, texts, lines, parts) => {
    const told = read(chunks(...texts), 10)
    expect(told.lines).toEqual(lines)
    expect(told.parts).toEqual(
      parts.map((part, index) => `${index % 2 === 0 ? 'beginning' : 'end'}: ${part}`),
    )
    expect(told.isWithin).toBe(true)
  })

  test('is thrown away, but for 1 KiB on either side', () => {
    const body = ['{"id":1,', ...Array<string>(20).fill('x'.repeat(1000)), '"end":1}\n']
    const { parts, reader } = read(chunks(...body), 5000)
    expect(parts.map((part) => part.length)).toEqual([
      'beginning: '.length + 1024,
      'end: '.length + 1024,
    ])
    expect(parts[1]).toMatch(/x"end":1\}$/)
    expect(reader.unfinished.length).toBe(0)
  })

  test('that has no end is no line', () => {
    const reader = new Lines(10, aBudget().lease('lines'), {
      line: () => undefined,
      overlong: () => undefined,
    })
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    let taken = 0
    while (reader.push(chunk)) taken++
    expect(taken).toBe(256)
  })
})
