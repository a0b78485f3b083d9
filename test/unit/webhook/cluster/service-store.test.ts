import { describe, expect, test } from '@jest/globals'
import {
  MAX_NAMESPACE_WEIGHT,
  MAX_WEIGHT,
  ServiceStore,
  type PlacedService,
} from '../../../../webhook/cluster/service-store.ts'

/** Weighs as much as it is told to. */
const placed = (namespace: string, name: string, weight = 1): PlacedService => ({
  namespace,
  service: {
    name,
    isHeadless: false,
    selector: {},
    ports: Array.from({ length: weight - 1 }, () => ({ port: 80, target: 80 })),
  },
})

const namesOf = (store: ServiceStore, namespace: string): readonly string[] =>
  store.of(namespace).map(({ name }) => name)

describe('the Services of a cluster', () => {
  test('are told by namespace', () => {
    const store = new ServiceStore()
    for (const each of [placed('a', 'x'), placed('a', 'y'), placed('b', 'x')]) store.put(each)
    expect(namesOf(store, 'a')).toEqual(['x', 'y'])
    expect(namesOf(store, 'b')).toEqual(['x'])
    expect(namesOf(store, 'c')).toEqual([])
  })

  test('are what was put last, and gone when they are removed', () => {
    const store = new ServiceStore()
    store.put(placed('a', 'x', 3))
    store.put(placed('a', 'x', 2))
    expect(store.of('a').map(({ ports }) => ports.length)).toEqual([1])
    store.remove(placed('a', 'x'))
    store.remove(placed('a', 'x'))
    expect(store.of('a')).toEqual([])
  })

  test('beyond what one namespace may hold are left out, and counted; others have room', () => {
    const store = new ServiceStore()
    store.put(placed('a', 'large', MAX_NAMESPACE_WEIGHT))
    store.put(placed('a', 'more'))
    store.put(placed('a', 'more'))
    store.put(placed('b', 'other'))
    expect([namesOf(store, 'a'), namesOf(store, 'b'), store.leftOut]).toEqual([
      ['large'],
      ['other'],
      1,
    ])
  })

  test('beyond what all may hold are left out, until there is room again', () => {
    const store = new ServiceStore()
    const many = MAX_WEIGHT / MAX_NAMESPACE_WEIGHT
    for (let index = 0; index < many; index += 1) {
      store.put(placed(`n${index}`, 'large', MAX_NAMESPACE_WEIGHT))
    }
    store.put(placed('late', 'x'))
    expect([namesOf(store, 'late'), store.leftOut]).toEqual([[], 1])
    store.remove(placed('n0', 'large'))
    store.put(placed('late', 'x'))
    expect([namesOf(store, 'late'), store.leftOut]).toEqual([['x'], 0])
  })

  test('that are left out and then removed count no more', () => {
    const store = new ServiceStore()
    store.put(placed('a', 'huge', MAX_NAMESPACE_WEIGHT + 1))
    store.remove(placed('a', 'huge'))
    expect(store.leftOut).toBe(0)
  })
})
