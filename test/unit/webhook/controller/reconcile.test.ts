// What is put right, against an API server in memory.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { at, objectAt, withAt, type JsonObject } from '../../../../shared/json.ts'
import type { ClusterConfig } from '../../../../webhook/cluster/config.ts'
import type { Namespace } from '../../../../webhook/cluster/namespace.ts'
import type { Member } from '../../../../webhook/companions/member.ts'
import type { Needs } from '../../../../webhook/companions/needs.ts'
import type { OtherPolicy } from '../../../../webhook/companions/other-policy.ts'
import type { ApiServerPlace } from '../../../../webhook/companions/reach.ts'
import { Members, type SeenPod } from '../../../../webhook/controller/members.ts'
import type { Reconciler } from '../../../../webhook/controller/reconcile.ts'
import { Refusal } from '../../../../webhook/kube/reply.ts'
import { FakeApi } from '../../../support/companion-api.ts'
import {
  configOf,
  KEY,
  member,
  pod,
  POLICY,
  reconcilerOver,
  REPLICA_SET,
  SERVICE,
  SET,
} from '../../../support/reconciler.ts'

const signal = new AbortController().signal

const DEFAULT = '/apis/networking.k8s.io/v1/namespaces/team/networkpolicies/outrigger-default'

const NO_NEEDS: Needs = {
  ports: [15_200],
  isTls: false,
  isEnforced: true,
  egress: [],
  own: [],
  hasReplicas: false,
  asksApiServer: false,
  around: undefined,
}

describe('a workload', () => {
  let api: FakeApi
  let members: Members
  let nowMs: number
  let config: ClusterConfig
  let namespace: Namespace | undefined
  let isPartial: boolean
  let apiServer: readonly ApiServerPlace[]
  let reconciler: Reconciler
  let foreign: Map<string, readonly string[]>
  let opened: Map<string, readonly string[]>
  let others: readonly OtherPolicy[]

  beforeEach(() => {
    api = new FakeApi()
    members = new Members()
    nowMs = 0
    config = configOf({ companions: {} })
    namespace = { name: 'team', labels: {}, annotations: {} }
    isPartial = false
    apiServer = []
    foreign = new Map()
    opened = new Map()
    others = []
    api.objects.set(SET, REPLICA_SET)
    members.put(pod)
    reconciler = reconcilerOver({
      api,
      members,
      now: () => nowMs,
      config: () => config,
      namespace: () => namespace,
      isPartial: () => isPartial,
      apiServer: () => apiServer,
      otherPolicies: () => others,
      foreign,
      opened,
    })
  })

  const reconcile = (key = KEY) => reconciler.reconcile(key, signal)
  const ours = (): readonly string[] => [...api.objects.keys()].filter((path) => path !== SET)

  test('is given all three, owned by the Deployment, once', async () => {
    await reconcile()
    expect(ours()).toHaveLength(3)
    expect(at(api.objects.get(POLICY), 'metadata', 'ownerReferences')).toEqual([
      { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a', uid: 'deployment' },
    ])
    const writes = api.asked.length
    await reconcile()
    expect(api.asked).toHaveLength(writes)
    expect(api.events.map(({ reason }) => reason)).toEqual(['IngressOpen', 'SidecarUnreadable'])
  })

  test.each<[string, Partial<Needs> | undefined, Partial<Member>, boolean]>([
    ['hands calls on', { hasReplicas: true }, {}, true],
    ['does not', {}, {}, false],
    ['cannot be read', undefined, {}, false],
    ['hands calls on, and is on its way out', { hasReplicas: true }, { isEnding: true }, false],
  ])('has keys where its pod %s', async (_name, more, rest, hasKeys) => {
    const needs = more && { ...NO_NEEDS, ...more }
    members.put({ ...pod, member: { ...member, ...rest, needs } })
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a', uid: 'deployment' }
    const replicated = { namespace: 'team', server: 'deployment-a', owner }
    expect(await reconcile()).toEqual(hasKeys ? replicated : undefined)
    config = configOf({ companions: { replicas: false } })
    expect(await reconcile()).toBeUndefined()
    config = configOf({})
    expect(await reconcile()).toBeUndefined()
    expect(await reconcile('team/')).toBeUndefined()
  })

  test('whose ReplicaSet is another of the same name, or gone, is left as it stands', async () => {
    api.objects.set(SET, { metadata: { name: 'a-5f', uid: 'other' } })
    await reconcile()
    api.objects.delete(SET)
    await reconcile()
    expect(ours()).toEqual([])
  })

  const another = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a', uid: 'another' }
  const controlledBy = (owners: readonly JsonObject[]): JsonObject => {
    const ownerReferences = owners.map((owner) => ({ ...owner, controller: true }))
    return { metadata: { name: 'a-5f', uid: 'set', ownerReferences } }
  }

  test.each<[string, readonly JsonObject[], string]>([
    ['has another Deployment', [another], 'another'],
    ['has none any more', [], 'set'],
  ])('whose ReplicaSet %s by now is owned by what there is', async (_name, owners, uid) => {
    await reconcile()
    api.objects.set(SET, controlledBy(owners))
    // What the cluster does with what was owned by the old one: removes it, or takes its owner off.
    api.objects.delete(SERVICE)
    const ownerless = withAt(api.objects.get(POLICY) ?? {}, ['metadata', 'ownerReferences'], [])
    api.objects.set(POLICY, ownerless)
    await reconcile()
    for (const path of [POLICY, SERVICE]) {
      expect(at(api.objects.get(path), 'metadata', 'ownerReferences')).toMatchObject([{ uid }])
    }
  })

  test('whose companions have lost their owner is owned by the one there is now', async () => {
    await reconcile()
    for (const path of ours()) {
      const ownerless = withAt(api.objects.get(path) ?? {}, ['metadata', 'ownerReferences'], [])
      api.objects.set(path, ownerless)
    }
    api.objects.set(SET, controlledBy([another]))
    await reconcile()
    expect(at(api.objects.get(POLICY), 'metadata', 'ownerReferences')).toEqual([another])
  })

  test('whose pods run by its own account has that made, while somebody asks for those', async () => {
    const accounts = (): readonly unknown[] =>
      api.events.flatMap(({ kind, metadata }) => (kind === 'ServiceAccount' ? [metadata] : []))
    members.put({ ...pod, member: { ...member, hasOwnAccount: true } })
    await reconcile()
    expect(accounts()).toEqual([])
    config = configOf({ companions: {}, floor: { ownServiceAccounts: ['team'] } })
    await reconcile()
    expect(accounts()).toMatchObject([
      { name: 'outrigger-deployment-a', ownerReferences: [{ uid: 'deployment' }] },
    ])
    const name = 'outrigger-deployment-a'
    api.put(`/api/v1/namespaces/team/serviceaccounts/${name}`, { metadata: { name } })
    await reconcile()
    expect(foreign.get(KEY)).toEqual([`ServiceAccount team/${name}`])
    members.put({ ...pod, member: { ...member, hasOwnAccount: true, isEnding: true } })
    await reconcile()
    expect([accounts().length, foreign.get(KEY)]).toEqual([1, undefined])
  })

  const statefulPod = (name: string, uid: string, isEnding: boolean) => {
    const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'a', uid }
    return { namespace: 'team', name, member: { ...member, name, owner, isEnding } }
  }

  test.each<[string, (isEnding: boolean) => SeenPod]>([
    ['ReplicaSet', (isEnding) => ({ ...pod, member: { ...member, isEnding } })],
    ['StatefulSet', (isEnding) => statefulPod(pod.name, 'old', isEnding)],
  ])('of a %s, all of whose pods end, is not given again what is gone', async (_kind, podOf) => {
    members.put(podOf(false))
    await reconcile()
    members.put(podOf(true))
    api.objects.delete(POLICY)
    await reconcile()
    expect(api.objects.has(POLICY)).toBe(false)
    // What still stands is held to what it says, for as long as they run.
    const before = objectAt(api.objects.get(SERVICE), 'spec')
    api.objects.set(SERVICE, withAt(api.objects.get(SERVICE) ?? {}, ['spec', 'selector'], {}))
    await reconcile()
    expect(objectAt(api.objects.get(SERVICE), 'spec')).toEqual(before)
    expect(ours()).toHaveLength(2)
  })

  test('is owned by what controls the pods that stay, not by that of those that end', async () => {
    members.remove(pod)
    members.put(statefulPod('a-0', 'new', false))
    for (const name of ['a-1', 'a-2', 'a-3']) members.put(statefulPod(name, 'old', true))
    await reconcile()
    expect(at(api.objects.get(POLICY), 'metadata', 'ownerReferences')).toMatchObject([
      { uid: 'new' },
    ])
  })

  test('has what is somebody else’s beside it left alone', async () => {
    const theirs = {
      kind: 'Service',
      metadata: { name: 'outrigger-deployment-a', labels: { a: 'b' } },
      spec: {},
    }
    api.put(SERVICE, theirs)
    const before = api.objects.get(SERVICE)
    await reconcile()
    expect(api.objects.get(SERVICE)).toBe(before)
    expect(foreign.size).toBe(1)
    expect(api.events.map(({ reason }) => reason)).toContain('CompanionTaken')
    api.objects.delete(SERVICE)
    await reconcile()
    expect(foreign.size).toBe(0)
    expect(api.objects.has(SERVICE)).toBe(true)
  })

  const open = (name: string, app: string): OtherPolicy => {
    const selector = { matchLabels: { app } }
    const spec = { podSelector: selector, policyTypes: ['Egress'], egress: [{}] }
    return { name, selector, spec }
  }

  test('that a policy of somebody else’s opens is told so, and counted until that is gone', async () => {
    members.put({ ...pod, member: { ...member, labels: { app: 'a' } } })
    others = [open('theirs', 'a'), open('elsewhere', 'b')]
    await reconcile()
    expect([...opened]).toEqual([[KEY, ['NetworkPolicy team/theirs']]])
    const told = api.events.find(({ reason }) => reason === 'PolicyOpens')
    expect(told).toMatchObject({
      involvedObject: { kind: 'Deployment', name: 'a' },
      message: expect.stringMatching(/^NetworkPolicy theirs, .* opens egress /),
    })
    others = [{ ...open('huge', 'a'), spec: undefined }]
    await reconcile()
    expect([...opened]).toEqual([[KEY, ['NetworkPolicy team/huge']]])
    others = []
    await reconcile()
    expect(opened.size).toBe(0)
  })

  test('that many of them open is told of some', async () => {
    members.put({ ...pod, member: { ...member, labels: { app: 'a' } } })
    others = Array.from({ length: 200 }, (_, at) => open(`x${at}`, 'a'))
    await reconcile()
    expect(api.events.filter(({ reason }) => reason === 'PolicyOpens')).toHaveLength(5)
  })

  test.each<[string, () => void]>([
    ['has no pods any more', () => members.remove(pod)],
    [
      'has gone with its namespace',
      () => {
        namespace = undefined
      },
    ],
  ])('that %s is in nobody’s way any more', async (_name, go) => {
    api.put(SERVICE, { kind: 'Service', metadata: { name: 'outrigger-deployment-a' }, spec: {} })
    await reconcile()
    expect([...foreign]).toEqual([[KEY, ['Service team/outrigger-deployment-a']]])
    go()
    await reconcile()
    expect([...foreign]).toEqual([])
  })

  test('not all of whose pods are known has what is missing made, and what stands left', async () => {
    await reconcile()
    const drifted = withAt(api.objects.get(POLICY) ?? {}, ['spec', 'egress'], [])
    api.objects.set(POLICY, drifted)
    api.objects.delete(SERVICE)
    isPartial = true
    await reconcile()
    expect(api.objects.get(POLICY)).toBe(drifted)
    expect(api.objects.has(SERVICE)).toBe(true)
    isPartial = false
    await reconcile()
    expect(api.objects.get(POLICY)).not.toEqual(drifted)
  })

  test('not all known, its namespace’s own policy is put right all the same', async () => {
    await reconcile('team/')
    const right = objectAt(api.objects.get(DEFAULT), 'spec')
    api.objects.set(DEFAULT, withAt(api.objects.get(DEFAULT) ?? {}, ['spec', 'egress'], [{}]))
    isPartial = true
    await reconcile('team/')
    expect(objectAt(api.objects.get(DEFAULT), 'spec')).toEqual(right)
  })

  test.each<[string, Partial<Needs>]>([
    ['its sidecar asks it for keys', { asksApiServer: true }],
    ['its server has declared it', { egress: ['kubernetes.default.svc:443'] }],
  ])(
    'is left as it stands while nobody knows the API server’s addresses: %s',
    async (_name, more) => {
      const needs = { ...NO_NEEDS, ...more }
      members.put({ ...pod, member: { ...member, needs } })
      apiServer = [{ address: '10.0.0.1', port: 6443 }]
      await reconcile()
      const before = objectAt(api.objects.get(POLICY), 'spec')
      expect(JSON.stringify(before)).toContain('10.0.0.1/32')
      apiServer = []
      await expect(reconcile()).rejects.toThrow('not known yet')
      expect(objectAt(api.objects.get(POLICY), 'spec')).toEqual(before)
      members.put({ ...pod, member: { ...member, needs: NO_NEEDS } })
      await reconcile()
      expect(objectAt(api.objects.get(POLICY), 'spec')).not.toEqual(before)
    },
  )

  test('does not take over what somebody makes between the look and the write', async () => {
    api.meanwhile = (path) => {
      if (path === POLICY)
        api.put(POLICY, { kind: 'NetworkPolicy', metadata: {}, spec: { mine: true } })
    }
    await expect(reconcile()).rejects.toThrow(Refusal)
    expect(api.objects.get(POLICY)).toMatchObject({ spec: { mine: true } })
  })

  test('does not write onto another object that has taken the place of ours meanwhile', async () => {
    await reconcile()
    api.objects.set(POLICY, withAt(api.objects.get(POLICY) ?? {}, ['spec', 'egress'], [{}]))
    api.meanwhile = (path) => {
      if (path === POLICY)
        api.put(POLICY, { kind: 'NetworkPolicy', metadata: {}, spec: { mine: true } })
    }
    await expect(reconcile()).rejects.toThrow(Refusal)
    expect(api.objects.get(POLICY)).toMatchObject({ spec: { mine: true } })
  })

  test.each<[string, readonly [string, ...string[]], JsonObject | readonly JsonObject[]]>([
    ['a rule more', ['spec', 'egress'], [{}]],
    ['no rules', ['spec', 'ingress'], []],
    ['another selector', ['spec', 'podSelector'], {}],
    ['no labels', ['metadata', 'labels'], {}],
    ['no owner', ['metadata', 'ownerReferences'], []],
  ])('is put right after drift: %s', async (_name, path, value) => {
    await reconcile()
    const right = objectAt(api.objects.get(POLICY), 'spec')
    const metadata = objectAt(api.objects.get(POLICY), 'metadata')
    api.objects.set(POLICY, withAt(api.objects.get(POLICY) ?? {}, path, value))
    await reconcile()
    expect(api.objects.get(POLICY)).toMatchObject({ spec: right, metadata })
  })

  test('without pods keeps its companions for a while, then loses them', async () => {
    await reconcile()
    members.remove(pod)
    await reconcile()
    nowMs = 999
    await reconcile()
    expect(ours()).toHaveLength(3)
    nowMs = 1000
    isPartial = true
    await reconcile()
    expect(ours()).toHaveLength(3)
    isPartial = false
    await reconcile()
    expect(ours()).toEqual([])
  })

  test('without pods leaves a copy that somebody has made of a companion under another name', async () => {
    const copy = POLICY.replace('outrigger-deployment-a', 'mine')
    await reconcile()
    api.put(copy, withAt(api.objects.get(POLICY) ?? {}, ['metadata', 'name'], 'mine'))
    config = configOf({})
    await reconcile()
    expect(ours()).toEqual([copy])
  })

  test('that has had pods again meanwhile begins to count anew', async () => {
    await reconcile()
    members.remove(pod)
    await reconcile()
    nowMs = 900
    members.put(pod)
    await reconcile()
    members.remove(pod)
    nowMs = 1800
    await reconcile()
    expect(ours()).toHaveLength(3)
  })

  test('loses them at once where companions are switched off, or its namespace is the system’s', async () => {
    await reconcile()
    config = configOf({})
    await reconcile()
    expect(ours()).toEqual([])
    config = configOf({ companions: {}, systemNamespaces: ['team'] })
    await reconcile()
    expect(ours()).toEqual([])
  })

  test('of a namespace that nobody knows is left alone', async () => {
    namespace = undefined
    await reconcile()
    expect(api.asked).toEqual([])
  })

  test.each<[string, Namespace['labels'], boolean, boolean]>([
    ['opts in', { 'outrigger.dev/injection': 'enabled' }, false, true],
    ['has a pod', {}, true, true],
    ['has neither', {}, false, false],
  ])('the namespace %s', async (_name, labels, hasPod, isThere) => {
    api.put(DEFAULT, {
      kind: 'NetworkPolicy',
      metadata: {
        name: 'outrigger-default',
        namespace: 'team',
        labels: { 'app.kubernetes.io/managed-by': 'outrigger' },
      },
    })
    namespace = { name: 'team', labels, annotations: {} }
    if (!hasPod) members.remove(pod)
    await reconcile('team/')
    expect(api.objects.has(DEFAULT)).toBe(isThere)
    if (isThere) expect(at(api.objects.get(DEFAULT), 'spec', 'ingress')).toEqual([])
  })

  test('an Event is told once an hour, and none stops the work', async () => {
    await reconcile()
    nowMs = 3_599_999
    await reconcile()
    expect(api.events).toHaveLength(2)
    nowMs = 3_600_000
    await reconcile()
    expect(api.events).toHaveLength(4)
  })
})
