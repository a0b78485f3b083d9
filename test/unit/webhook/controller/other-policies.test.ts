import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { openedFor } from '../../../../webhook/companions/other-policy.ts'
import {
  MAX_NAMESPACE_BYTES,
  MAX_NAMESPACE_POLICIES,
  MAX_POLICIES,
  OtherPolicies,
  seenPolicy,
} from '../../../../webhook/controller/other-policies.ts'

const policy = (
  namespace: string,
  name: string,
  spec: JsonObject = {},
  labels: JsonObject = {},
): JsonObject => ({ metadata: { namespace, name, labels }, spec })
const OURS = {
  'app.kubernetes.io/managed-by': 'outrigger',
  'outrigger.dev/server': 'deployment-a',
}

describe('policies of others', () => {
  const put = (policies: OtherPolicies, ...objects: readonly JsonObject[]): void => {
    for (const object of objects) policies.put(seenPolicy(object))
  }
  const compared = (policies: OtherPolicies, namespace: string): number =>
    policies
      .of(namespace)
      .filter(({ selector, spec }) => spec !== undefined || Object.keys(selector).length > 0).length
  const namesOf = (policies: OtherPolicies, namespace: string): readonly string[] =>
    policies.of(namespace).map(({ name }) => name)

  test('are found by namespace, as they are by now', () => {
    const policies = new OtherPolicies()
    const podSelector = { matchLabels: { app: 'a' } }
    put(policies, policy('a', 'x'), policy('b', 'y'), policy('a', 'x', { podSelector }))
    expect(policies.of('a')).toEqual([{ name: 'x', selector: podSelector, spec: { podSelector } }])
    policies.remove({ namespace: 'a', name: 'x' })
    expect([namesOf(policies, 'a'), namesOf(policies, 'b')]).toEqual([[], ['y']])
  })

  test.each<[string, string, JsonObject, readonly string[]]>([
    ['are not ours', 'outrigger-deployment-a', OURS, []],
    ['are what has our name alone', 'outrigger-deployment-a', {}, ['outrigger-deployment-a']],
    ['are a copy of ours', 'mine', OURS, ['mine']],
    [
      'are our label’s alone',
      'outrigger-x',
      { ...OURS, 'outrigger.dev/server': 'y' },
      ['outrigger-x'],
    ],
  ])('%s', (_name, name, labels, expected) => {
    const policies = new OtherPolicies()
    put(policies, policy('a', name))
    put(policies, policy('a', name, {}, labels))
    expect(namesOf(policies, 'a')).toEqual(expected)
  })

  test('which say more than is compared are known by whom they select, or as about everybody', () => {
    const policies = new OtherPolicies()
    const egress = [{ to: [{ ipBlock: { cidr: 'x'.repeat(20_000) } }] }]
    const podSelector = { matchLabels: { app: 'a' } }
    const huge = { matchLabels: { app: 'x'.repeat(20_000) } }
    put(policies, policy('a', 'x', { podSelector, egress }))
    put(policies, policy('a', 'y', { podSelector: huge }))
    expect(policies.of('a')).toEqual([
      { name: 'x', selector: podSelector, spec: undefined },
      { name: 'y', selector: {}, spec: undefined },
    ])
  })

  test('of one namespace take so much room, and leave others theirs', () => {
    const policies = new OtherPolicies()
    for (let at = 0; at <= MAX_NAMESPACE_POLICIES; at++) put(policies, policy('loud', `x${at}`))
    put(policies, policy('quiet', 'y'))
    expect(compared(policies, 'loud')).toBe(MAX_NAMESPACE_POLICIES)
    expect([namesOf(policies, 'quiet'), policies.leftOut]).toEqual([['y'], 1])
    const long = { podSelector: { matchLabels: { app: 'x'.repeat(10_000) } } }
    for (let at = 0; at < 60; at++) put(policies, policy('long', `x${at}`, long))
    const found = compared(policies, 'long')
    expect(found * 10_000).toBeLessThan(MAX_NAMESPACE_BYTES)
    expect(policies.leftOut).toBe(1 + 60 - found)
    // Whoever goes makes room.
    policies.remove({ namespace: 'long', name: 'x0' })
    put(policies, policy('long', 'x59', long))
    expect(compared(policies, 'long')).toBe(found)
  })

  test('that have no room are taken to open what they may be about, until they are gone', () => {
    const policies = new OtherPolicies()
    const podSelector = { matchLabels: { app: 'nobody' } }
    for (let at = 0; at < MAX_NAMESPACE_POLICIES; at++)
      put(policies, policy('a', `harmless${at}`, { podSelector }))
    put(policies, policy('a', 'opens', { egress: [{}] }))
    const opened = () =>
      openedFor([{ app: 'a' }], policies.of('a'), { ours: {}, namespace: 'a' }).map(
        ({ name }) => name,
      )
    expect(opened()).toEqual(['opens'])
    policies.remove({ namespace: 'a', name: 'opens' })
    expect([opened(), policies.leftOut]).toEqual([[], 0])
    for (let at = 0; at < 50_000; at++) put(policies, policy('a', `more${at}`))
    put(policies, policy('b', 'own'))
    for (let at = 0; at < MAX_NAMESPACE_POLICIES; at++) put(policies, policy('b', `more${at}`))
    expect(opened()).toHaveLength(MAX_NAMESPACE_POLICIES)
    expect(policies.leftOut).toBeLessThan(MAX_POLICIES)
    expect(namesOf(policies, 'b')).toHaveLength(MAX_NAMESPACE_POLICIES + 1)
  })
})
