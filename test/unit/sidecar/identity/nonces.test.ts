// The texts that proofs are made with, by a clock that the test moves: how long each is good, and that no proof is good twice
// meanwhile, however many come.

import { expect, test } from '@jest/globals'
import { Nonces } from '../../../../sidecar/identity/nonces.ts'

const noncesOf = () => {
  let clockMs = 0
  let made = 0
  const nonces = new Nonces({ now: () => clockMs, newNonce: () => `nonce-${++made}` })
  return {
    nonces,
    at: (ms: number): Nonces => {
      clockMs = ms
      return nonces
    },
  }
}

test.each<readonly [atMs: number, isGood: boolean, current: string]>([
  [0, true, 'nonce-1'],
  [59_999, true, 'nonce-1'],
  [60_000, true, 'nonce-2'],
  [119_999, true, 'nonce-2'],
])('the first is good after %d ms: %s', (atMs, isGood, current) => {
  const { nonces, at } = noncesOf()
  const { current: first } = nonces
  expect(at(atMs).memoryOf(first) !== undefined).toBe(isGood)
  expect(nonces.current).toBe(current)
})

test.each([
  ['that were used meanwhile', [60_000, 120_000]],
  ['that nobody has asked for', [120_000]],
  ['of yesterday', [86_400_000]],
])('texts %s are good no more', (_name, times) => {
  const { nonces, at } = noncesOf()
  const { current: first } = nonces
  for (const ms of times) void at(ms).current
  expect(nonces.memoryOf(first)).toBeUndefined()
  expect(nonces.memoryOf(nonces.current)).toBeDefined()
})

test.each(['', 'nonce', 'nonce-1 ', 'Nonce-1', '__proto__', 'undefined'])(
  'a text that was never given is none: %s',
  (text) => {
    expect(noncesOf().nonces.memoryOf(text)).toBeUndefined()
  },
)

test('a proof is good once, with the next text beside it too', () => {
  const { nonces, at } = noncesOf()
  const { current: first } = nonces
  const marks = [0, 59_999, 60_000, 119_999].map((ms) => at(ms).memoryOf(first)?.('proof'))
  expect(marks).toEqual([true, false, false, false])
  expect(nonces.memoryOf(nonces.current)?.('proof')).toBe(true)
})

test('a flood of proofs makes texts go sooner, and nothing is forgotten while its text is good', () => {
  const { nonces } = noncesOf()
  const seen: (readonly [nonce: string, proof: string])[] = []
  let isNew = true
  for (let proof = 0; proof < 100_000; proof++) {
    const { current } = nonces
    isNew &&= nonces.memoryOf(current)?.(`${proof}`) === true
    seen.push([current, `${proof}`])
  }
  expect(isNew).toBe(true)
  const again = seen.map(([nonce, proof]) => nonces.memoryOf(nonce)?.(proof))
  expect(again).not.toContain(true)
  expect(again.filter((one) => one === false).length).toBeLessThanOrEqual(2 * 32_768)
  expect(new Set(seen.map(([nonce]) => nonce)).size).toBe(4)
})

test('who keeps to the former text fills no more than both may hold: then it is good no more', () => {
  const { nonces, at } = noncesOf()
  const { current: first } = nonces
  expect(nonces.memoryOf(first)?.('before')).toBe(true)
  const { current: second } = at(60_000)
  expect(nonces.memoryOf(second)?.('meanwhile')).toBe(true)
  let taken = 0
  while (taken < 100_000 && nonces.memoryOf(first)?.(`${taken}`)) taken++
  expect(taken).toBe(65_536 - 2)
  expect(nonces.memoryOf(first)).toBeUndefined()
  expect(nonces.memoryOf(second)?.('meanwhile')).toBe(false)
  expect(nonces.memoryOf(second)?.('after')).toBe(true)
})
