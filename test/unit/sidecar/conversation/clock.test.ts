// How long a caller may still wait, and when its clock stands.

import { describe, expect, test } from '@jest/globals'
import { Clock } from '../../../../sidecar/conversation/clock.ts'

type Step = readonly [what: 'stop' | 'start' | 'restart', atMs: number]
type Row = readonly [
  name: string,
  steps: readonly Step[],
  over: readonly (readonly [atMs: number, isOver: boolean])[],
]

const ROWS: readonly Row[] = [
  [
    'runs',
    [],
    [
      [1099, false],
      [1100, true],
    ],
  ],
  [
    'begins anew with progress',
    [['restart', 1050]],
    [
      [1149, false],
      [1150, true],
    ],
  ],
  [
    'stands',
    [['stop', 1090]],
    [
      [1100, false],
      [999_999, false],
    ],
  ],
  [
    'goes on where it stood',
    [
      ['stop', 1090],
      ['start', 5000],
    ],
    [
      [5009, false],
      [5010, true],
    ],
  ],
  [
    'stands for two reasons until both are gone',
    [
      ['stop', 1010],
      ['stop', 1020],
      ['start', 1030],
    ],
    [[9999, false]],
  ],
  [
    'goes on once both are gone',
    [
      ['stop', 1010],
      ['stop', 1020],
      ['start', 1030],
      ['start', 1040],
    ],
    [
      [1129, false],
      [1130, true],
    ],
  ],
  [
    'begins anew where it stands',
    [
      ['stop', 1010],
      ['restart', 1050],
      ['start', 1060],
    ],
    [
      [1159, false],
      [1160, true],
    ],
  ],
]

describe('a clock of 100 ms', () => {
  test.each(ROWS)('%s', (_name, steps, over) => {
    const clock = new Clock(100, 1000)
    for (const [what, atMs] of steps) clock[what](atMs)
    expect(over.map(([atMs]) => clock.isOver(atMs))).toEqual(over.map(([, isOver]) => isOver))
  })
})

test('a wait without an end has none', () => {
  const clock = new Clock(0, 1000)
  clock.stop(1)
  clock.start(2)
  clock.restart(3)
  expect(clock.isOver(Number.MAX_SAFE_INTEGER)).toBe(false)
})
