// A server that would run as its namespace's `default` gets an account of its own, where the floor asks for it.

import { describe, expect, test } from '@jest/globals'
import { at, withAt, type JsonObject } from '../../../shared/json.ts'
import type { ClusterConfig } from '../../../webhook/cluster/config.ts'
import type { DefaultAccount, Namespace } from '../../../webhook/cluster/namespace.ts'
import { ownerOf } from '../../../webhook/companions/member.ts'
import { makesPods } from '../../../webhook/controller/owners.ts'
import { render } from '../../../webhook/inject/render.ts'
import { judgeCreated } from '../../../webhook/validation/created.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const configOf = (floor: JsonObject, more: JsonObject = { companions: {} }): ClusterConfig =>
  clusterConfig({
    sidecar: { image: 'x' },
    settings: { auth: 'none' },
    floor: { allowAnonymous: true, allowAdvisoryEgress: true, ...floor },
    ...more,
  })
const ASKS = configOf({ ownServiceAccounts: ['*'] })
const NAMESPACE: Namespace = { name: 'team', labels: {}, annotations: {} }
const OWN = 'outrigger-statefulset-web'

interface Parts {
  readonly metadata?: JsonObject
  readonly spec?: JsonObject
  readonly annotations?: JsonObject
}
interface Around {
  readonly config?: ClusterConfig
  readonly namespace?: Namespace
}
const maker = (apiVersion: string, kind: string): JsonObject => ({
  ownerReferences: [{ apiVersion, kind, name: 'web', uid: 'u', controller: true }],
})

/** As the API server's own plugin hands it on. */
const podWith = ({
  metadata = maker('apps/v1', 'StatefulSet'),
  spec,
  annotations,
}: Parts = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-0',
    namespace: 'team',
    ...metadata,
    annotations: { 'outrigger.dev/inject': 'true', ...annotations },
  },
  spec: {
    serviceAccountName: 'default',
    serviceAccount: 'default',
    containers: [{ name: 'c', image: 'i', command: ['serve'] }],
    ...spec,
  },
})

const injected = (pod: JsonObject, config = ASKS, namespace = NAMESPACE) => {
  const outcome = render(pod, namespace, config)
  if (outcome.kind !== 'inject') throw new Error(JSON.stringify(outcome))
  return outcome
}
const accountOf = (pod: JsonObject): unknown => [
  at(pod, 'spec', 'serviceAccountName'),
  at(pod, 'spec', 'serviceAccount'),
]
const KEPT = /^pod: keeps the ServiceAccount default/
const projected = (audience: string): JsonObject => ({
  volumes: [
    { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 't', audience } }] } },
  ],
})

describe('a pod of `default`', () => {
  test('gets its own, once, and keeps it', () => {
    const plain = { ...NAMESPACE, defaultAccount: 'plain' } as const
    const { pod, warnings } = injected(podWith(), ASKS, plain)
    expect(accountOf(pod)).toEqual([OWN, OWN])
    expect(warnings.filter((text) => KEPT.test(text))).toEqual([])
    expect(injected(pod).patch).toEqual([])
    // Also where nobody asks for them any more.
    expect(accountOf(injected(pod, configOf({})).pod)).toEqual([OWN, OWN])
    expect(judgeCreated(pod, NAMESPACE, [ASKS]).decided.kind).toBe('inject')
  })

  test('that another has put back is denied', () => {
    const { pod } = injected(podWith())
    const back = withAt(pod, ['spec', 'serviceAccountName'], 'default')
    const { decided } = judgeCreated(back, NAMESPACE, [ASKS])
    expect(decided).toMatchObject({
      kind: 'deny',
      violations: [{ message: expect.stringContaining('serviceAccountName not as Outrigger') }],
    })
    // Until a moment ago nobody asked for it.
    expect(judgeCreated(back, NAMESPACE, [ASKS, configOf({})]).decided.kind).toBe('inject')
  })

  test.each<[string, DefaultAccount, DefaultAccount, string]>([
    ['nobody could read, and nobody can', 'unknown', 'unknown', 'inject'],
    ['is at a cloud', 'at-cloud', 'at-cloud', 'inject'],
    ['was nobody, and cannot be read any more', 'plain', 'unknown', 'inject'],
    ['was nobody, and is at a cloud since', 'plain', 'at-cloud', 'inject'],
    // Its owner tries again, and by then it is known where it is injected, too.
    ['nobody could read, and is known since', 'unknown', 'plain', 'deny'],
  ])('whose account %s is judged', (_name, then, now, expected) => {
    const { pod } = injected(podWith(), ASKS, { ...NAMESPACE, defaultAccount: then })
    const { decided } = judgeCreated(pod, { ...NAMESPACE, defaultAccount: now }, [ASKS])
    expect(decided.kind).toBe(expected)
    const told = decided.kind === 'deny' ? decided.violations.map(({ message }) => message) : []
    expect(told).toEqual(expected === 'deny' ? [expect.stringContaining('try again')] : [])
  })

  test('is known by it where a public URL is its account’s', () => {
    const url = 'https://mcp.example.com/a'
    const issuer = 'https://id.example.com'
    const annotations = {
      'outrigger.dev/auth': 'oidc',
      'outrigger.dev/oidc-issuer': issuer,
      'outrigger.dev/public-url': url,
    }
    const listing = (serviceAccount: string): ClusterConfig =>
      configOf({
        ownServiceAccounts: ['*'],
        publicUrls: { team: [{ url, serviceAccount }] },
        issuers: [{ url: issuer }],
      })
    const pod = podWith({ annotations })
    expect(render(pod, NAMESPACE, listing('default')).kind).toBe('deny')
    const { pod: after } = injected(pod, listing(OWN))
    expect(render(after, NAMESPACE, listing(OWN)).kind).toBe('inject')
  })

  test.each<[string, JsonObject]>([
    ['a ReplicaSet', maker('apps/v1', 'ReplicaSet')],
    ['a DaemonSet', maker('apps/v1', 'DaemonSet')],
    ['a Job', maker('batch/v1', 'Job')],
  ])('of %s gets its own', (_name, metadata) => {
    const { pod } = injected(podWith({ metadata }))
    expect(accountOf(pod)).not.toContain('default')
    const owner = ownerOf(pod)
    expect(owner && makesPods(owner)).toBe(true)
  })

  test('gets none before the API server was asked, as in a manifest', () => {
    const named = withAt(podWith(), ['spec', 'serviceAccountName'], undefined)
    const { pod } = injected(withAt(named, ['spec', 'serviceAccount'], undefined))
    expect(accountOf(pod)).toEqual([undefined, undefined])
  })

  test.each<[string, Parts, Around]>([
    ['that nobody makes again', { metadata: {} }, {}],
    ['that somebody unknown makes', { metadata: maker('apps.example/v1', 'StatefulSet') }, {}],
    ['that a token of it is for', { spec: projected('https://other') }, {}],
    ['with a driver’s volume', { spec: { volumes: [{ name: 'v', csi: { driver: 'd' } }] } }, {}],
    [
      'of Azure',
      {
        metadata: {
          ...maker('apps/v1', 'StatefulSet'),
          labels: { 'azure.workload.identity/use': 'true' },
        },
      },
      {},
    ],
    ['of Vault', { annotations: { 'vault.hashicorp.com/agent-inject': 'true' } }, {}],
    ['of a cloud', {}, { namespace: { ...NAMESPACE, defaultAccount: 'at-cloud' } }],
    ['that nobody could read', {}, { namespace: { ...NAMESPACE, defaultAccount: 'unknown' } }],
    [
      'that calls the API server',
      { annotations: { 'outrigger.dev/needs-kube-api': 'true' } },
      { config: configOf({ ownServiceAccounts: ['*'], allowKubeApi: true }) },
    ],
  ])('%s keeps it, and its author hears of it', (_name, parts, { config, namespace }) => {
    const { pod, warnings } = injected(podWith(parts), config, namespace)
    expect(accountOf(pod)).toEqual(['default', 'default'])
    expect(warnings.filter((text) => KEPT.test(text))).toHaveLength(1)
  })

  test.each<[string, Parts, Around]>([
    ['where nobody asks', {}, { config: configOf({}) }],
    ['where another namespace asks', {}, { config: configOf({ ownServiceAccounts: ['other'] }) }],
    [
      'without a controller to make it',
      {},
      { config: configOf({ ownServiceAccounts: ['*'] }, {}) },
    ],
  ])('%s keeps it, and nothing is said', (_name, parts, { config }) => {
    const { pod, warnings } = injected(podWith(parts), config)
    expect(accountOf(pod)).toEqual(['default', 'default'])
    expect(warnings.filter((text) => KEPT.test(text))).toEqual([])
  })

  test('in a mesh gets its own all the same: the mesh knows it by that', () => {
    expect(accountOf(injected(podWith({ spec: projected('istio-ca') })).pod)).toEqual([OWN, OWN])
  })
})

test.each(['mine', undefined])('a pod of another account keeps that, by the name %s', (name) => {
  const pod = podWith({ spec: { serviceAccount: 'mine' } })
  const { pod: after } = injected(withAt(pod, ['spec', 'serviceAccountName'], name))
  expect(accountOf(after)).toEqual([name, 'mine'])
})
