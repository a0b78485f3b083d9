// Which shim may serve us.

import { describe, expect, test } from '@jest/globals'
import { admitShim, weaknessOf } from '../../../../sidecar/server/admit.ts'

const OURS = 1_000_990_000
const PEER = { uid: 1000, landlockAbi: 6, hasOneCommand: false, canConfine: true }
const RULES = { isolation: 'require', ownUid: OURS, isSupervised: false } as const

describe('admitShim', () => {
  test.each([
    ['another uid', {}, {}, undefined],
    ['the oldest Landlock', { landlockAbi: 1 }, {}, undefined],
    ['our own uid', { uid: OURS }, {}, 'run-as-user'],
    ['root', { uid: 0 }, {}, 'run-as-user'],
    ['no Landlock', { landlockAbi: 0 }, {}, 'no Landlock'],
    ['our own uid, allowed', { uid: OURS }, { isolation: 'advisory' }, undefined],
    ['no Landlock, allowed', { landlockAbi: 0 }, { isolation: 'advisory' }, undefined],
    ['one command, expected', { hasOneCommand: true }, { isSupervised: true }, undefined],
    ['one command, for children', { hasOneCommand: true }, {}, 'create the pod anew'],
    ['children, for one command', {}, { isSupervised: true }, 'create the pod anew'],
    [
      'children, for one command, whatever is allowed',
      {},
      { isSupervised: true, isolation: 'advisory' },
      'create the pod anew',
    ],
  ] as const)('%s', (_name, peer, rules, says) => {
    const refusal = admitShim({ ...PEER, ...peer }, { ...RULES, ...rules })
    if (says === undefined) expect(refusal).toBeUndefined()
    else expect(refusal).toContain(says)
  })
})

describe('what is weak although a shim may serve', () => {
  test.each([
    ['nothing', {}, undefined],
    ['nothing, with the oldest Landlock', { landlockAbi: 1 }, undefined],
    ['our own uid', { uid: OURS }, `the server runs with the sidecar's uid ${OURS}`],
    ['root', { uid: 0 }, 'the server runs as root'],
    [
      'no Landlock',
      { landlockAbi: 0 },
      'the kernel has no Landlock, so that server processes cannot be kept apart',
    ],
    [
      'no Landlock around one command',
      { landlockAbi: 0, hasOneCommand: true },
      'the kernel has no Landlock, so that the server can listen by way of processes that the runtime starts beside it',
    ],
  ])('%s', (_name, peer, expected) => {
    const weakness = weaknessOf({ ...PEER, ...peer }, OURS)
    // What is weak, and what helps.
    expect(weakness?.split(': ', 1)[0]).toBe(expected)
    expect(weakness ?? ': x').toMatch(/: \S/)
  })
})
