import { describe, expect, test } from '@jest/globals'
import type { Member } from '../../../../webhook/companions/member.ts'
import type { Needs } from '../../../../webhook/companions/needs.ts'
import {
  MAX_MEMBERS,
  MAX_NAMESPACE_BYTES,
  Members,
  placeOf,
} from '../../../../webhook/controller/members.ts'
import { member as one } from '../../../support/reconciler.ts'

const pod = (namespace: string, name: string, said = '', more: Partial<Member> = {}) => {
  const member: Member = {
    ...one,
    namespace,
    name,
    owner: { apiVersion: 'v1', kind: 'Pod', name, uid: name },
    ingressFrom: { own: said },
    ...more,
  }
  return { namespace, name, member }
}

const OWNER: Member['owner'] = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }
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
const SHORT = Array.from({ length: 256 }, (_, at) => `a${at}.b:1`.padStart(12, 'x'))

describe('members', () => {
  test('are found by workload until they are gone, or no companion is about them any more', () => {
    const members = new Members()
    members.put(pod('a', 'x'))
    members.put(pod('a', 'y'))
    members.put(pod('a', 'x', 'again'))
    expect(members.of('a/deployment-a').map(({ name }) => name)).toEqual(['y', 'x'])
    members.put({ namespace: 'a', name: 'x', member: undefined })
    members.remove(pod('a', 'y'))
    expect([members.keys(), members.has('a')]).toEqual([[], false])
  })

  test('of one namespace take so much room, and leave others theirs', () => {
    const members = new Members()
    const long = 'x'.repeat(1_000_000)
    for (let at = 0; at < 20; at++) members.put(pod('loud', `p${at}`, long))
    members.put(pod('quiet', 'p'))
    expect(members.of('loud/deployment-a')).toHaveLength(
      Math.floor(MAX_NAMESPACE_BYTES / 1_000_000) - 1,
    )
    expect(members.of('quiet/deployment-a')).toHaveLength(1)
    expect(members.leftOut).toBe(13)
    const keys = ['loud/deployment-a', 'loud/', 'loud/deployment-b', 'quiet/deployment-a', 'quiet/']
    const partial = () => keys.filter((key) => members.isPartial(key))
    expect(partial()).toEqual(['loud/deployment-a', 'loud/'])
    for (let at = 0; at < 20; at++) members.remove(pod('loud', `p${at}`))
    expect([members.leftOut, partial()]).toEqual([0, []])
    members.put(pod('loud', 'p', long))
    expect(members.of('loud/deployment-a')).toHaveLength(1)
  })

  test.each<[string, number, Partial<Member>]>([
    // A destination of 12 letters is a text of its own, and a place in a list.
    ['short destinations', 625, { needs: { ...NO_NEEDS, egress: SHORT } }],
    ['hosts that their sidecars ask', 625, { needs: { ...NO_NEEDS, own: SHORT } }],
    ['letters of two bytes', 3, { owner: { ...OWNER, name: '€'.repeat(1_000_000) } }],
    ['nothing', 9_300, {}],
  ])('take the room that they take, not that of their letters: %s', (_name, most, more) => {
    const members = new Members()
    for (let at = 0; at <= most; at++) members.put(pod('loud', `p${at}`, '', more))
    expect(members.leftOut).toBeGreaterThan(0)
    members.put(pod('quiet', 'p', '', more))
    expect(members.of('quiet/deployment-a')).toHaveLength(1)
  })

  test('are so many at most', () => {
    const members = new Members()
    for (let at = 0; at <= MAX_MEMBERS; at++) members.put(pod(`n${at % 100}`, `p${at}`))
    // Each of a hundred leaves one share of a hundred and one.
    expect([members.count(() => true), members.leftOut]).toEqual([19_801, 200])
    expect(members.isPartial('late/deployment-b')).toBe(false)
    // Of more than are remembered nobody knows whose they are, but for their namespace.
    for (let at = 0; at <= MAX_MEMBERS; at++) members.put(pod('late', `q${at}`))
    expect(members.leftOut).toBeLessThan(MAX_MEMBERS)
    const keys = ['late/deployment-b', 'late/', 'quiet/deployment-b', 'quiet/']
    expect(keys.filter((key) => members.isPartial(key))).toEqual(['late/deployment-b', 'late/'])
  })

  test.each<[string, number, string]>([
    ['many', MAX_MEMBERS, ''],
    ['large ones', 400, 'x'.repeat(100_000)],
  ])('of the next namespace have room whatever four have taken: %s', (_name, most, said) => {
    const members = new Members()
    for (let at = 0; at < most; at++) members.put(pod(`loud${at % 4}`, `p${at}`, said))
    const before = members.leftOut
    expect(before).toBeGreaterThan(0)
    for (let at = 0; at < 30; at++) members.put(pod('quiet', `q${at}`, said))
    expect(members.of('quiet/deployment-a')).toHaveLength(30)
    // Who is there already is not sent away by whoever came later.
    members.put(pod('loud0', 'p0', said))
    expect([members.leftOut, members.of('loud0/deployment-a').at(-1)?.name]).toEqual([before, 'p0'])
  })

  describe('that have no room', () => {
    const full = (): Members => {
      const members = new Members()
      const more = { server: 'deployment-b' }
      for (let at = 0; at < 8; at++)
        members.put(pod('loud', `p${at}`, 'x'.repeat(1_000_000 - 2000), more))
      return members
    }
    const late = (name: string, more: Partial<Member> = {}) =>
      pod('loud', name, 'x'.repeat(10_000), { uid: `uid of ${name}`, ...more })

    test('and wait for their policy can be let go, and are counted, until they wait no more', () => {
      const members = full()
      members.put(pod('quiet', 'r', '', { isGated: true }))
      members.put(late('a', { isGated: true }))
      members.put(late('b', { isGated: true }))
      members.put(late('c', { isGated: true, isEnding: true }))
      members.put(late('d'))
      expect([members.leftOut, members.of('loud/deployment-a')]).toEqual([4, []])
      const placeOfPod = (name: string) => ({ namespace: 'loud', name, uid: `uid of ${name}` })
      expect(members.waiting('loud/deployment-a')).toEqual([placeOfPod('a'), placeOfPod('b')])
      expect(members.waiting('loud/deployment-b')).toEqual([])
      expect(members.held).toBe(3)
      members.put(late('a'))
      expect(members.waiting('loud/deployment-a')).toEqual([placeOfPod('b')])
      members.remove(late('b'))
      expect([members.waiting('loud/deployment-a'), members.held]).toEqual([[], 1])
    })

    test('have their workload looked at, and their namespace', () => {
      const members = full()
      members.put(late('a'))
      expect(members.keys()).toEqual(['loud/deployment-b', 'loud/deployment-a'])
      for (let at = 0; at < 8; at++) members.remove(pod('loud', `p${at}`))
      expect([members.keys(), members.has('loud')]).toEqual([['loud/deployment-a'], true])
      members.remove(late('a'))
      expect([members.keys(), members.has('loud')]).toEqual([[], false])
    })
  })
})

test('a key is a namespace and what is left', () => {
  expect([placeOf('a/b'), placeOf('a/')]).toEqual([
    ['a', 'b'],
    ['a', ''],
  ])
})
