// Accounts of servers, against an API server in memory.

import { beforeEach, describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { createLog } from '../../../../shared/log.ts'
import type { ClusterConfig } from '../../../../webhook/cluster/config.ts'
import type { Namespace } from '../../../../webhook/cluster/namespace.ts'
import { accountOf } from '../../../../webhook/companions/account.ts'
import { Accounts } from '../../../../webhook/controller/accounts.ts'
import { ownerKey } from '../../../../webhook/controller/denied-owners.ts'
import { Events } from '../../../../webhook/controller/events.ts'
import { MissingAccounts } from '../../../../webhook/controller/missing-accounts.ts'
import { Owners } from '../../../../webhook/controller/owners.ts'
import { Refusal } from '../../../../webhook/kube/reply.ts'
import { FakeApi } from '../../../support/companion-api.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'
import { REPLICA_SET, SET } from '../../../support/reconciler.ts'

const ACCOUNTS = '/api/v1/namespaces/team/serviceaccounts'
const ACCOUNT = `${ACCOUNTS}/outrigger-deployment-a`
const OWNER = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a', uid: 'deployment' }
const WHOSE = { namespace: 'team', server: 'deployment-a', owner: OWNER }
const WANTED = accountOf(WHOSE)
const signal = new AbortController().signal
const log = createLog({ level: 'error', write: () => undefined, now: () => 0 })

/** What was made, and what was told. */
const madeIn = ({ events }: FakeApi): readonly JsonObject[] =>
  events.filter(({ kind }) => kind === 'ServiceAccount')
const toldIn = ({ events }: FakeApi): readonly unknown[] =>
  events.flatMap(({ kind, message }) => (kind === 'Event' ? [message] : []))

describe('an account', () => {
  let api: FakeApi
  let nowMs: number
  let accounts: Accounts
  const keep = (isMissed = false) => accounts.keep(WHOSE, signal, isMissed)

  beforeEach(() => {
    api = new FakeApi()
    nowMs = 0
    accounts = new Accounts({ requests: api, now: () => nowMs, log })
  })

  test('is made where there is none: without rights, tokens or a name of its own choice', async () => {
    expect(await keep()).toBeUndefined()
    expect(madeIn(api)).toEqual([
      {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: {
          name: 'outrigger-deployment-a',
          namespace: 'team',
          labels: expect.objectContaining({
            'app.kubernetes.io/managed-by': 'outrigger',
            'outrigger.dev/server': 'deployment-a',
          }),
          ownerReferences: [OWNER],
        },
        automountServiceAccountToken: false,
      },
    ])
    expect(api.asked).toEqual([`POST ${ACCOUNTS}`])
  })

  test('that stands is asked for again only after a while, or where it is missed', async () => {
    api.put(ACCOUNT, WANTED)
    let asked = 0
    api.meanwhile = () => {
      asked += 1
    }
    const seen: number[] = []
    for (const [ms, isMissed] of [
      [0, false],
      [1000, false],
      [2000, true],
      [300_000, false],
    ] as const) {
      nowMs = ms
      await keep(isMissed)
      seen.push(asked)
    }
    accounts.begin()
    await keep()
    expect([...seen, asked]).toEqual([1, 1, 2, 3, 4])
    expect(madeIn(api)).toEqual([])
  })

  test.each<[string, JsonObject]>([
    [
      'is another owner’s, and will go with it',
      accountOf({ ...WHOSE, owner: { ...OWNER, uid: 'old' } }),
    ],
    [
      'is going',
      { ...WANTED, metadata: { ...Object(WANTED['metadata']), deletionTimestamp: '2026-01-01' } },
    ],
  ])('that %s is asked for each time, until it is made anew', async (_name, standing) => {
    api.put(ACCOUNT, standing)
    await keep()
    await keep()
    expect(madeIn(api)).toEqual([])
    api.objects.delete(ACCOUNT)
    await keep()
    expect(madeIn(api)).toHaveLength(1)
  })

  test.each<[string, JsonObject]>([
    ['bears no label of ours', {}],
    [
      'is another server’s',
      accountOf({ ...WHOSE, server: 'deployment-b', owner: { ...OWNER, uid: 'b' } }),
    ],
  ])('of its name that %s is told, and left alone', async (_name, standing) => {
    api.put(ACCOUNT, { metadata: {}, ...standing })
    expect(await keep()).toBe('ServiceAccount team/outrigger-deployment-a')
    expect(api.asked).toEqual([])
  })
})

describe('an Event of a missing account', () => {
  const SET_OWNER = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a-5f', uid: 'set' }
  const KEY = ownerKey({ namespace: 'team', owner: SET_OWNER })
  const TURNS = 50
  const TEMPLATE: JsonObject = { metadata: { labels: { 'pod-template-hash': '5f' } }, spec: {} }
  let api: FakeApi
  let config: ClusterConfig
  let namespaces: ReadonlyMap<string, Namespace>

  const configOf = (ownServiceAccounts: readonly string[], more: JsonObject = { companions: {} }) =>
    clusterConfig({
      sidecar: { image: 'x' },
      floor: { ownServiceAccounts: [...ownServiceAccounts] },
      ...more,
    })

  beforeEach(() => {
    api = new FakeApi()
    api.objects.set(SET, { ...REPLICA_SET, spec: { template: TEMPLATE } })
    config = configOf(['*'])
    namespaces = new Map([['team', { name: 'team', labels: {}, annotations: {} }]])
  })

  /** Runs until nothing is left to do, or something failed. */
  const heard = async (key = KEY): Promise<void> => {
    const stop = new AbortController()
    let turns = 0
    const told = { wallMs: () => 0, randomName: () => 'r', identity: 'test' }
    const events = new Events({ ...told, requests: api, log, now: () => 0 })
    const owners = new Owners(api)
    const missing = new MissingAccounts({
      log,
      now: () => 0,
      random: () => 0,
      // Whatever still waits after so many turns has nothing more to do.
      sleep: async () => {
        turns += 1
        await new Promise(setImmediate)
        if (turns >= TURNS) stop.abort()
      },
      config: () => config,
      namespaces: () => namespaces,
      requests: api,
      owners,
      events,
      accounts: new Accounts({ requests: api, now: () => 0, log }),
      follow: (asked) => ({ start: () => Promise.resolve(asked(key)), close: () => undefined }),
    })
    await missing.run(stop.signal)
  }

  test('has it made for the Deployment whose ReplicaSet tells', async () => {
    await heard()
    expect(madeIn(api)).toEqual([WANTED])
  })

  test.each<[string, () => void]>([
    ['the floor asks for none', () => void (config = configOf([]))],
    ['the floor asks for those of another namespace', () => void (config = configOf(['other']))],
    ['nobody keeps companions', () => void (config = configOf(['*'], {}))],
    [
      'the namespace is the system’s',
      () => void (config = configOf(['*'], { companions: {}, systemNamespaces: ['team'] })),
    ],
    ['there is no such namespace', () => void (namespaces = new Map())],
    ['there is no such owner', () => void api.objects.delete(SET)],
    [
      'the owner is another by now',
      () => void api.objects.set(SET, { metadata: { uid: 'other' } }),
    ],
    ['it makes no pods', () => void api.objects.set(SET, { ...REPLICA_SET, spec: {} })],
  ])('has none made where %s', async (_name, change) => {
    change()
    await heard()
    expect(madeIn(api)).toEqual([])
  })

  test('has its owner told where somebody else’s is in the way', async () => {
    api.put(ACCOUNT, { metadata: {} })
    await heard()
    expect(madeIn(api)).toEqual([])
    expect(toldIn(api)).toEqual([
      expect.stringContaining('ServiceAccount team/outrigger-deployment-a is not Outrigger'),
    ])
  })

  test('has it tried again where the API server refuses', async () => {
    api.refused.set(ACCOUNTS, new Refusal(403, 'a quota'))
    await heard()
    expect(madeIn(api)).toEqual([])
    expect(api.asked).toEqual([`POST ${ACCOUNTS}`])
  })
})
