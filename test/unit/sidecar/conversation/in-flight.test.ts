// What is under way: order, and what is left after items leave, also while somebody looks.

import { describe, expect, test } from '@jest/globals'
import { InFlight } from '../../../../sidecar/conversation/in-flight.ts'

const of = (...names: readonly string[]): InFlight<string> => {
  const list = new InFlight<string>()
  for (const name of names) list.add(name)
  return list
}

describe('leaving', () => {
  test.each([
    ['the oldest', 'a', true, ['b', 'c']],
    ['one between', 'b', true, ['a', 'c']],
    ['the newest', 'c', true, ['a', 'b']],
    ['one that is not there', 'd', false, ['a', 'b', 'c']],
  ])('%s', (_name, item, wasThere, left) => {
    const list = of('a', 'b', 'c')
    expect(list.delete(item)).toBe(wasThere)
    expect([...list]).toEqual(left)
    expect(list.size).toBe(left.length)
  })

  test('twice is once', () => {
    const list = of('a')
    expect([list.delete('a'), list.delete('a'), list.size]).toEqual([true, false, 0])
  })

  test('all at once, to whoever takes them', () => {
    const list = of('a', 'b')
    expect(list.take()).toEqual(['a', 'b'])
    expect([list.size, list.take()]).toEqual([0, []])
  })
})

describe('looking', () => {
  test('finds the oldest or the newest that is wanted', () => {
    const list = of('ab', 'ac', 'b')
    const isWanted = (item: string): boolean => item.startsWith('a')
    expect([list.find(isWanted), list.findLast(isWanted)]).toEqual(['ab', 'ac'])
    expect([list.find((item) => item === 'z'), list.findLast((item) => item === 'z')]).toEqual([
      undefined,
      undefined,
    ])
  })

  test('sees each once, whatever leaves or comes meanwhile', () => {
    const list = of('a', 'b', 'c')
    const seen: string[] = []
    for (const item of list) {
      seen.push(item)
      list.delete(item)
      list.add(`${item}${item}`)
    }
    expect(seen).toEqual(['a', 'b', 'c'])
    expect([...list]).toEqual(['aa', 'bb', 'cc'])
  })
})
