// Which shim may serve us.

import { describe, expect, test } from '@jest/globals'
import { admitShim, weaknessOf } from '../../../../sidecar/server/admit.ts'

const OURS = 1_000_990_000

const ROWS = [
  { name: 'another uid', uid: 1000, landlockAbi: 6, isolation: 'require', says: undefined },
  { name: 'the oldest Landlock', uid: 1000, landlockAbi: 1, isolation: 'require', says: undefined },
  { name: 'our own uid', uid: OURS, landlockAbi: 6, isolation: 'require', says: 'run-as-user' },
  { name: 'root', uid: 0, landlockAbi: 6, isolation: 'require', says: 'run-as-user' },
  { name: 'no Landlock', uid: 1000, landlockAbi: 0, isolation: 'require', says: 'no Landlock' },
  {
    name: 'our own uid, allowed',
    uid: OURS,
    landlockAbi: 6,
    isolation: 'advisory',
    says: undefined,
  },
  {
    name: 'no Landlock, allowed',
    uid: 1000,
    landlockAbi: 0,
    isolation: 'advisory',
    says: undefined,
  },
] as const

describe('admitShim', () => {
  test.each(ROWS)('$name', ({ uid, landlockAbi, isolation, says }) => {
    const refusal = admitShim({ uid, landlockAbi }, isolation, OURS)
    if (says === undefined) expect(refusal).toBeUndefined()
    else expect(refusal).toContain(says)
  })
})

describe('what is weak although a shim may serve', () => {
  test.each([
    ['nothing', 1000, 6, undefined],
    ['nothing, with the oldest Landlock', 1000, 1, undefined],
    ['our own uid', OURS, 6, `the server runs with the sidecar's uid ${OURS}`],
    ['root', 0, 6, 'the server runs as root'],
    [
      'no Landlock',
      1000,
      0,
      'the kernel has no Landlock, so that server processes cannot be kept apart',
    ],
  ])('%s', (_name, uid, landlockAbi, expected) => {
    expect(weaknessOf({ uid, landlockAbi }, OURS)).toBe(expected)
  })
})
