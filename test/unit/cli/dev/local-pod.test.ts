// A pod with a tool policy runs here by it where the manifest holds it, else without it, and without its tool lock, and
// says so.

import { expect, test } from '@jest/globals'
import { localPod, NOTHING_AROUND, type Surroundings } from '../../../../cli/dev/local-pod.ts'
import { expectedPod } from '../../../support/golden.ts'

const local = (name: string, around: Surroundings = NOTHING_AROUND) => {
  const read = localPod(expectedPod(name) ?? {}, 0, around)
  if (!read.ok) return read.error
  const { toolPolicy: policy, toolLock: lock, audit } = read.value.config
  expect(audit).toBeUndefined()
  return { policy, lock, notes: read.value.notes.join('; ') }
}

test.each([
  [
    'tool-policy',
    expect.stringMatching(/^outrigger\.dev\/tool-policy: callers may do everything here/),
  ],
  [
    'tool-lock',
    expect.stringMatching(
      /^outrigger\.dev\/tool-lock: what the server lists is not looked at here/,
    ),
  ],
  ['introspection', 'outrigger.dev/introspection-secret: tokens that are no JWTs are refused here'],
  ['service-accounts', 'tokens of ServiceAccounts are refused here: only a cluster has their keys'],
  ['base-lock', 'the lock in floor.toolLocks of the cluster configuration holds here, too'],
  [
    'audit-file',
    'outrigger.dev/audit-sink: nothing is put on record here; outrigger run --audit-file keeps records',
  ],
  ['base-policy-alone', 'floor.basePolicy of the cluster configuration holds here, too'],
  ['pod', ''],
])('%s: %s', (name, notes) => {
  expect(local(name)).toEqual({ policy: undefined, lock: undefined, notes })
})

/** A manifest that holds every ConfigMap with this one key. */
const holding = (key: string): Surroundings => ({
  ...NOTHING_AROUND,
  supplies: (kind) =>
    kind === 'ConfigMap'
      ? { values: new Map([[key, Buffer.from('version: 1')]]), binary: new Set() }
      : undefined,
})

test('a policy that the manifest holds decides', () => {
  expect(local('tool-policy', holding('policy.yaml'))).toEqual({
    policy: '/outrigger/policy/policy.yaml',
    lock: undefined,
    notes: expect.stringMatching(/callers may do what ConfigMap \S+ of the manifest allows$/),
  })
})

test('one without its key starts no pod', () => {
  expect(local('tool-policy', holding('policy.yml'))).toEqual([
    expect.stringMatching(/: ConfigMap \S+ has no key policy\.yaml$/),
  ])
})
