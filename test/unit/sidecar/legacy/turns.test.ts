// Whose turn it is among the calls of one session.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { Budget } from '../../../../sidecar/bytes/budget.ts'
import { Turns, type Turn } from '../../../../sidecar/legacy/turns.ts'

const MOST = 2
const MIB = 1024 * 1024

let turns: Turns
/** Of which waiting calls may have an eighth: 16 MiB. */
let budget: Budget
let said: string[]

beforeEach(() => {
  budget = new Budget(128 * MIB)
  turns = new Turns(MOST, budget)
  said = []
})

/** A call that says what becomes of it. */
const aTurn = (name: string, bytes = 1, deadlineMs = 1000): Turn => {
  const turn: Turn = {
    cost: () => bytes,
    deadlineMs,
    begin: () => void said.push(`${name} begins`),
    expire: () => {
      said.push(`${name} expires`)
      turns.done(turn)
    },
  }
  return turn
}

const come = (...names: readonly string[]): Turn[] =>
  names.map((name) => {
    const turn = aTurn(name)
    expect(turns.take(turn)).toBe(true)
    return turn
  })

describe('calls beyond the bound', () => {
  test('wait, and begin in their order as others are answered', () => {
    const [a, b] = come('a', 'b', 'c', 'd')
    expect(said).toEqual(['a begins', 'b begins'])
    if (b) turns.done(b)
    expect(said.at(-1)).toBe('c begins')
    if (a) turns.done(a)
    expect(said.at(-1)).toBe('d begins')
  })

  test('that nobody wants any more leave, and nobody begins for it', () => {
    const [a, , c] = come('a', 'b', 'c', 'd')
    if (c) turns.done(c)
    expect(said).toEqual(['a begins', 'b begins'])
    if (a) turns.done(a)
    expect(said.at(-1)).toBe('d begins')
  })

  test('that have waited too long expire, those that run do not', () => {
    come('a', 'b', 'c')
    turns.sweep(999)
    expect(said).toHaveLength(2)
    turns.sweep(1000)
    expect(said).toEqual(['a begins', 'b begins', 'c expires'])
  })

  test('begin no more once the session has ended', () => {
    const [a] = come('a', 'b', 'c')
    turns.close()
    if (a) turns.done(a)
    expect(said).toEqual(['a begins', 'b begins'])
  })

  test('may all end as they begin, as where the server has gone', () => {
    const [a] = come('a', 'b')
    for (let count = 0; count < 1000; count++) {
      const turn: Turn = { ...aTurn('x'), begin: () => turns.done(turn) }
      expect(turns.take(turn)).toBe(true)
    }
    if (a) turns.done(a)
    come('c')
    expect(said).toEqual(['a begins', 'b begins', 'c begins'])
  })

  test('are at most 1,024 in a session', () => {
    come('a', 'b', ...Array.from({ length: 1024 }, () => 'x'))
    expect(turns.take(aTurn('y'))).toBe(false)
    expect(said).toHaveLength(MOST)
  })

  test('hold at most their share of the memory budget, all sessions together, and give them back', () => {
    const other = new Turns(1, budget)
    const big = Array.from({ length: 4 }, (_, index) => aTurn(`${index}`, 4 * MIB))
    come('a', 'b')
    for (const turn of big) expect(turns.take(turn)).toBe(true)
    expect([other.take(aTurn('o')), other.take(aTurn('p')), turns.take(aTurn('c'))]).toEqual([
      true,
      false,
      false,
    ])
    if (big[0]) turns.done(big[0])
    expect(other.take(aTurn('p'))).toBe(true)
    turns.close()
    other.close()
    for (const turn of big) expect(turns.take(turn)).toBe(true)
  })
})
