import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import type { GuardedPods } from '../../../../webhook/cluster/guarded-pods.ts'
import { GuardedLooks } from '../../../../webhook/validation/guarded.ts'

const never = (): Promise<unknown> => new Promise(() => undefined)

const podOf = (server: string, more: Readonly<Record<string, string>> = {}): JsonObject => ({
  metadata: {
    labels: { 'outrigger.dev/injected': 'true', 'outrigger.dev/server': server, ...more },
  },
})
const selectorOf = (server: string): JsonObject => ({
  matchLabels: { 'outrigger.dev/injected': 'true', 'outrigger.dev/server': server },
})
const policyOf = (server: string, name: string, ingress: readonly JsonObject[]): JsonObject => ({
  metadata: { name, labels: { 'outrigger.dev/server': server } },
  spec: { podSelector: selectorOf(server), ingress: [...ingress] },
})

const guardedBy = (
  pods: readonly JsonObject[],
  policies: readonly JsonObject[] = [],
): GuardedPods => ({
  turn: () => Promise.resolve(() => undefined),
  pods: async function* () {
    yield* pods
  },
  policies: async function* () {
    yield* policies
  },
})

const look = (guarded: GuardedPods, sleep = never) => new GuardedLooks(guarded).at('team', sleep)

test('pods are told apart by workload and labels, each with the policy of its own name', async () => {
  const over = { ...podOf('web', { app: 'gone' }), status: { phase: 'Succeeded' } }
  const pods = [podOf('web', { app: 'web' }), podOf('web', { app: 'web' }), podOf('db'), over]
  const policies = [
    policyOf('web', 'outrigger-web', [{}]),
    policyOf('web', 'copy', [{}, {}]),
    policyOf('idle', 'outrigger-idle', []),
    {
      ...policyOf('elsewhere', 'outrigger-elsewhere', [{}]),
      spec: { podSelector: { matchLabels: { app: 'x' } }, ingress: [{}] },
    },
    { metadata: { name: 'outrigger-default' }, spec: {} },
  ]
  const found = await look(guardedBy(pods, policies))
  const server = (name: string, more = {}) => ({
    'outrigger.dev/injected': 'true',
    'outrigger.dev/server': name,
    ...more,
  })
  const own = (name: string, ingress: readonly JsonObject[]) => ({
    podSelector: selectorOf(name),
    ingress,
  })
  expect(found).toEqual([
    { server: 'web', pods: [server('web', { app: 'web' })], spec: own('web', [{}]) },
    { server: 'db', pods: [server('db')], spec: undefined },
    { server: 'idle', pods: [], spec: own('idle', []) },
  ])
})

test.each<[string, GuardedPods, string]>([
  [
    'there are too many',
    guardedBy(Array.from({ length: 2001 }, () => podOf('web'))),
    'there are more than 2000 injected pods and policies in it',
  ],
  [
    'they say too much',
    guardedBy(
      Array.from({ length: 50 }, (_, index) => podOf('web', { a: 'x'.repeat(100_000) + index })),
    ),
    'more in them than is compared',
  ],
  [
    'the API server refuses',
    {
      ...guardedBy([]),
      policies: () => {
        throw new Error('forbidden')
      },
    },
    'forbidden',
  ],
])('where %s it is said why', async (_name, guarded, why) => {
  expect(await look(guarded)).toContain(why)
})

test('whoever waits too long is told so, and nothing more is read', async () => {
  const signals: AbortSignal[] = []
  const slow: GuardedPods = {
    ...guardedBy([]),
    policies: async function* (_namespace, signal) {
      signals.push(signal)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      yield {}
    },
  }
  expect(await look(slow, () => Promise.resolve())).toContain('it takes too long')
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
})

test('whoever looks holds a turn until he has seen all', async () => {
  const told: string[] = []
  const seen = guardedBy([podOf('web')])
  await look({
    turn: async (namespace) => {
      told.push(`${namespace} begins`)
      return () => void told.push(`${namespace} ends`)
    },
    pods: async function* (namespace, signal) {
      yield* seen.pods(namespace, signal)
      told.push('pods')
    },
    policies: async function* (namespace, signal) {
      yield* seen.policies(namespace, signal)
      told.push('policies')
    },
  })
  expect(told).toEqual(['team begins', 'policies', 'pods', 'team ends'])
})

describe('a crowd of one namespace', () => {
  /** Turns that are given by hand. */
  const byHand = (): { guarded: GuardedPods; begun: (() => void)[]; looks: string[] } => {
    const begun: (() => void)[] = []
    const looks: string[] = []
    const guarded: GuardedPods = {
      ...guardedBy([]),
      turn: (namespace, signal) =>
        new Promise((resolve, reject) => {
          begun.push(() => resolve(() => undefined))
          signal.addEventListener('abort', () => reject(new Error(`${namespace} left`)))
        }),
      policies: async function* (namespace) {
        looks.push(namespace)
        yield policyOf(`web-${looks.length}`, `outrigger-web-${looks.length}`, [])
      },
    }
    return { guarded, begun, looks }
  }
  const server = (found: unknown): unknown => Array.isArray(found) && found.map((one) => one.server)

  test('has one look at it, and whoever comes after its beginning has the next', async () => {
    const { guarded, begun, looks } = byHand()
    const all = new GuardedLooks(guarded)
    const crowd = Array.from({ length: 100 }, () => all.at('team', never))
    const other = all.at('other', never)
    expect(begun).toHaveLength(2)
    begun[0]?.()
    expect((await Promise.all(crowd)).map(server)).toEqual(
      Array.from({ length: 100 }, () => ['web-1']),
    )
    const later = all.at('team', never)
    expect(begun).toHaveLength(3)
    begun[1]?.()
    begun[2]?.()
    expect([server(await other), server(await later)]).toEqual([['web-2'], ['web-3']])
    expect(looks).toEqual(['team', 'other', 'team'])
  })

  test('loses those who have waited too long, and nothing is read for them alone', async () => {
    const { guarded, begun, looks } = byHand()
    const all = new GuardedLooks(guarded)
    const left = [all.at('team', () => Promise.resolve()), all.at('team', () => Promise.resolve())]
    const stays = all.at('team', never)
    expect(await Promise.all(left)).toEqual(Array(2).fill(expect.stringContaining('too long')))
    begun[0]?.()
    expect(server(await stays)).toEqual(['web-1'])
    expect(await all.at('team', () => Promise.resolve())).toContain('too long')
    begun[1]?.()
    const again = all.at('team', never)
    begun[2]?.()
    expect(server(await again)).toEqual(['web-2'])
    expect(looks).toEqual(['team', 'team'])
  })
})
