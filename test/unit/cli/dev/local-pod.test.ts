// A pod with a tool policy, a tool lock or a certificate runs here by it where the manifest holds it, else without it, and
// says so.

import { expect, test } from '@jest/globals'
import { localPod, NOTHING_AROUND, type Surroundings } from '../../../../cli/dev/local-pod.ts'
import { expectedPod } from '../../../support/golden.ts'

const local = (name: string, around: Surroundings = NOTHING_AROUND) => {
  const read = localPod(expectedPod(name) ?? {}, 0, around)
  if (!read.ok) return read.error
  const { toolPolicy: policy, toolLock: lock, tls, audit, replicas } = read.value.config
  expect([audit, replicas]).toEqual([undefined, undefined])
  return { policy, lock, tls: tls?.certFile, notes: read.value.notes.join('; ') }
}

test.each([
  [
    'tool-policy',
    expect.stringMatching(
      /^outrigger\.dev\/tool-policy: the manifest does not hold ConfigMap \S+: callers may do everything here/,
    ),
  ],
  [
    'tool-lock',
    expect.stringMatching(
      /^outrigger\.dev\/tool-lock: the manifest does not hold ConfigMap \S+: what the server lists is not looked at here/,
    ),
  ],
  [
    'tls-secret',
    expect.stringMatching(
      /^outrigger\.dev\/tls-secret: the manifest does not hold Secret \S+: MCP is served over plain HTTP here/,
    ),
  ],
  ['introspection', 'outrigger.dev/introspection-secret: tokens that are no JWTs are refused here'],
  ['service-accounts', 'tokens of ServiceAccounts are refused here: only a cluster has their keys'],
  ['base-lock', 'the lock in floor.toolLocks of the cluster configuration holds here, too'],
  [
    'audit-file',
    'outrigger.dev/audit-sink: nothing is put on record here; outrigger run --audit-file keeps records',
  ],
  [
    'file-writes-tmp',
    '/scratch: a new directory stands for it, where command and variables name the path; outrigger.dev/file-writes: nothing keeps the server to what is declared here; it changes files wherever you may',
  ],
  ['replicas', 'companions.replicas of the cluster configuration: there is one replica here'],
  ['base-policy-alone', 'floor.basePolicy of the cluster configuration holds here, too'],
  ['pod', ''],
])('%s: %s', (name, notes) => {
  expect(local(name)).toEqual({ policy: undefined, lock: undefined, tls: undefined, notes })
})

/** A manifest that holds every ConfigMap and Secret, with these keys. */
const holding = (...keys: readonly string[]): Surroundings => ({
  ...NOTHING_AROUND,
  supplies: () => ({
    values: new Map(keys.map((key) => [key, Buffer.from('version: 1')])),
    binary: new Set(),
  }),
})
const NOTHING = { policy: undefined, lock: undefined, tls: undefined }

test.each([
  [
    'tool-policy',
    ['policy.yaml'],
    { policy: '/outrigger/policy/policy.yaml' },
    /tool-policy: ConfigMap \S+ of the manifest holds: callers may do what it allows$/,
  ],
  [
    'tool-lock',
    ['lock.yaml'],
    { lock: '/outrigger/lock/lock.yaml' },
    /tool-lock: ConfigMap \S+ of the manifest holds: what the server lists is held against it$/,
  ],
  [
    'tls-secret',
    ['tls.crt', 'tls.key'],
    { tls: '/outrigger/tls/tls.crt' },
    /tls-secret: Secret \S+ of the manifest holds: MCP is served over TLS by it$/,
  ],
])('%s that the manifest holds is used', (name, keys, used, note) => {
  const notes = expect.stringMatching(note)
  expect(local(name, holding(...keys))).toEqual({ ...NOTHING, ...used, notes })
})

test.each([
  ['tool-policy', 'policy.yml', /: ConfigMap \S+ has no key policy\.yaml$/],
  ['tool-lock', 'lock.yml', /: ConfigMap \S+ has no key lock\.yaml$/],
  ['tls-secret', 'tls.crt', /: Secret \S+ has no key tls\.key$/],
])('%s with the key %s alone starts no pod', (name, key, why) => {
  expect(local(name, holding(key))).toEqual([expect.stringMatching(why)])
})
