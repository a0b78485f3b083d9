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
    const idle = new IdleMemory(memory, 154 * MIB)
    idle.used(0)
    for (const nowMs of sweeps) idle.sweep(nowMs)
    expect(memory.collections).toBe(expected)
  })

  test('waits for the end of a load', () => {
    const memory = taking(100)
    const idle = new IdleMemory(memory, 154 * MIB)
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
    const idle = new IdleMemory(memory, 154 * MIB)
    idle.used(0)
    idle.sweep(2000)
    memory.mib = laterMib
    idle.used(3000)
    idle.sweep(5000)
    expect(memory.collections).toBe(expected)
  })

  test('never comes before the first call, nor where Node cannot', () => {
    const memory = taking(100)
    new IdleMemory(memory, 154 * MIB).sweep(60_000)
    expect(memory.collections).toBe(0)
    const without = new IdleMemory(undefined, 154 * MIB)
    without.used(0)
    expect(() => without.sweep(2000)).not.toThrow()
  })

  test.each<[string, readonly number[], readonly string[]]>([
    ['does not come for little that was freed', [15], []],
    ['is of what is young, where the process is large', [8, 8], ['young']],
    ['is of all objects where that was not enough', [16], ['young', 'old']],
  ])('while large messages go on, %s', (_name, freed, expected) => {
    const how: string[] = []
    const memory = {
      residentBytes: () => (how.length === 1 && freed.length > 1 ? 100 : 160) * MIB,
      collect: (kind: string) => void how.push(kind),
    }
    const idle = new IdleMemory(memory, 154 * MIB)
    for (const mib of freed) idle.freed(mib * MIB, 0)
    expect(how).toEqual(expected)
  })

  test('comes when large messages are over, whatever small ones go on, and whatever was in use before', () => {
    const memory = taking(140, 120)
    const idle = new IdleMemory(memory, 154 * MIB)
    idle.used(0)
    idle.sweep(2000)
    idle.freed(MIB, 3000)
    for (let nowMs = 3000; nowMs < 6000; nowMs += 250) {
      idle.used(nowMs)
      idle.sweep(nowMs)
    }
    expect(memory.collections).toBe(2)
  })
})
