// Work in slices: the same result, and turns for others between.

import { expect, test } from '@jest/globals'
import { MAX_CONDITION_LENGTH } from '../../../shared/policy/schema.ts'
import { readPolicy, readPolicySliced } from '../../../shared/policy/policy.ts'
import { readLock, readLockSliced } from '../../../shared/lock/lock.ts'
import { atOnce, inSlices, type Sliced } from '../../../shared/slices.ts'

function* counted(steps: number): Sliced<number> {
  for (let step = 0; step < steps; step += 1) yield
  return steps
}

test('at once it is one piece', () => {
  expect(atOnce(counted(5))).toBe(5)
})

test('in slices others have a turn every ten milliseconds', async () => {
  let clockMs = 0
  let turns = 0
  const done = await inSlices(
    counted(100),
    () => (clockMs += 1),
    async () => void turns++,
  )
  expect(done).toBe(100)
  expect(turns).toBe(10)
})

/** In how many steps something is done. */
const stepsOf = <T>(work: Sliced<T>): number => {
  let steps = 0
  while (work.next().done !== true) steps += 1
  return steps
}

const CONDITION = Array.from({ length: 60 }, (_none, index) => `arguments.a${index} == 1`)
  .join(' && ')
  .slice(0, MAX_CONDITION_LENGTH)

const rules = (count: number, when: string): string =>
  `version: 1\nrules:\n${Array.from({ length: count }, (_none, index) => `  - { name: r${index}, effect: deny, when: "${when}" }\n`).join('')}`

test('a policy is left at each word, and at each of its conditions', () => {
  expect(stepsOf(readPolicySliced(rules(100, 'true')))).toBeGreaterThan(100 * 10)
  const json = JSON.stringify({
    version: 1,
    rules: Array.from({ length: 100 }, (_none, index) => ({
      name: `r${index}`,
      effect: 'deny',
      when: CONDITION,
    })),
  })
  const words = stepsOf(readPolicySliced(json.replaceAll('"when"', '"what"')))
  expect(stepsOf(readPolicySliced(json))).toBe(words + 100)
})

test.each([
  ['a good policy', rules(3, 'true')],
  ['one with faults', rules(3, 'true ==')],
  ['one that is no YAML', 'rules: [a'],
  ['nothing', ''],
  ['several documents', 'a: 1\n---\nb: 1\n'],
])('%s is read alike', async (_name, text) => {
  const sliced = await inSlices(
    readPolicySliced(text),
    () => 0,
    async () => undefined,
  )
  const whole = readPolicy(text)
  expect(sliced.ok ? sliced.value.document : sliced.error).toEqual(
    whole.ok ? whole.value.document : whole.error,
  )
})

test('a lock is read alike, and left at each word', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  const text = `version: 1\ntools:\n${Array.from({ length: 50 }, (_none, index) => `  t${index}: { description: '${digest}' }\n`).join('')}`
  expect(atOnce(readLockSliced(text))).toEqual(readLock(text))
  expect(stepsOf(readLockSliced(text))).toBeGreaterThan(50 * 5)
})
