// Bytes into lines, however they are cut, within the bound.

import { aBudget } from '../../../support/budgets.ts'
import { describe, expect, test } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { Lines } from '../../../../sidecar/bytes/lines.ts'

const read = (chunks: readonly Uint8Array[], maxBytes = 1000) => {
  const lines: string[] = []
  const parts: string[] = []
  const reader = new Lines(maxBytes, aBudget().lease('lines'), {
    line: (line) => void lines.push(line.toString('latin1')),
    overlong: (part, which) => void parts.push(`${which}: ${part.toString('latin1')}`),
    idle: () => undefined,
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

const LARGE = 'x'.repeat(200_000)

describe('what is handed out in a later turn', () => {
  const inTurn = (text: string, cut = 4096) => {
    const lines: string[] = []
    let idle = 0
    const reader = new Lines(1_000_000, aBudget().lease('lines'), {
      line: (line) => void lines.push(line.toString('latin1')),
      overlong: (_part, which) => void lines.push(which),
      idle: () => idle++,
    })
    for (let start = 0; start < text.length; start += cut) {
      reader.push(Buffer.from(text.slice(start, start + cut)))
    }
    return { lines, reader, idle: () => idle }
  }

  test('a large line, and what came behind it in its chunk', async () => {
    const { lines, reader, idle } = inTurn(`a\n${LARGE}\nb\nc`)
    expect([lines, reader.isBusy]).toEqual([['a'], true])
    await nextTurn()
    expect([lines, reader.isBusy, idle()]).toEqual([['a', LARGE, 'b'], false, 1])
    reader.flush()
    expect(lines.at(-1)).toBe('c')
  })

  test('what comes behind very many, so many in a turn', async () => {
    const { lines, reader, idle } = inTurn('x\n'.repeat(1200), 4096)
    const seen = [lines.length]
    for (; reader.isBusy; seen.push(lines.length)) await nextTurn()
    expect([seen, idle()]).toEqual([[513, 1026, 1200], 1])
  })

  test.each<[string, (reader: Lines) => unknown]>([
    ['when more comes', (reader) => reader.push(Buffer.from('c'))],
    ['at the end', (reader) => reader.flush()],
    ['when it is wanted', (reader) => reader.settle()],
  ])('comes at once %s, and once', async (_name, now) => {
    const { lines, reader, idle } = inTurn(`${LARGE}\nb\n`)
    now(reader)
    expect([lines, reader.isBusy]).toEqual([[LARGE, 'b'], false])
    await nextTurn()
    expect([lines.length, idle()]).toEqual([2, 0])
  })

  test('behind it a line may pass the bound', async () => {
    const { lines, reader } = inTurn(`${LARGE}\n${'x'.repeat(1_000_001)}\nb\n`, 4_000_000)
    for (; reader.isBusy;) await nextTurn()
    expect(lines).toEqual([LARGE, 'beginning', 'end', 'b'])
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
      idle: () => undefined,
    })
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    let taken = 0
    while (reader.push(chunk)) taken++
    expect(taken).toBe(256)
  })
})
