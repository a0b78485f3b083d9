// Who is let go, and when, against an API server in memory.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { at } from '../../../../shared/json.ts'
import type { ClusterConfig } from '../../../../webhook/cluster/config.ts'
import type { OtherPolicy } from '../../../../webhook/companions/other-policy.ts'
import type { Member } from '../../../../webhook/companions/member.ts'
import { Members } from '../../../../webhook/controller/members.ts'
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

describe('a workload whose pods wait', () => {
  let api: FakeApi
  let members: Members
  let config: ClusterConfig
  let nowMs: number
  let level: Readonly<Record<string, string>>
  let others: readonly OtherPolicy[]
  let reconciler: Reconciler
  const POD = '/api/v1/namespaces/team/pods/a-5f-x pod'
  const waits = (more: Partial<Member> = {}) =>
    members.put({ ...pod, member: { ...member, isGated: true, ...more } })
  const TAKEN = { kind: 'NetworkPolicy', metadata: { name: 'outrigger-deployment-a' }, spec: {} }

  beforeEach(() => {
    api = new FakeApi()
    api.objects.set(SET, REPLICA_SET)
    members = new Members()
    members.put(pod)
    config = configOf({ companions: { gate: true } })
    nowMs = 0
    level = {}
    others = []
    reconciler = reconcilerOver({
      api,
      members,
      now: () => nowMs,
      config: () => config,
      namespace: () => ({ name: 'team', labels: level, annotations: {} }),
      isPartial: () => false,
      apiServer: () => [],
      otherPolicies: () => others,
      foreign: new Map(),
      opened: new Map(),
    })
  })
  const reconcile = (): Promise<unknown> => reconciler.reconcile(KEY, new AbortController().signal)

  test('has them let go once its policy is written, and those that come later', async () => {
    waits()
    api.meanwhile = (path) => {
      if (path === POLICY) expect(api.letGo).toEqual([])
    }
    await reconcile()
    expect(api.asked.indexOf(`PATCH ${POLICY}`)).toBeLessThan(
      api.asked.indexOf('PATCH /api/v1/namespaces/team/pods/a-5f-x'),
    )
    expect(api.letGo).toEqual([POD])
    // Until its watch says that it has none any more.
    await reconcile()
    expect(api.letGo).toEqual([POD, POD])
  })

  test('has them held while its policy cannot be written', async () => {
    waits()
    api.meanwhile = (path) => {
      if (path === POLICY) throw new Error('no answer')
    }
    await expect(reconcile()).rejects.toThrow('no answer')
    expect(api.letGo).toEqual([])
  })

  test('has them let go though its Services cannot be written', async () => {
    waits()
    api.meanwhile = (path) => {
      if (path === SERVICE) throw new Error('a quota')
    }
    await expect(reconcile()).rejects.toThrow('a quota')
    expect(api.letGo).toEqual([POD])
  })

  const waitsToo = (name: string, more: Partial<Member> = {}) =>
    members.put({ ...pod, name, member: { ...member, name, isGated: true, ...more } })
  const podPath = (name: string): string => `/api/v1/namespaces/team/pods/${name}`
  const REFUSED = new Refusal(403, 'refused')
  const held = (): readonly unknown[] =>
    api.events.flatMap(({ reason, message }) => (reason === 'PodsHeld' ? [message] : []))

  test('has the others let go where one may not be changed, and all else put right', async () => {
    for (const name of ['p', 'q', 'r', 's']) waitsToo(name)
    api.refused.set(podPath('p'), REFUSED)
    api.refused.set(podPath('r'), new Refusal(422, 'invalid'))
    await expect(reconcile()).rejects.toBe(REFUSED)
    expect(api.letGo).toEqual([`${podPath('q')} pod`, `${podPath('s')} pod`])
    expect(api.objects.has(SERVICE)).toBe(true)
    expect(held()).toEqual([expect.stringMatching(/refuses to have their gate taken off/)])
  })

  test('has no more of them asked for by an API server that has too much to do', async () => {
    for (const name of ['p', 'q']) waitsToo(name)
    api.refused.set(podPath('p'), new Refusal(429, 'later'))
    await expect(reconcile()).rejects.toThrow(Refusal)
    expect(api.letGo).toEqual([])
    expect(held()).toEqual([])
  })

  test('has them held while its policy is refused, and is told', async () => {
    waits()
    api.refused.set(POLICY, REFUSED)
    await expect(reconcile()).rejects.toBe(REFUSED)
    expect([api.letGo, api.objects.has(SERVICE)]).toEqual([[], false])
    expect(held()).toEqual([expect.stringMatching(/refuses their NetworkPolicy/)])
  })

  describe('beside a policy of somebody else’s', () => {
    const STRICT = { 'outrigger.dev/enforce': 'strict' }
    const OPEN: OtherPolicy = {
      name: 'open',
      selector: { matchLabels: { app: 'web' } },
      spec: { policyTypes: ['Egress'], egress: [{}] },
    }
    const UNREADABLE: OtherPolicy = { ...OPEN, selector: {}, spec: undefined }
    const NARROW = { ...OPEN, spec: { policyTypes: ['Egress'], egress: [] } }
    const WEB = { app: 'web' }

    beforeEach(() => {
      level = STRICT
      others = [OPEN]
    })

    test('has those held that it opens, and is told why, until it goes', async () => {
      waitsToo('web', { uid: 'web', labels: WEB })
      waitsToo('db', { uid: 'db', labels: { app: 'db' } })
      await reconcile()
      expect(api.letGo).toEqual([`${podPath('db')} db`])
      expect(held()).toEqual([expect.stringContaining('(rule network-policies)')])
      expect(api.events.map(({ reason }) => reason)).toContain('PolicyOpens')
      others = []
      await reconcile()
      expect(api.letGo.slice(1)).toContain(`${podPath('web')} web`)
    })

    test.each<[string, OtherPolicy, ClusterConfig, Readonly<Record<string, string>>]>([
      ['opens nothing', NARROW, configOf({ companions: { gate: true } }), STRICT],
      [
        'stands where the rule is only asked for',
        OPEN,
        configOf({ companions: { gate: true } }),
        {},
      ],
      [
        'stands where the rule has an exception',
        OPEN,
        configOf({
          companions: { gate: true },
          floor: { allowExceptions: [{ rules: ['network-policies'], namespaces: ['team'] }] },
        }),
        STRICT,
      ],
      ['stands where nobody asks for gates any more', OPEN, configOf({ companions: {} }), STRICT],
    ])('has them let go where it %s', async (_name, other, now, labels) => {
      ;[others, config, level] = [[other], now, labels]
      waits({ labels: WEB })
      await reconcile()
      expect(api.letGo).toEqual([POD])
    })

    test('has them held where nobody can tell what it opens, and by a crowd that is too much to look at', async () => {
      waits({ labels: WEB })
      others = [UNREADABLE]
      await reconcile()
      const values = Array.from({ length: 5000 }, (_, index) => `v${index}`)
      const selector = { matchExpressions: [{ key: 'app', operator: 'In', values }] }
      others = Array.from({ length: 100 }, (_, index) => ({ ...OPEN, selector, name: `p${index}` }))
      await reconcile()
      expect(api.letGo).toEqual([])
    })
  })

  describe('without room', () => {
    const LIST = `${podPath('').slice(0, -1)}?${new URLSearchParams({
      labelSelector: 'outrigger.dev/injected=true,outrigger.dev/server=deployment-a',
      fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
      limit: '2',
    }).toString()}`
    const GO = `${podPath('late')} late`
    const [LONG, FULL] = ['x'.repeat(500_000), 16]
    const fill = (): void => {
      for (let at = 0; at < FULL; at++) {
        const more = { name: `b-${at}`, server: 'deployment-b', ingressFrom: { own: LONG } }
        members.put({ ...pod, name: more.name, member: { ...member, ...more } })
      }
    }
    const comesLate = (): void => {
      waitsToo('late', { uid: 'late', ingressFrom: { own: LONG } })
      expect(members.isPartial(KEY)).toBe(true)
    }

    test('has them let go with the others, once its policy stands', async () => {
      fill()
      comesLate()
      api.put(POLICY, TAKEN)
      await reconcile()
      expect([api.letGo, held().length]).toEqual([[], 1])
      api.objects.delete(POLICY)
      await reconcile()
      expect(api.letGo).toEqual([GO])
    })

    test('has them let go where none of its pods has room, and keeps what stands', async () => {
      await reconcile()
      members.remove(pod)
      fill()
      comesLate()
      await reconcile()
      expect(api.letGo).toEqual([GO])
      nowMs = 10_000
      await reconcile()
      expect([...api.objects.keys()].filter((path) => path !== SET)).toHaveLength(3)
    })

    test('has them held where a policy of somebody else’s opens: nobody knows whom it selects of them', async () => {
      await reconcile()
      level = { 'outrigger.dev/enforce': 'strict' }
      const spec = { policyTypes: ['Egress'], egress: [{}] }
      others = [{ name: 'open', selector: { matchLabels: { app: 'db' } }, spec }]
      members.remove(pod)
      fill()
      comesLate()
      await reconcile()
      expect(api.letGo).toEqual([])
      others = []
      await reconcile()
      expect(api.letGo).toEqual([GO])
    })

    test('has a policy written by pods that there are, where none has room, and then has them let go', async () => {
      members.remove(pod)
      fill()
      comesLate()
      const labels = {
        'outrigger.dev/injected': 'true',
        'outrigger.dev/server': 'deployment-a',
      }
      const ownerReferences = [{ ...member.owner, controller: true }]
      const metadata = { namespace: 'team', name: 'late', uid: 'late', labels, ownerReferences }
      const other = { ...labels, 'outrigger.dev/server': 'other' }
      api.objects.set(LIST, {
        items: [{ metadata: { ...metadata, labels: other } }, { metadata }],
      })
      await reconcile()
      expect(api.asked.slice(0, 2)).toEqual([`PATCH ${POLICY}`, `PATCH ${podPath('late')}`])
      expect(api.letGo).toEqual([GO])
      expect(at(api.objects.get(POLICY), 'metadata', 'ownerReferences')).toMatchObject([
        { uid: 'deployment' },
      ])
    })

    test('has them held where there are none, or its policy is about another', async () => {
      members.remove(pod)
      fill()
      comesLate()
      api.put(POLICY, {
        ...TAKEN,
        metadata: {
          name: 'outrigger-deployment-a',
          namespace: 'team',
          labels: {
            'app.kubernetes.io/managed-by': 'outrigger',
            'outrigger.dev/server': 'deployment-b',
          },
        },
      })
      await reconcile()
      expect(api.letGo).toEqual([])
    })

    test('has what is gone made again before they are let go, though the others all end', async () => {
      await reconcile()
      fill()
      members.put({ ...pod, member: { ...member, isEnding: true } })
      comesLate()
      api.objects.delete(POLICY)
      const before = api.asked.length
      await reconcile()
      expect(api.asked.slice(before, before + 2)).toEqual([
        `PATCH ${POLICY}`,
        `PATCH ${podPath('late')}`,
      ])
    })
  })

  test('has them held while its policy’s name is taken, and is told', async () => {
    waits()
    api.put(POLICY, TAKEN)
    await reconcile()
    expect(api.letGo).toEqual([])
    expect(api.events.map(({ reason }) => reason)).toContain('PodsHeld')
    api.objects.delete(POLICY)
    await reconcile()
    expect(api.letGo).toEqual([POD])
  })

  test.each<[string, () => void]>([
    [
      'nobody asks for gates any more',
      () => {
        config = configOf({ companions: {} })
      },
    ],
    [
      'companions are switched off',
      () => {
        config = configOf({})
      },
    ],
    [
      'its namespace is the system’s',
      () => {
        config = configOf({ companions: {}, systemNamespaces: ['team'] })
      },
    ],
  ])('has them let go where %s', async (_name, change) => {
    waits()
    api.put(POLICY, TAKEN)
    change()
    await reconcile()
    expect(api.letGo).toEqual([POD])
  })

  test.each<[string, Partial<Member>]>([
    ['do not wait', { isGated: false }],
    ['end', { isEnding: true }],
  ])('has those left alone that %s', async (_name, more) => {
    waits(more)
    await reconcile()
    expect(api.letGo).toEqual([])
  })
})
