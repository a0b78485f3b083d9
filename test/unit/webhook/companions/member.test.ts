import { expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { ownerOf, memberOf } from '../../../../webhook/companions/member.ts'

const podWith = (more: JsonObject): JsonObject => ({
  metadata: {
    namespace: 'team',
    name: 'a-0',
    uid: 'u',
    labels: { 'outrigger.dev/injected': 'true', 'outrigger.dev/server': 'deployment-a' },
    ...more,
  },
})

test.each<[string, JsonObject, boolean]>([
  ['runs on', {}, false],
  ['was told to end', { deletionTimestamp: '2026-11-30T08:00:00Z' }, true],
])('a pod that %s is a member, and says so', (_name, more, isEnding) => {
  expect(memberOf(podWith(more))).toMatchObject({ server: 'deployment-a', isEnding })
})

const SET = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'a', uid: 'set', controller: true }

test.each<[string, JsonObject]>([
  ['name', { name: 'n'.repeat(254) }],
  ['kind', { kind: 'k'.repeat(254) }],
  ['group', { apiVersion: `${'g'.repeat(400)}/v1` }],
  ['uid', { uid: 'u'.repeat(254) }],
])('what says it controls a pod by a %s that nothing has is no owner', (_name, more) => {
  const controlledBy = (owner: JsonObject) => podWith({ ownerReferences: [owner] })
  expect(ownerOf(controlledBy(SET))).toEqual({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    name: 'a',
    uid: 'set',
  })
  expect(ownerOf(controlledBy({ ...SET, ...more }))).toBeUndefined()
  expect(memberOf(controlledBy({ ...SET, ...more }))?.owner).toMatchObject({
    kind: 'Pod',
    name: 'a-0',
  })
})

test.each<[string, JsonObject, boolean]>([
  [
    'waits for its policy',
    { schedulingGates: [{ name: 'a/b' }, { name: 'outrigger.dev/policy' }] },
    true,
  ],
  ['waits for something else', { schedulingGates: [{ name: 'a/b' }] }, false],
  ['waits for nothing', {}, false],
])('a pod that %s says whether the gate is ours', (_name, spec, isGated) => {
  expect(memberOf({ ...podWith({}), spec })).toMatchObject({ uid: 'u', isGated })
})

test.each([
  ['outrigger-SERVER', true],
  ['default', false],
])('a pod of account %s says whether that is its server’s own', (name, hasOwnAccount) => {
  const pod = podWith({})
  const server = String(memberOf(pod)?.server)
  const serviceAccountName = name.replace('SERVER', server)
  expect(memberOf({ ...pod, spec: { serviceAccountName } })).toMatchObject({ hasOwnAccount })
})
