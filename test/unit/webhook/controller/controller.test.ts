// The controller over an API server in memory: what it does while that does not say its own addresses, and when it ends.

import { setTimeout as after } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { at, isObject, type JsonObject } from '../../../../shared/json.ts'
import { createLog } from '../../../../shared/log.ts'
import type { Namespace } from '../../../../webhook/cluster/namespace.ts'
import { NamespaceStore } from '../../../../webhook/cluster/namespace-store.ts'
import { ServiceStore } from '../../../../webhook/cluster/service-store.ts'
import { Accounts } from '../../../../webhook/controller/accounts.ts'
import { Controller } from '../../../../webhook/controller/controller.ts'
import { Events } from '../../../../webhook/controller/events.ts'
import { Members, type SeenPod } from '../../../../webhook/controller/members.ts'
import { OtherPolicies } from '../../../../webhook/controller/other-policies.ts'
import { Owners } from '../../../../webhook/controller/owners.ts'
import { StandingStore } from '../../../../webhook/controller/standing.ts'
import { WorkQueue } from '../../../../webhook/controller/work-queue.ts'
import { Follower, type Store } from '../../../../webhook/kube/follower.ts'
import type { Request, Send } from '../../../../webhook/kube/reply.ts'
import { requestsBy } from '../../../../webhook/kube/requests.ts'
import { until } from '../../../support/waiting.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const POLICY = '/apis/networking.k8s.io/v1/namespaces/team/networkpolicies/outrigger-statefulset-a'

const pod: SeenPod = {
  namespace: 'team',
  name: 'a-0',
  member: {
    namespace: 'team',
    name: 'a-0',
    server: 'statefulset-a',
    owner: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'a', uid: 'set' },
    ingressFrom: {},
    mesh: undefined,
    isEnding: false,
    needs: {
      ports: [15_200],
      isTls: false,
      isEnforced: true,
      egress: [],
      own: [],
      hasReplicas: true,
      asksApiServer: true,
      around: undefined,
    },
    sidecar: 'x',
    isGated: false,
    hasOwnAccount: false,
    uid: 'pod',
    labels: {},
    ailments: [],
  },
}

const sliceOf = (...addresses: readonly string[]): JsonObject => ({
  ports: [{ port: 6443 }],
  endpoints: [{ addresses: [...addresses] }],
})

describe('a controller that leads', () => {
  /** Whose keys are kept, from when it has begun to lead. */
  let kept: readonly string[] | undefined
  /** What stands, by path. */
  let objects: Map<string, JsonObject>
  let policies: JsonObject[]
  /** Policies that were asked for, by path. */
  let read: string[]
  let onWrite: (path: string) => void
  let slice: JsonObject | 'refused' | 'silent'
  let timesAsked: number
  let nowMs: number
  /** The clock stands then. */
  let latestMs: number
  let queue: WorkQueue
  let members: Members
  let foreign: Map<string, readonly string[]>
  let controller: Controller
  let abort: AbortController
  let leading: Promise<void>

  const reply = (status: number, object: JsonObject) => ({
    status,
    body: (async function* () {
      yield Buffer.from(JSON.stringify(object))
    })(),
  })
  const answerSlice = async (signal: AbortSignal | undefined) => {
    timesAsked += 1
    if (slice === 'silent') {
      await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }))
    }
    return typeof slice === 'string' ? reply(503, {}) : reply(200, slice)
  }
  const write = ({ path, body = '{}' }: Request) => {
    const [place = ''] = path.split('?')
    const sent: unknown = JSON.parse(body)
    if (!isObject(sent)) throw new Error('no object')
    if (place === POLICY) policies.push(sent)
    onWrite(place)
    objects.set(place, sent)
    return reply(200, sent)
  }
  const send: Send = async (request, signal) => {
    if (request.method !== 'GET') return write(request)
    if (request.path.includes('/endpointslices/')) return answerSlice(signal)
    if (request.path.includes('/networkpolicies/')) read.push(request.path)
    const found = objects.get(request.path)
    return found ? reply(200, found) : reply(404, {})
  }

  const tools = {
    log: createLog({ level: 'error', write: () => undefined, now: () => 0 }),
    now: () => nowMs,
    random: () => 0,
    // The clock goes on by nothing else.
    sleep: async (ms: number) => {
      await after(1)
      nowMs = Math.min(nowMs + ms, Math.max(nowMs, latestMs))
    },
  }
  const followerOf = <T, S extends Store<T>>(resource: string, store: S, ...items: readonly T[]) =>
    new Follower<T, S>({
      ...tools,
      resource,
      empty: () => store,
      source: {
        async *list() {
          yield { items, version: '1' }
        },
        watch: (_version, _hears, signal) =>
          new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
      },
    })
  /** Until everything has been looked at so often again. */
  const looks = async (count: number): Promise<void> => {
    for (let look = 0; look < count; look++) {
      const before = timesAsked
      controller.lookSoon()
      await until(() => timesAsked > before, 'everything is looked at')
    }
    await until(() => queue.size <= 1, 'it is done')
  }
  const opened = (): readonly unknown[] => {
    const openings = policies.map((policy) => JSON.stringify(at(policy, 'spec', 'egress')))
    return openings.map((text) =>
      [...text.matchAll(/"cidr":"(10\.[\d.]+)\/32"/g)].map(([, ip]) => ip),
    )
  }

  beforeEach(async () => {
    objects = new Map()
    kept = undefined
    policies = []
    read = []
    latestMs = Number.POSITIVE_INFINITY
    onWrite = () => undefined
    slice = {}
    timesAsked = 0
    nowMs = 0
    foreign = new Map()
    queue = new WorkQueue({ ...tools, most: 10, atOnce: 1 })
    members = new Members()
    const config = clusterConfig({ sidecar: { image: 'x' }, companions: {} })
    const requests = requestsBy(send)
    const namespaces = ['team', 'other'].map((name): Namespace => ({
      name,
      labels: {},
      annotations: {},
    }))
    const wall = { wallMs: tools.now, randomName: () => 'r', identity: 'test' }
    controller = new Controller({
      ...tools,
      kube: {
        namespaces: followerOf('namespaces', new NamespaceStore(), ...namespaces),
        services: followerOf('services', new ServiceStore()),
      },
      followed: {
        pods: followerOf('pods', members, pod),
        policies: followerOf('policies', new StandingStore()),
        ownServices: followerOf('own services', new StandingStore()),
        otherPolicies: followerOf('other policies', new OtherPolicies()),
      },
      replicaKeys: {
        begin: () => {
          kept = []
        },
        keep: async ({ namespace, server, owner: { name } }) => {
          kept = [...(kept ?? ['before it led']), `${namespace} ${server} ${name}`]
        },
      },
      queue,
      config: () => config,
      reconciled: () => undefined,
      requests,
      owners: new Owners(requests),
      events: new Events({ ...tools, ...wall, requests }),
      accounts: new Accounts({ ...tools, requests }),
      counted: () => undefined,
      foreign,
      opened: new Map(),
      leftoverMs: 1000,
    })
    for (const follower of controller.followers()) await follower.start()
    abort = new AbortController()
  })
  afterEach(async () => {
    abort.abort()
    await leading
    for (const follower of controller.followers()) follower.close()
  })

  test.each<[string, JsonObject | 'refused']>([
    ['are not said', 'refused'],
    ['are none', {}],
    ['are none of its own', sliceOf()],
  ])('writes no policy that needs the API server’s addresses while these %s', async (_name, no) => {
    slice = no
    leading = controller.lead(abort.signal)
    await looks(3)
    expect(policies).toEqual([])
    slice = sliceOf('10.0.0.1')
    await until(() => policies.length > 0, 'a policy is written')
    expect(opened()).toEqual([['10.0.0.1']])
    // What was known last holds on.
    slice = no
    await looks(3)
    expect(opened()).toEqual([['10.0.0.1']])
    slice = sliceOf('10.0.0.1', '10.0.0.2')
    await until(() => policies.length > 1, 'another policy is written')
    expect(opened().slice(1)).toEqual([['10.0.0.1', '10.0.0.2']])
  })

  test('keeps the keys of workloads whose pods know each other by them', async () => {
    slice = sliceOf('10.0.0.1')
    leading = controller.lead(abort.signal)
    await until(() => kept !== undefined && kept.length > 0, 'its keys are kept')
    expect(new Set(kept)).toEqual(new Set(['team statefulset-a a']))
  })

  test('leaves everybody else their turn between two workloads, whatever little they wait for', async () => {
    slice = sliceOf('10.0.0.1')
    const names = ['b', 'c', 'd', 'e']
    for (const name of names) {
      const { member } = pod
      members.put({ ...pod, name, member: member && { ...member, name, server: name } })
    }
    let turn = 0
    const isOver = new AbortController()
    const count = (): void => {
      turn += 1
      if (!isOver.signal.aborted) setImmediate(count)
    }
    count()
    const turns: number[] = []
    onWrite = (path) => {
      if (path.includes('/networkpolicies/')) turns.push(turn)
    }
    leading = controller.lead(abort.signal)
    await until(() => turns.length === names.length + 2, 'all have a policy')
    isOver.abort()
    // Each workload's, and the namespace's own.
    expect(new Set(turns).size).toBe(turns.length)
  })

  test('looks at the workloads of a namespace in which something has changed, and at no others', async () => {
    slice = sliceOf('10.0.0.1')
    const { member } = pod
    members.put({
      ...pod,
      namespace: 'other',
      member: member && { ...member, namespace: 'other' },
    })
    // Not as long as until everything is looked at again.
    latestMs = 10_000
    leading = controller.lead(abort.signal)
    const ofOther = POLICY.replace('/team/', '/other/')
    await until(() => read.includes(ofOther) && queue.size === 0, 'everything is looked at')
    expect(read).toContain(POLICY)
    read = []
    controller.lookSoonIn('team')
    controller.lookSoonIn('team')
    latestMs = 20_000
    await until(() => read.length > 0 && queue.size === 0, 'its workload is looked at')
    expect(read).toEqual([POLICY])
  })

  test('is not ready while nothing is heard of what it follows', () => {
    leading = Promise.resolve()
    expect(controller.weakness()).toBeUndefined()
    nowMs = 600_001
    expect(controller.weakness()).toContain('nothing is heard of namespaces, services, pods')
  })

  test('looks again at a workload that somebody’s object was in the way of, and counts anew', async () => {
    slice = sliceOf('10.0.0.1')
    leading = controller.lead(abort.signal)
    await until(() => policies.length > 0, 'a policy is written')
    foreign.set('gone/deployment-b', ['Service gone/outrigger-deployment-b'])
    queue.refused = 3
    controller.lookSoon()
    await until(() => foreign.size === 0, 'it is nobody’s any more')
    expect(queue.refused).toBe(0)
  })

  test('asks for nothing more when it is told to end', async () => {
    slice = sliceOf('10.0.0.1')
    leading = controller.lead(abort.signal)
    await until(() => policies.length > 0, 'a policy is written')
    slice = 'silent'
    controller.lookSoon()
    const before = timesAsked
    await until(() => timesAsked > before, 'it asks')
    abort.abort()
    await leading
    expect(queue.size).toBe(0)
  })
})
