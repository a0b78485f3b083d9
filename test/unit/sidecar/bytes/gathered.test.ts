// Pieces in, one buffer out, at a cost that follows from the bytes.

import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { Gathered } from '../../../../sidecar/bytes/gathered.ts'

describe('Gathered', () => {
  test('hands out what was added, and begins anew', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.uint8Array())), (rounds) => {
        const gathered = new Gathered()
        for (const pieces of rounds) {
          for (const piece of pieces) gathered.add(piece)
          const whole = Buffer.concat(pieces)
          expect(gathered.length).toBe(whole.length)
          expect(gathered.take().equals(whole)).toBe(true)
          expect(gathered.length).toBe(0)
        }
      }),
    )
  })

  test('what it handed out stays as it was, and what it was given may change', () => {
    const gathered = new Gathered()
    const piece = Buffer.from('abc')
    gathered.add(piece)
    piece.fill('x')
    const first = gathered.take()
    gathered.add(Buffer.from('def'))
    expect([first.toString(), gathered.take().toString()]).toEqual(['abc', 'def'])
  })

  test('a million single bytes keep no more than twice their number', () => {
    const gathered = new Gathered()
    for (let index = 0; index < 1_000_000; index++) gathered.add(Buffer.of(index & 0xff))
    expect(gathered.take().buffer.byteLength).toBeLessThan(2_100_000)
  })
})
