import { expect, test } from '@jest/globals'
import { CallerToken } from '../../../../sidecar/exchange/caller-token.ts'

/** With one process; what it was given, in order. */
const withProcess = () => {
  const token = new CallerToken()
  const given: string[] = []
  token.processes.set(1, (text) => void given.push(text))
  return { token, given }
}

test('it is given, renewed after two thirds of its life, and taken away at its end', () => {
  const { token, given } = withProcess()
  expect([token.fresh(0), token.isDue(0), token.expire(0)]).toEqual([undefined, true, false])
  token.take({ token: 'one', lifeMs: 3000 }, 0)
  expect([token.fresh(1999), token.isDue(1999)]).toEqual(['one', false])
  expect([token.fresh(2000), token.isDue(2000)]).toEqual([undefined, true])
  token.take({ token: 'two', lifeMs: 3000 }, 2000)
  expect([token.expire(4999), token.expire(5000), token.expire(6000)]).toEqual([false, true, false])
  expect(given).toEqual(['one', 'two', ''])
})

test('what fails is tried again ever more rarely, and what then works ends that', () => {
  const { token } = withProcess()
  const pauses = Array.from({ length: 8 }, () => token.fail(0))
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
  expect([token.isDue(59_999), token.isDue(60_000)]).toEqual([false, true])
  token.take({ token: 'one', lifeMs: 3000 }, 60_000)
  expect(token.fail(62_000)).toBe(1000)
})

test('a failure takes nothing away before its time', () => {
  const { token, given } = withProcess()
  token.take({ token: 'one', lifeMs: 3000 }, 0)
  token.fail(2000)
  expect([token.expire(2999), given]).toEqual([false, ['one']])
})
