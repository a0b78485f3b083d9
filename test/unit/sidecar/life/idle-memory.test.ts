// When memory is given back: never under load, never where little is taken, once a quiet time.

import { describe, expect, test } from '@jest/globals'
import { IdleMemory } from '../../../../sidecar/life/idle-memory.ts'

const MIB = 1024 * 1024

/** A memory of so many MiB in which a collection leaves others. */
const taking = (mib: number, afterMib = 40) => {
  const memory = {
    mib,
    collections: 0,
    residentBytes: (): number => memory.mib * MIB,
    collect: (): void => {
      memory.collections++
      memory.mib = afterMib
    },
  }
  return memory
}

describe('a collection', () => {
  test.each([
    ['comes when nothing was answered for 2 s', 100, [2000], 1],
    ['does not come before', 100, [1999], 0],
    ['comes once', 100, [2000, 2250, 60_000], 1],
    ['does not come where little is taken', 90, [2000, 60_000], 0],
  ])('%s', (_name, mib, sweeps, expected) => {
    const memory = taking(mib)
    const idle = new IdleMemory(memory)
    idle.used(0)
    for (const nowMs of sweeps) idle.sweep(nowMs)
    expect(memory.collections).toBe(expected)
  })

  test('waits for the end of a load', () => {
    const memory = taking(100)
    const idle = new IdleMemory(memory)
    for (let nowMs = 0; nowMs < 10_000; nowMs += 250) {
      idle.used(nowMs)
      idle.sweep(nowMs + 125)
    }
    expect(memory.collections).toBe(0)
  })

  test.each([
    ['does not come again for what it had to leave', 115, 1],
    ['comes again for what has grown since', 117, 2],
  ])('%s', (_name, laterMib, expected) => {
    const memory = taking(200, 100)
    const idle = new IdleMemory(memory)
    idle.used(0)
    idle.sweep(2000)
    memory.mib = laterMib
    idle.used(3000)
    idle.sweep(5000)
    expect(memory.collections).toBe(expected)
  })

  test('never comes before the first call, nor where Node cannot', () => {
    const memory = taking(100)
    new IdleMemory(memory).sweep(60_000)
    expect(memory.collections).toBe(0)
    const without = new IdleMemory(undefined)
    without.used(0)
    expect(() => without.sweep(2000)).not.toThrow()
  })
})
