import { describe, expect, test } from '@jest/globals'
import { stringAt, withAt, type Json, type JsonObject } from '../../../../shared/json.ts'
import { isOurs, isRight } from '../../../../webhook/controller/drift.ts'
import { standingOf } from '../../../../webhook/controller/standing.ts'

const OWNER = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a', uid: 'u' }
const wanted = (kind: string, spec: JsonObject): JsonObject => ({
  kind,
  metadata: { name: 'x', labels: { ours: 'yes' }, ownerReferences: [OWNER] },
  spec,
})
const SERVICE = wanted('Service', {
  type: 'ClusterIP',
  selector: { a: 'b' },
  ports: [{ name: 'mcp', port: 15_200, protocol: 'TCP', targetPort: 15_200 }],
})
const POLICY = wanted('NetworkPolicy', {
  podSelector: { matchLabels: { a: 'b' } },
  policyTypes: ['Ingress', 'Egress'],
  ingress: [{ ports: [{ port: 1, protocol: 'TCP' }] }],
  egress: [],
})

type Change = readonly [
  string,
  JsonObject,
  readonly [string, ...string[]],
  Json | undefined,
  boolean,
]

describe('a companion stands right', () => {
  test.each<Change>([
    ['as it was written', SERVICE, ['metadata', 'uid'], 'u', true],
    ['with what the API server fills in', SERVICE, ['spec', 'clusterIP'], '10.0.0.1', true],
    ['with others’ labels', SERVICE, ['metadata', 'labels', 'theirs'], 'yes', true],
    [
      'with another owner besides',
      SERVICE,
      ['metadata', 'ownerReferences'],
      [{ uid: 'v' }, OWNER],
      true,
    ],
    ['without ours', SERVICE, ['metadata', 'ownerReferences'], [{ uid: 'v' }], false],
    ['without a label', SERVICE, ['metadata', 'labels'], {}, false],
    ['of another type', SERVICE, ['spec', 'type'], 'LoadBalancer', false],
    ['with a label more in its selector', SERVICE, ['spec', 'selector', 'c'], 'd', false],
    ['without ports', SERVICE, ['spec', 'ports'], [], false],
    [
      'with a port more',
      SERVICE,
      ['spec', 'ports'],
      [{ name: 'mcp', port: 15_200, protocol: 'TCP', targetPort: 15_200 }, { port: 1 }],
      false,
    ],
    [
      'with a node port',
      SERVICE,
      ['spec', 'ports'],
      [{ name: 'mcp', port: 15_200, protocol: 'TCP', targetPort: 15_200, nodePort: 30_000 }],
      true,
    ],
    ['its empty list left out', POLICY, ['spec', 'egress'], undefined, true],
    ['a rule more', POLICY, ['spec', 'egress'], [{}], false],
    [
      'callers fewer',
      POLICY,
      ['spec', 'ingress'],
      [{ from: [{ podSelector: {} }], ports: [{ port: 1, protocol: 'TCP' }] }],
      false,
    ],
    ['one kind of rule alone', POLICY, ['spec', 'policyTypes'], ['Ingress'], false],
    ['a member that nobody knows', POLICY, ['spec', 'more'], true, false],
  ])('%s', (...[, object, path, value, isIt]) => {
    const is = standingOf(stringAt(object, 'kind') ?? '', withAt(object, path, value))
    expect(isRight(is, object)).toBe(isIt)
  })
})

describe('an object of a companion’s name', () => {
  const labelled = { 'app.kubernetes.io/managed-by': 'outrigger' }
  test.each<readonly [string, JsonObject, boolean]>([
    ['with our label', { labels: labelled }, true],
    ['with its owner', { ownerReferences: [OWNER] }, true],
    ['with neither', { labels: { a: 'b' } }, false],
    ['with another manager', { labels: { 'app.kubernetes.io/managed-by': 'helm' } }, false],
    ['with an owner of the same name', { ownerReferences: [{ ...OWNER, uid: 'v' }] }, false],
  ])('%s', (_name, metadata, isIt) => {
    expect(isOurs(standingOf('Service', { metadata }), SERVICE)).toBe(isIt)
  })

  const SERVER = 'outrigger.dev/server'
  const about = (server: string): JsonObject => ({ ...labelled, [SERVER]: server })
  test.each<readonly [string, JsonObject, boolean]>([
    ['about the same server', { labels: about('deployment-a') }, true],
    ['about another server', { labels: about('deployment-b') }, false],
    [
      'about another server, with its owner',
      { labels: about('deployment-b'), ownerReferences: [OWNER] },
      true,
    ],
    ['about no server', { labels: labelled }, true],
  ])('with our label, %s', (_name, metadata, isIt) => {
    const companion = withAt(SERVICE, ['metadata', 'labels', SERVER], 'deployment-a')
    expect(isOurs(standingOf('Service', { metadata }), companion)).toBe(isIt)
  })

  test('a namespace’s own is ours whatever server somebody has written on it', () => {
    const object = withAt(POLICY, ['metadata', 'ownerReferences'], undefined)
    const metadata = { labels: about('deployment-a') }
    expect(isOurs(standingOf('NetworkPolicy', { metadata }), object)).toBe(true)
  })

  test('without an owner wanted, the label alone tells', () => {
    const object = withAt(POLICY, ['metadata', 'ownerReferences'], undefined)
    expect(isOurs(standingOf('NetworkPolicy', { metadata: {} }), object)).toBe(false)
  })
})
