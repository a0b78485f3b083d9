import { describe, expect, test } from '@jest/globals'
import type { Member } from '../../../../webhook/companions/member.ts'
import type { Needs } from '../../../../webhook/companions/needs.ts'
import {
  MAX_MEMBERS,
  MAX_NAMESPACE_BYTES,
  Members,
  placeOf,
} from '../../../../webhook/controller/members.ts'

const pod = (namespace: string, name: string, said = '', more: Partial<Member> = {}) => {
  const member: Member = {
    namespace,
    name,
    server: 'deployment-a',
    owner: { apiVersion: 'v1', kind: 'Pod', name, uid: name },
    ingressFrom: { own: said },
    mesh: undefined,
    isEnding: false,
    needs: undefined,
    sidecar: 'x',
    isGated: false,
    uid: 'pod',
    labels: {},
    ailments: [],
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
    expect(members.leftOut).toBe(1)
    expect(members.isPartial('quiet/deployment-b')).toBe(false)
    // Of more than are remembered nobody knows whose they are.
    for (let at = 0; at <= MAX_MEMBERS; at++) members.put(pod('late', `q${at}`))
    expect(members.isPartial('quiet/deployment-b')).toBe(true)
  })
})

test('a key is a namespace and what is left', () => {
  expect([placeOf('a/b'), placeOf('a/')]).toEqual([
    ['a', 'b'],
    ['a', ''],
  ])
})
