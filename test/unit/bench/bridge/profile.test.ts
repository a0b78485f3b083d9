import { describe, expect, test } from '@jest/globals'
import { sharesOf } from '../../../bench/bridge/profile.ts'

const FRAMES = {
  idle: { functionName: '(idle)', url: '' },
  collector: { functionName: '(garbage collector)', url: '' },
  program: { functionName: '(program)', url: '' },
  writev: { functionName: 'writev', url: '' },
  stream: { functionName: 'push', url: 'node:internal/streams/readable' },
  scan: { functionName: 'scan', url: 'file:///app/sidecar.js' },
} as const

type Sample = readonly [keyof typeof FRAMES, number]

const profile = (samples: readonly Sample[]): string => {
  const names = Object.keys(FRAMES)
  return JSON.stringify({
    nodes: Object.values(FRAMES).map((callFrame, id) => ({ id, callFrame })),
    samples: samples.map(([name]) => names.indexOf(name)),
    timeDeltas: samples.map(([, microseconds]) => microseconds),
  })
}

describe('the parts of a profile', () => {
  test('are told apart by where the code comes from, idle time aside', () => {
    const early: readonly Sample[] = Array.from({ length: 5 }, () => ['scan', 1000])
    const late: readonly Sample[] = [
      ['scan', 10],
      ['stream', 20],
      ['writev', 30],
      ['program', 30],
      ['collector', 10],
    ]
    const idle: readonly Sample[] = [['idle', 5000]]
    expect(sharesOf(profile([...early, ...idle, ...late, ...idle]))).toEqual({
      ours: 0.1,
      node: 0.2,
      native: 0.6,
      collection: 0.1,
    })
  })

  test('are refused where there is no profile', () => {
    expect(() => sharesOf('{"nodes":[]}')).toThrow(/samples/)
  })
})
