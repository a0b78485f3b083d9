import { describe, expect, test } from '@jest/globals'
import { rangeOf } from '../../../../shared/address.ts'
import { at } from '../../../../shared/json.ts'
import { declared, NOT_NEAR, peersOf, PUBLIC } from '../../../../webhook/companions/peers.ts'

const range = (text: string) => {
  const found = rangeOf(text)
  if (!found) throw new Error(text)
  return found
}

describe('a declared range', () => {
  test.each<readonly [string, readonly string[] | undefined]>([
    ['10.1.0.0/16', undefined],
    ['10.0.0.0/8', undefined],
    ['10.0.0.0/7', ['10.0.0.0/8']],
    ['100.64.0.0/10', ['100.100.100.200/32']],
    ['169.254.169.254/32', undefined],
    ['8.8.8.8', undefined],
    ['fd00::/8', ['fd00:42::42/128', 'fd00:ec2::/32', 'fd20:ce::/32']],
  ])('%s leaves out what it is not about', (text, except) => {
    expect(at(declared(range(text)), 'ipBlock', 'except')).toEqual(except)
  })
})

test.each([
  ['PUBLIC', PUBLIC, ['10.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '192.168.0.0/16']],
  ['NOT_NEAR', NOT_NEAR, ['169.254.0.0/16', '100.100.100.200/32', '168.63.129.16/32']],
])('%s is of both families and lets nobody at credentials', (_name, peers, except) => {
  expect(peers).toHaveLength(2)
  expect(at(peers[0], 'ipBlock', 'except')).toEqual(expect.arrayContaining(except))
  expect(at(peers[1], 'ipBlock', 'except')).not.toEqual([])
})

test('a list that names everybody beside others is everybody; an empty one is nobody', () => {
  expect(peersOf(['a', '*'])).toBeUndefined()
  expect(peersOf([])).toEqual([])
})
