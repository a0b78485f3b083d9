// Bytes into lines, however they are cut, within the bound.

import { aBudget } from '../../../support/budgets.ts'
import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { Lines } from '../../../../sidecar/bytes/lines.ts'

const read = (chunks: readonly Uint8Array[], maxBytes = 1000) => {
  const lines: string[] = []
  const reader = new Lines(
    maxBytes,
    aBudget().lease('lines'),
    (line) => void lines.push(line.toString('latin1')),
  )
  // As in production: every chunk comes in the same memory.
  const memory = Buffer.alloc(4096)
  const isWithin = chunks.every((chunk) => {
    memory.set(chunk)
    const isTaken = reader.push(memory.subarray(0, chunk.length))
    memory.fill('?')
    return isTaken
  })
  return { lines, isWithin, reader }
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

describe('the bound', () => {
  test.each([
    ['exactly reached by a line', ['x'.repeat(10), '\n'], true],
    ['passed in one chunk', [`${'x'.repeat(11)}\n`], false],
    ['passed without an end', ['x'.repeat(11)], false],
    ['passed in the second chunk', ['x'.repeat(6), 'x'.repeat(5)], false],
    ['passed in the second chunk, with its end', ['x'.repeat(6), 'xxxxx\n'], false],
    ['not passed by many lines', Array<string>(20).fill('xxxxxxxx\n'), true],
  ])('%s', (_name, texts, expected) => {
    expect(read(chunks(...texts), 10).isWithin).toBe(expected)
  })
})
