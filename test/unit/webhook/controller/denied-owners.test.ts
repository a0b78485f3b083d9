import { describe, expect, test } from '@jest/globals'
import { withAt, type JsonObject } from '../../../../shared/json.ts'
import {
  DeniedOwners,
  OF_ACCOUNTS,
  MAX_NAMESPACE_DENIED,
  ownerKey,
  ownerOfKey,
  seenEvent,
} from '../../../../webhook/controller/denied-owners.ts'
import { ownerPath } from '../../../../webhook/controller/owners.ts'

const SET = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a-5f', uid: 's-1' }
const DENIAL =
  'Error creating: admission webhook "pod.inject.outrigger.dev" denied the request: container server: the pod spec does not say which command it runs'

const event = (name = 'a-5f.17', more: JsonObject = {}): JsonObject => ({
  metadata: { namespace: 'team', name },
  involvedObject: { ...SET, namespace: 'team' },
  reason: 'FailedCreate',
  message: DENIAL,
  ...more,
})

describe('an Event', () => {
  test('of a denial of ours says whose pods it is about, and where that is', () => {
    const { key = '' } = seenEvent(event())
    expect(ownerOfKey(key)).toEqual({ namespace: 'team', owner: SET })
    expect(ownerKey(ownerOfKey(key))).toBe(key)
    expect(ownerPath(ownerOfKey(key))).toBe('/apis/apps/v1/namespaces/team/replicasets/a-5f')
  })

  test.each<[string, JsonObject]>([
    ['of another denial', event('e', { message: DENIAL.replace('outrigger.dev', 'example.com') })],
    ['of a quota', event('e', { message: 'exceeded quota' })],
    ['about a kind that makes no pods', withAt(event(), ['involvedObject', 'kind'], 'Secret')],
    ['about another group’s', withAt(event(), ['involvedObject', 'apiVersion'], 'example.com/v1')],
    ['about a name with a space', withAt(event(), ['involvedObject', 'name'], 'a b')],
    ['about a path', withAt(event(), ['involvedObject', 'name'], '../secrets/x')],
    ['about nobody', event('e', { involvedObject: {} })],
  ])('%s says nothing', (_name, other) => {
    expect(seenEvent(other).key).toBeUndefined()
  })

  test.each<[string, boolean]>([
    [
      'Error creating: pods "a-5f-" is forbidden: error looking up service account team/outrigger-deployment-a: serviceaccount "outrigger-deployment-a" not found',
      true,
    ],
    [
      'create Pod a-0 in StatefulSet a failed error: pods "a-0" is forbidden: error looking up service account team/outrigger-statefulset-a: serviceaccount "outrigger-statefulset-a" not found',
      true,
    ],
    [
      'Error creating: pods "a-5f-" is forbidden: error looking up service account team/mine: serviceaccount "mine" not found',
      false,
    ],
    [DENIAL, false],
  ])('of an account that is missing, %s: %s', (message, isOurs) => {
    const { key } = seenEvent(event('e', { message }), OF_ACCOUNTS.words)
    expect(key !== undefined).toBe(isOurs)
    expect(seenEvent(event('e', { message })).key !== undefined).toBe(message === DENIAL)
  })

  test('leads into its own namespace, whatever it says', () => {
    const forged = withAt(event(), ['involvedObject', 'namespace'], 'kube-system')
    expect(ownerOfKey(seenEvent(forged).key ?? '').namespace).toBe('team')
  })
})

describe('those of whom Events tell', () => {
  test('are known once each, until the last of these is gone', () => {
    const known = new DeniedOwners()
    const [one, other] = [seenEvent(event('e1')), seenEvent(event('e2'))]
    for (const seen of [one, other, one]) known.put(seen)
    expect([...known.keys()]).toEqual([one.key])
    known.remove(one)
    expect([known.has(one), known.has(other), known.keys().size]).toEqual([false, true, 1])
    known.remove(other)
    expect(known.keys().size).toBe(0)
  })

  test('of one namespace have so much room, which is there again when Events go', () => {
    const known = new DeniedOwners()
    const all = Array.from({ length: MAX_NAMESPACE_DENIED }, (_, at) => seenEvent(event(`e${at}`)))
    for (const seen of all) known.put(seen)
    const late = seenEvent(event('late'))
    known.put(late)
    expect(known.has(late)).toBe(false)
    for (const seen of all) known.remove(seen)
    known.put(late)
    expect(known.has(late)).toBe(true)
  })
})
