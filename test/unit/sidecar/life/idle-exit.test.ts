import { describe, expect, test } from '@jest/globals'
import { IdleExit } from '../../../../sidecar/life/idle-exit.ts'

type Step = readonly [nowMs: number, isUnused: boolean, due: number | undefined]

const CASES: readonly (readonly [
  name: string,
  code: number | undefined,
  steps: readonly Step[],
])[] = [
  [
    'nobody ever comes',
    undefined,
    [
      [99, true, undefined],
      [100, true, 0],
    ],
  ],
  ['the last process failed', 7, [[100, true, 7]]],
  [
    'somebody is there',
    7,
    [
      [100, false, undefined],
      [199, true, undefined],
      [200, true, 7],
    ],
  ],
  [
    'it is said once in the idle time',
    7,
    [
      [100, true, 7],
      [101, true, undefined],
      [200, true, 7],
    ],
  ],
]

describe('a container that is to complete', () => {
  test.each(CASES)('%s', (_name, code, steps) => {
    const idle = new IdleExit(100, 0)
    if (code !== undefined) idle.ended(code)
    for (const [nowMs, isUnused, due] of steps) expect(idle.due(isUnused, nowMs)).toBe(due)
  })

  test('a new container has all its time, and no earlier one’s code', () => {
    const idle = new IdleExit(100, 0)
    idle.ended(7)
    idle.begin(90)
    expect(idle.due(true, 150)).toBeUndefined()
    expect(idle.due(true, 190)).toBe(0)
  })
})
