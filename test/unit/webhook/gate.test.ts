// Pods of strict namespaces wait for their policy, where the platform team says so.

import { describe, expect, test } from '@jest/globals'
import { withAt, type JsonObject } from '../../../shared/json.ts'
import type { ClusterConfig } from '../../../webhook/cluster/config.ts'
import type { Namespace } from '../../../webhook/cluster/namespace.ts'
import { isGated, POLICY_GATE } from '../../../webhook/inject/gate.ts'
import { render } from '../../../webhook/inject/render.ts'
import { readStatus } from '../../../webhook/inject/status.ts'
import { differences } from '../../../webhook/validation/own-parts.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const configOf = (companions: JsonObject | undefined, enforce = 'baseline'): ClusterConfig =>
  clusterConfig({
    sidecar: { image: 'x' },
    settings: { auth: 'none' },
    floor: { allowAnonymous: true, allowAdvisoryEgress: true, enforce },
    ...(companions ? { companions } : {}),
  })
const HOLDS = configOf({ gate: true })
const namespaceOf = (labels: Namespace['labels'] = {}): Namespace => ({
  name: 'team',
  labels,
  annotations: {},
})
const STRICT = namespaceOf({ 'outrigger.dev/enforce': 'strict' })

const podWith = (spec: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', namespace: 'team', annotations: { 'outrigger.dev/inject': 'true' } },
  spec: { containers: [{ name: 'c', image: 'i', command: ['serve'] }], ...spec },
})
const OURS = { name: POLICY_GATE }
const THEIRS = { name: 'example.com/theirs' }

const injected = (pod: JsonObject, namespace = STRICT, config = HOLDS) => {
  const outcome = render(pod, namespace, config)
  if (outcome.kind !== 'inject') throw new Error(JSON.stringify(outcome))
  return outcome
}

describe('a pod', () => {
  test.each<[string, Namespace, ClusterConfig, boolean]>([
    ['in strict, by its namespace', STRICT, HOLDS, true],
    ['in strict, by the floor', namespaceOf(), configOf({ gate: true }, 'strict'), true],
    ['where the level is mistyped', namespaceOf({ 'outrigger.dev/enforce': 'x' }), HOLDS, true],
    ['in baseline', namespaceOf(), HOLDS, false],
    ['where nobody asks for gates', STRICT, configOf({}), false],
    ['where there are no companions', STRICT, configOf(undefined), false],
  ])('%s', (_name, namespace, config, waits) => {
    expect(isGated(injected(podWith(), namespace, config).pod)).toBe(waits)
  })

  test('keeps the gates of others, and has ours once', () => {
    const { pod } = injected(podWith({ schedulingGates: [THEIRS] }))
    expect(pod).toMatchObject({ spec: { schedulingGates: [THEIRS, OURS] } })
    expect(injected(pod).patch).toEqual([])
    expect(readStatus(pod)?.was).toMatchObject({ 'spec schedulingGates': [THEIRS] })
  })

  test('on the node’s own network is not held, since no policy is about it', () => {
    expect(isGated(injected(podWith({ hostNetwork: true })).pod)).toBe(false)
  })

  test('that names its node is denied, since no gate would hold it', () => {
    const outcome = render(podWith({ nodeName: 'n1' }), STRICT, HOLDS)
    expect(outcome).toMatchObject({
      kind: 'deny',
      violations: [{ code: 'floor', message: expect.stringContaining('spec.nodeName') }],
    })
    expect(render(podWith({ nodeName: 'n1' }), namespaceOf(), HOLDS).kind).toBe('inject')
  })

  test('whose gate another webhook has taken off is not as it was rendered', () => {
    const rendered = injected(podWith())
    const without = withAt(rendered.pod, ['spec', 'schedulingGates'], undefined)
    const found = differences(without, rendered, HOLDS.floor)
    expect(found).toEqual([
      { rule: 'sidecar', where: 'pod', found: 'schedulingGates not as Outrigger renders it' },
    ])
    const other = withAt(rendered.pod, ['spec', 'schedulingGates'], [OURS, THEIRS])
    expect(differences(other, rendered, HOLDS.floor)).toEqual([])
  })
})
