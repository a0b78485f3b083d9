// A pod with a tool policy runs here by it where the manifest holds it, else without it, and says so.

import { expect, test } from '@jest/globals'
import { localPod, NOTHING_AROUND, type Surroundings } from '../../../../cli/dev/local-pod.ts'
import { expectedPod } from '../../../support/golden.ts'

const local = (name: string, around: Surroundings = NOTHING_AROUND) => {
  const read = localPod(expectedPod(name) ?? {}, 0, around)
  if (!read.ok) return read.error
  return { policy: read.value.config.toolPolicy, notes: read.value.notes.join('; ') }
}

test.each([
  [
    'tool-policy',
    expect.stringMatching(/^outrigger\.dev\/tool-policy: callers may do everything here/),
  ],
  ['introspection', 'outrigger.dev/introspection-secret: tokens that are no JWTs are refused here'],
  ['service-accounts', 'tokens of ServiceAccounts are refused here: only a cluster has their keys'],
  ['base-policy-alone', 'floor.basePolicy of the cluster configuration holds here, too'],
  ['pod', ''],
])('%s: %s', (name, notes) => {
  expect(local(name)).toEqual({ policy: undefined, notes })
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
    notes: expect.stringMatching(/callers may do what ConfigMap \S+ of the manifest allows$/),
  })
})

test('one without its key starts no pod', () => {
  expect(local('tool-policy', holding('policy.yml'))).toEqual([
    expect.stringMatching(/: ConfigMap \S+ has no key policy\.yaml$/),
  ])
})
