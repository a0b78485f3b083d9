import { describe, expect, test } from '@jest/globals'
import { HeldBodies, heldWithin } from '../../../webhook/body.ts'

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
    // Each of another namespace: one alone does not get so much.
    for (let bytes = 0; bytes < held; bytes += MB / 4) {
      expect(bodies.take(MB / 4, { bytes: 0, namespace: String(bytes) })).toBeUndefined()
    }
    const reason = bodies.take(more, { bytes: soFar, namespace: 'last' })?.reason
    expect(reason).toBe(hasRoom ? undefined : 'no-room')
    expect(bodies.bytes).toBe(hasRoom ? held + more : held)
  })

  test('comes back', () => {
    const bodies = new HeldBodies(10 * MB)
    const large = { bytes: 2 * MB, namespace: 'a' }
    const more = { bytes: 2 * MB, namespace: 'b' }
    for (const namespace of ['a', 'b', 'c']) {
      expect(bodies.take(2 * MB, { ...large, namespace })).toBeUndefined()
    }
    expect(bodies.take(2 * MB, more)).toMatchObject({ reason: 'no-room', status: 503 })
    bodies.release(large)
    expect(bodies.bytes).toBe(4 * MB)
    expect(bodies.take(MB, more)).toBeUndefined()
  })

  test.each<[string, number, number]>([
    ['small ones', 16 * MB, 1000],
    ['large ones', 12 * MB, 2 * MB],
  ])('is not one namespace’s alone: %s', (_name, share, size) => {
    const bodies = new HeldBodies(32 * MB)
    const one = (namespace: string) => bodies.take(size, { bytes: size, namespace })
    let taken = 0
    while (one('crowd') === undefined) taken += size
    expect(taken).toBeGreaterThan(share - size)
    expect(taken).toBeLessThanOrEqual(share)
    expect(one('crowd')).toMatchObject({ reason: 'crowd', status: 429 })
    expect(one('alone')).toBeUndefined()
    bodies.release({ bytes: size, namespace: 'crowd' })
    expect(one('crowd')).toBeUndefined()
  })

  test.each<[string, number, number]>([
    ['none that anybody knows', 0, 32],
    ['what cgroups say without one', 2 ** 63, 32],
    ['that of manifests/base', 256 * MB, 32],
    ['a small one', 64 * MB, 16],
    ['a large one', 1024 * MB, 128],
    ['a huge one', 64 * 1024 * MB, 256],
  ])('by the limit of memory: %s', (_name, limit, held) => {
    expect(heldWithin(limit)).toBe(held * MB)
  })
})
