// What a parent proxy answers, in every way that it may be cut.

import { describe, expect, jest, test } from '@jest/globals'
import { MAX_HEAD_BYTES, ParentHead } from '../../../../../sidecar/egress/reach/parent-head.ts'

const OPEN = 'HTTP/1.1 200 OK\r\nVia: x\r\n\r\n'

interface Read {
  readonly status: string | undefined
  readonly rest: string
}

/** What is read of pieces, what follows the head in later ones included; undefined where there is no end yet. */
const read = (pieces: readonly string[]): Read | undefined => {
  const head = new ParentHead()
  for (const [index, piece] of pieces.entries()) {
    const whole = head.add(Buffer.from(piece, 'latin1'))
    if (!whole) continue
    const later = pieces.slice(index + 1).join('')
    return { status: whole.status, rest: whole.rest.toString('latin1') + later }
  }
  return undefined
}

describe.each([
  ['nothing behind it', ''],
  ['the tunnel’s first bytes behind it', 'early\r\n\r\n\xff\x00'],
])('a head with %s', (_what, rest) => {
  const text = OPEN + rest

  test.each(Array.from({ length: text.length - 1 }, (_none, at) => at + 1))('cut at %d', (at) => {
    expect(read([text.slice(0, at), text.slice(at)])).toEqual({ status: '200', rest })
  })

  test('byte by byte', () => {
    expect(read(text.split(''))).toEqual({ status: '200', rest })
  })

  test('in one piece with more than a head may hold', () => {
    const much = rest + 'y'.repeat(2 * MAX_HEAD_BYTES)
    expect(read([OPEN + much])).toEqual({ status: '200', rest: much })
  })
})

test.each<[string, string, string | undefined]>([
  ['another status', 'HTTP/1.0 407 No\r\n\r\n', '407'],
  ['a status without words', 'HTTP/1.1 204\r\n\r\n', '204'],
  ['no HTTP', 'SSH-2.0-x\r\n\r\n', undefined],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', undefined],
  ['a line before it', '\r\nHTTP/1.1 200 OK\r\n\r\n', undefined],
  ['an end at the bound', 'HTTP/1.1 200 '.padEnd(MAX_HEAD_BYTES - 4, 'x') + '\r\n\r\n', '200'],
  [
    'an end one byte later',
    'HTTP/1.1 200 '.padEnd(MAX_HEAD_BYTES - 3, 'x') + '\r\n\r\n',
    undefined,
  ],
  ['no end', 'HTTP/1.1 200 '.padEnd(20_000, 'x'), undefined],
])('%s', (_what, text, status) => {
  for (const pieces of [[text], text.split(''), text.match(/[^]{1,1000}/g) ?? []]) {
    expect(read(pieces)).toMatchObject({ status })
  }
})

test('a head that has not ended is none', () => {
  expect(read(['HTTP/1.1 200 OK\r\n\r', 'x\n'])).toBeUndefined()
})

test('byte by byte, no byte is looked at again and again', () => {
  const looked: number[] = []
  const { indexOf } = Buffer.prototype
  const spy = jest.spyOn(Buffer.prototype, 'indexOf').mockImplementation(function (
    this: Buffer,
    ...of
  ) {
    looked.push(this.length)
    return indexOf.apply(this, of)
  })
  try {
    read('HTTP/1.1 200 '.padEnd(MAX_HEAD_BYTES, 'x').split(''))
  } finally {
    spy.mockRestore()
  }
  expect(looked).toHaveLength(MAX_HEAD_BYTES)
  expect(Math.max(...looked)).toBeLessThanOrEqual(4)
})
