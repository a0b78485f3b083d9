import { describe, expect, test } from '@jest/globals'
import { HeldBodies } from '../../../webhook/body.ts'

const MB = 1024 * 1024

describe('the room for bodies', () => {
  test.each<[string, number, number, number, boolean]>([
    ['takes a small one', 0, 1000, 1000, true],
    ['takes a large one', 0, 7 * MB, 7 * MB, true],
    ['takes what just fits for large ones', 20 * MB, 4 * MB, 4 * MB, true],
    ['keeps the rest from large ones', 20 * MB, 4 * MB + 1, 4 * MB + 1, false],
    ['keeps it from the end of a large one', 24 * MB, 1, 300 * 1024, false],
    ['for small ones', 24 * MB, 200 * 1024, 200 * 1024, true],
    ['until that is full, too', 32 * MB, 1, 1, false],
  ])('%s', (_name, held, more, ...[soFar, hasRoom]) => {
    const bodies = new HeldBodies(32 * MB)
    for (let bytes = 0; bytes < held; bytes += MB / 4) expect(bodies.take(MB / 4, 0)).toBe(true)
    expect(bodies.take(more, soFar)).toBe(hasRoom)
    expect(bodies.bytes).toBe(hasRoom ? held + more : held)
  })

  test('comes back', () => {
    const bodies = new HeldBodies(10 * MB)
    expect(bodies.take(2 * MB, 2 * MB)).toBe(true)
    expect(bodies.take(1, 2 * MB)).toBe(false)
    bodies.release(2 * MB)
    expect(bodies.bytes).toBe(0)
    expect(bodies.take(1, 2 * MB)).toBe(true)
  })
})
