import { describe, expect, test } from '@jest/globals'
import {
  isManaged,
  MAX_NAMESPACE_STANDING,
  MAX_NAMESPACE_STANDING_BYTES,
  MAX_STANDING,
  MAX_STANDING_BYTES,
  standingOf,
  StandingStore,
  type Standing,
} from '../../../../webhook/controller/standing.ts'

const policy = (namespace: string, name: string, letters = 0, letter = 'x'): Standing =>
  standingOf('NetworkPolicy', {
    metadata: {
      namespace,
      name,
      uid: `u-${name}`,
      labels: {
        'app.kubernetes.io/managed-by': 'outrigger',
        'outrigger.dev/server': 'deployment-a',
      },
      ownerReferences: [{ uid: 'o' }],
    },
    spec: { ingress: [], said: letter.repeat(letters) },
  })

describe('what stands', () => {
  test('is known as it is, by its name and by its workload, until it is gone', () => {
    const store = new StandingStore()
    const one = policy('a', 'x')
    store.put(one)
    store.put(policy('a', 'y'))
    expect(store.get('a', 'x')).toEqual(one)
    expect(store.of('a/deployment-a').map(({ name }) => name)).toEqual(['x', 'y'])
    store.remove(one)
    store.remove(policy('a', 'y'))
    expect([store.size, store.keys(), store.of('a/deployment-a')]).toEqual([0, [], []])
  })

  test('policies of megabytes are kept by name alone, and leave others room', () => {
    const store = new StandingStore()
    const large = 400_000
    for (let at = 0; at < 100; at++) store.put(policy('loud', `p${at}`, large))
    store.put(policy('quiet', 'p'))
    expect(store.get('quiet', 'p')).toEqual(policy('quiet', 'p'))
    const whole = store.of('loud/deployment-a').filter(isManaged)
    expect(whole).toHaveLength(Math.floor(MAX_NAMESPACE_STANDING_BYTES / large))
    expect(store.get('loud', 'p99')).toEqual({
      ...policy('loud', 'p99'),
      labels: {},
      owners: {},
      spec: {},
    })
    expect(store.leftOut).toBe(0)
    for (let at = 0; at < 100; at++) store.remove(policy('loud', `p${at}`))
    store.put(policy('loud', 'p', large))
    expect(store.get('loud', 'p')).toEqual(policy('loud', 'p', large))
  })

  test('whose letters take two bytes has room for half as many', () => {
    const store = new StandingStore()
    const [few, many] = [policy('a', 'x', 490_000, '€'), policy('b', 'x', 510_000, '€')]
    for (const one of [few, many]) store.put(one)
    expect(store.get('a', 'x')).toEqual(few)
    expect(store.get('b', 'x')).toEqual({ ...many, labels: {}, owners: {}, spec: {} })
  })

  test('in one namespace leaves others room, however much it is', () => {
    const store = new StandingStore()
    for (let at = 0; at <= MAX_STANDING; at++) store.put(policy('loud', `p${at}`))
    store.put(policy('quiet', 'p'))
    expect(store.get('quiet', 'p')).toEqual(policy('quiet', 'p'))
    expect(store.size).toBe(MAX_NAMESPACE_STANDING + 1)
  })

  test('of all namespaces together takes so much room', () => {
    const store = new StandingStore()
    const large = 900_000
    for (let at = 0; at < 30; at++) store.put(policy(`n${at}`, 'p', large))
    const whole = Array.from({ length: 30 }, (_, at) => store.get(`n${at}`, 'p')).filter(
      (standing) => standing && isManaged(standing),
    )
    expect(whole).toHaveLength(Math.floor(MAX_STANDING_BYTES / (large + 200)))
  })

  test('is so much at most', () => {
    const store = new StandingStore()
    for (let at = 0; at <= MAX_STANDING; at++) store.put(policy(`n${at % 100}`, `p${at}`))
    expect([store.size, store.leftOut]).toEqual([MAX_STANDING, 1])
  })
})
