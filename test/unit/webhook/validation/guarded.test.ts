import { expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import type { GuardedPods } from '../../../../webhook/cluster/guarded-pods.ts'
import { lookAtGuarded } from '../../../../webhook/validation/guarded.ts'

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

const look = (guarded: GuardedPods | undefined, sleep = never) =>
  lookAtGuarded('team', { guarded, sleep })

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

test.each<[string, GuardedPods | undefined, string]>([
  ['nobody can read them', undefined, 'nobody can list its pods here'],
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
