// Memory is used again, and never while anybody can still look at it.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { free } from '../../../../sidecar/bytes/freed.ts'
import { Gathered } from '../../../../sidecar/bytes/gathered.ts'
import { lend, sweepSpares } from '../../../../sidecar/bytes/spares.ts'

const KIB = 1024
const SECRET = 'secret '

const secret = (bytes: number): Buffer => Buffer.alloc(bytes, SECRET)

const gather = (pieces: readonly Buffer[], expected?: number): Buffer => {
  const gathered = new Gathered(expected)
  for (const piece of pieces) gathered.add(piece)
  return gathered.take()
}

describe('spares', () => {
  beforeEach(() => {
    while (sweepSpares() > 0);
  })

  test.each([
    ['16 KiB', 16 * KIB],
    ['64 KiB', 64 * KIB],
    ['128 KiB', 128 * KIB],
  ])('memory of %s that was freed is lent again', (_name, bytes) => {
    free(lend(bytes))
    expect(sweepSpares()).toBe(1)
    lend(bytes)
    expect(sweepSpares()).toBe(0)
  })

  test.each([
    ['is small', lend(16 * KIB - 1)],
    ['is large', lend(128 * KIB + 1)],
    ['another has made', Buffer.alloc(64 * KIB)],
    ['is a part of what another has made', Buffer.alloc(128 * KIB).subarray(0, 64 * KIB)],
  ])('what %s is never lent again', (_name, bytes) => {
    free(bytes)
    expect(sweepSpares()).toBe(0)
  })

  test('what another has made stays as it was', () => {
    const chunk = secret(64 * KIB)
    free(chunk.subarray(10, 60 * KIB))
    expect(chunk.equals(secret(64 * KIB))).toBe(true)
  })

  test.each<[string, (bytes: Buffer) => Uint8Array]>([
    ['itself', (bytes) => bytes],
    ['a part', (bytes) => bytes.subarray(100, 200)],
    ['a view of its memory', (bytes) => new Uint8Array(bytes.buffer)],
  ])('whoever has kept %s sees nothing of the next owner', (_name, keep) => {
    const first = gather([secret(60 * KIB), secret(5 * KIB)])
    const kept = keep(first)
    free(first)
    const next = gather([Buffer.alloc(64 * KIB, 'n')])
    expect([kept.length, kept[0]]).toEqual([0, undefined])
    kept[0] = 0x21
    expect(next.equals(Buffer.alloc(64 * KIB, 'n'))).toBe(true)
  })

  test('what is freed twice, or by two views of it, is lent once', () => {
    const bytes = gather([secret(64 * KIB)])
    const part = bytes.subarray(10)
    free(bytes)
    free(bytes)
    free(part)
    expect(sweepSpares()).toBe(1)
    const [one, other] = [lend(64 * KIB), lend(64 * KIB)]
    expect(one.buffer).not.toBe(other.buffer)
  })

  test('a text is what was added to it, never what stood there', () => {
    free(gather([secret(128 * KIB)]))
    const text = gather([Buffer.alloc(50 * KIB, 'n'), Buffer.alloc(10 * KIB, 'm')], 60 * KIB)
    expect(text).toHaveLength(60 * KIB)
    expect(text.includes(SECRET)).toBe(false)
  })

  test('what grows leaves its old memory to others, and no view of it', () => {
    const gathered = new Gathered()
    gathered.add(secret(50 * KIB))
    const early = gathered.bytes
    gathered.add(secret(50 * KIB))
    expect([early.length, early.toString()]).toEqual([0, ''])
    expect(gathered.take()).toHaveLength(100 * KIB)
    expect(sweepSpares()).toBe(1)
  })

  test('16 are kept, and none once nobody has needed them for two sweeps', () => {
    const all = Array.from({ length: 40 }, () => lend(64 * KIB))
    for (const one of all) free(one)
    expect(sweepSpares()).toBe(16)
    free(lend(64 * KIB))
    expect(sweepSpares()).toBe(1)
    expect(sweepSpares()).toBe(0)
  })
})
