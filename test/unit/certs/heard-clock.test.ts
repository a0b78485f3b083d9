import { describe, expect, test } from '@jest/globals'
import { HeardClock } from '../../../certs/heard-clock.ts'

const clockAt = () => {
  const time = { wall: 1_000_000, steady: 50 }
  const clock = new HeardClock({ wallMs: () => time.wall, steadyMs: () => time.steady })
  return { time, clock, now: () => clock.now().getTime() }
}

describe('the time that counts', () => {
  test('is the machine’s before the API server has said it', () => {
    const { time, clock, now } = clockAt()
    clock.hear(undefined)
    clock.hear(new Date('not a date'))
    time.wall += 10
    expect(now()).toBe(1_000_010)
  })

  test('is the API server’s from then on, wherever the machine’s clock is set', () => {
    const { time, clock, now } = clockAt()
    clock.hear(new Date(5_000_000))
    time.wall = 1
    time.steady += 300
    expect(now()).toBe(5_000_300)
    clock.hear(new Date(6_000_000))
    expect(now()).toBe(6_000_000)
  })

  test.each([
    ['time that passes', 60_000, 60_000, false],
    ['a clock that is set ahead', 90_000, 60_000, true],
    ['a clock that is set back', -30_000, 60_000, true],
    ['a sleep, which the steady clock does not count', 60_000, 0, true],
    ['a correction of a second', 61_000, 60_000, false],
  ])('%s: whether it is a jump', (_name, wall, steady, isJump) => {
    const { time, clock } = clockAt()
    time.wall += wall
    time.steady += steady
    expect(clock.hasJumped()).toBe(isJump)
    expect(clock.hasJumped()).toBe(false)
  })
})
