import { describe, expect, test } from '@jest/globals'
import { withAt, type JsonObject } from '../../../../shared/json.ts'
import type { Namespace } from '../../../../webhook/cluster/namespace.ts'
import {
  barePod,
  deniedDeployment,
  type Around,
} from '../../../../webhook/controller/overlooked.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const SET = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a-5f', uid: 's', controller: true }
const ROOT = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a', uid: 'd' }
const ASKS = { 'outrigger.dev/inject': 'true' }

const around = (floor: JsonObject = {}, labels: Namespace['labels'] = {}): Around => {
  const systemNamespaces = ['kube-system']
  const config = clusterConfig({ sidecar: { image: 'x' }, floor, systemNamespaces })
  const namespace = (name: string) =>
    name === 'unknown' ? undefined : { name, labels, annotations: {} }
  return { config, namespace }
}
const OPTED_IN = { 'outrigger.dev/injection': 'enabled' }

const pod = (more: JsonObject = {}, spec: JsonObject = {}): JsonObject => ({
  metadata: {
    namespace: 'team',
    name: 'a-5f-x',
    uid: 'p',
    annotations: ASKS,
    ownerReferences: [SET],
    ...more,
  },
  spec: { containers: [{ name: 'c', image: 'i', command: ['serve'] }], ...spec },
  status: { phase: 'Running' },
})
const DATABASE = { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 5432 }] }] }

describe('a pod that runs without the sidecar', () => {
  test('is told to whoever its ReplicaSet is of, with the line that makes it anew', () => {
    const found = barePod(pod(), around())
    expect(found).toMatchObject({ namespace: 'team', owner: { kind: 'ReplicaSet', uid: 's' } })
    expect(found?.told(ROOT)).toEqual({
      reason: 'SidecarMissing',
      message: expect.stringMatching(/: kubectl rollout restart -n team deployment\/a$/),
    })
  })

  test('and is nobody’s is told itself, that nothing makes it anew', () => {
    const found = barePod(pod({ ownerReferences: [] }), around())
    expect(found?.owner).toEqual({ apiVersion: 'v1', kind: 'Pod', name: 'a-5f-x', uid: 'p' })
    expect(found && found.told(found.owner).message).toMatch(/: create it anew: /)
  })

  test('whose owner has a name for a shell is told no line', () => {
    const told = barePod(pod(), around())?.told({ ...ROOT, name: 'a; rm -rf /' })
    expect(told?.message).not.toContain('kubectl')
  })

  const plain = pod({ annotations: {} })
  test.each<[string, JsonObject, Around, boolean]>([
    ['asks itself', pod(), around(), true],
    ['is in a namespace that opts in', plain, around({}, OPTED_IN), true],
    ['asks for nothing', plain, around(), false],
    ['says no', pod({ annotations: { 'outrigger.dev/inject': 'false' } }), around(), false],
    ['is over', withAt(pod(), ['status', 'phase'], 'Succeeded'), around(), false],
    ['was told to end', pod({ deletionTimestamp: '2026-11-30T08:00:00Z' }), around(), false],
    ['is the system’s', pod({ namespace: 'kube-system' }), around(), false],
    ['is in a namespace that nobody knows', pod({ namespace: 'unknown' }), around(), false],
    [
      'has one',
      pod({}, { initContainers: [{ name: 'outrigger-sidecar', image: 'x' }] }),
      around(),
      false,
    ],
    [
      'is no server and left alone',
      pod({ annotations: {} }, DATABASE),
      around({ unresolvable: 'skip' }, OPTED_IN),
      false,
    ],
    [
      'is no server and would be denied',
      pod({ annotations: {} }, DATABASE),
      around({ unresolvable: 'deny' }, OPTED_IN),
      true,
    ],
  ])('that %s', (_name, object, where, isTold) => {
    expect(barePod(object, where) !== undefined).toBe(isTold)
  })
})

describe('a Deployment', () => {
  const denial =
    'admission webhook "pod.inject.outrigger.dev" denied the request: container c: its image alone says what it runs; set outrigger.dev/command'
  const deployment = (message: string, more: JsonObject = {}): JsonObject => ({
    metadata: { namespace: 'team', name: 'a', uid: 'd' },
    status: { conditions: [{ type: 'ReplicaFailure', status: 'True', message, ...more }] },
  })

  test('whose pods are denied by us is told so in our words', () => {
    const found = deniedDeployment(deployment(denial), around())
    expect(found).toMatchObject({ namespace: 'team', owner: ROOT })
    expect(found?.told(ROOT)).toEqual({
      reason: 'PodsDenied',
      message:
        'its pods are denied: container c: its image alone says what it runs; set outrigger.dev/command',
    })
  })

  test('is told a line of it, however long it is', () => {
    const message = `${denial}\n\u001b[2J${'x'.repeat(100_000)}`
    const told = deniedDeployment(deployment(message), around())?.told(ROOT)
    expect(told?.message.length).toBeLessThan(1000)
    expect(told?.message).not.toMatch(/[\n\u001b]/)
  })

  test.each<[string, JsonObject]>([
    ['by a quota', deployment('pods "a-5f-" is forbidden: exceeded quota: q')],
    ['by somebody else', deployment(denial.replace('outrigger.dev"', 'example.com"'))],
    ['no more', deployment(denial, { status: 'False' })],
    ['in the system', withAt(deployment(denial), ['metadata', 'namespace'], 'kube-system')],
  ])('whose pods are denied %s is told nothing', (_name, object) => {
    expect(deniedDeployment(object, around())).toBeUndefined()
  })
})
