import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { tellWaiting } from '../../../../cli/run/patience.ts'

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

const told = (startupTimeoutMs: number, about?: () => string): readonly string[] => {
  const sentences: string[] = []
  const stop = tellWaiting((sentence) => sentences.push(sentence), startupTimeoutMs, about)
  jest.advanceTimersByTime(startupTimeoutMs * 2)
  stop()
  return sentences
}

test('is told ever more rarely, and not beyond the time that there is', () => {
  expect(told(30_000)).toEqual(
    [2, 4, 8, 16].map(
      (sinceS) =>
        `waiting for the server's first answer on stdout, ${sinceS} s of 30 (startup-timeout)`,
    ),
  )
})

test('says what is known when it is told', () => {
  let asked = 0
  expect(told(5000, () => `on port ${++asked}`)).toEqual([
    "waiting for the server's first answer on port 1, 2 s of 5 (startup-timeout)",
    "waiting for the server's first answer on port 2, 4 s of 5 (startup-timeout)",
  ])
})
