// Pods as the webhooks of clouds, meshes, Vault and OpenTelemetry leave them, before ours, after it and
// between: test/golden/neighbours has each pod as it is stored, and what is said of it.

import { describe, expect, test } from '@jest/globals'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { objectAt, objectsAt, stringAt, withAt, type JsonObject } from '../../../shared/json.ts'
import { SIDECAR_CONTAINER } from '../../../shared/names.ts'
import type { Namespace } from '../../../webhook/cluster/namespace.ts'
import type { Outcome } from '../../../webhook/inject/outcome.ts'
import { members } from '../../../webhook/inject/pod.ts'
import { admit } from '../../../webhook/rules/admit.ts'
import { judgeCreated } from '../../../webhook/validation/created.ts'
import { judgeUpdated } from '../../../webhook/validation/updated.ts'
import { callAll, NEIGHBOURS, type Mutate, type Neighbour } from '../../support/neighbours.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const ROOT = fileURLToPath(new URL('../../golden/neighbours/', import.meta.url))
const DIGEST = `sha256:${'0'.repeat(64)}`

const configWith = (floor: JsonObject = {}) =>
  clusterConfig({
    sidecar: { image: `registry.example/outrigger-sidecar@${DIGEST}` },
    settings: { auth: 'none' },
    floor: {
      allowAnonymous: true,
      exemptContainers: [
        ...['istio-init', 'istio-proxy'].map((name) => ({
          name,
          image: 'docker.io/istio/proxyv2',
          tags: { '1.27.0': DIGEST },
        })),
        ...['linkerd-init', 'linkerd-proxy'].map((name) => ({
          name,
          image: 'cr.l5d.io/linkerd/proxy',
          tags: { 'edge-26.8.3': DIGEST },
        })),
      ],
      ...floor,
    },
  })
const config = configWith()
const namespace: Namespace = { name: 'team-a', labels: {}, annotations: {} }
const strict: Namespace = { ...namespace, labels: { 'outrigger.dev/enforce': 'strict' } }

const limits: JsonObject = { limits: { cpu: '500m', memory: '256Mi' } }
const container = (name: string): JsonObject => ({
  name,
  image: `registry.example/${name}@${DIGEST}`,
  command: [name],
  resources: limits,
  // The API server's own plugin comes before every webhook.
  volumeMounts: [
    {
      name: 'kube-api-access-abcde',
      mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
      readOnly: true,
    },
  ],
  securityContext: { runAsUser: 4000 },
})
const POD: JsonObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'search',
    annotations: {
      'outrigger.dev/inject': 'true',
      'vault.hashicorp.com/agent-service-account-token-volume-name': 'vault-token',
    },
    labels: { app: 'search' },
  },
  spec: {
    serviceAccountName: 'search',
    initContainers: [container('prepare')],
    containers: [container('server')],
    volumes: [
      {
        name: 'kube-api-access-abcde',
        projected: { sources: [{ serviceAccountToken: { path: 'token' } }] },
      },
      {
        name: 'vault-token',
        projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'vault' } }] },
      },
    ],
  },
}

/** Somebody who is on either side of us in the third order. */
const other: Neighbour = {
  name: 'somebody',
  comesAgain: false,
  mutate: (pod) => withAt(pod, ['metadata', 'labels', 'example.com/somebody'], 'was-here'),
}

const told = (outcome: Outcome): readonly string[] =>
  outcome.kind === 'deny' ? outcome.violations.map(({ message }) => message) : [outcome.kind]

const ours = (
  by = config,
): Pick<Neighbour, 'mutate' | 'comesAgain'> & { warnings: Set<string> } => {
  const warnings = new Set<string>()
  const mutate: Mutate = (pod) => {
    const { decided: outcome } = admit(pod, namespace, by)
    if (outcome.kind !== 'inject') throw new Error(told(outcome).join('; '))
    for (const line of outcome.warnings) warnings.add(line)
    return outcome.pod
  }
  return { mutate, comesAgain: true, warnings }
}

const ORDERS = {
  after: (us, them) => [us, them],
  before: (us, them) => [them, us],
  between: (us, them) => [other, them, us, other],
} as const satisfies Record<
  string,
  (
    us: ReturnType<typeof ours>,
    them: Neighbour,
  ) => readonly Pick<Neighbour, 'mutate' | 'comesAgain'>[]
>
const ROWS = NEIGHBOURS.flatMap((neighbour) =>
  Object.entries(ORDERS).map(([order, line]) => ({
    title: `${neighbour.name} ${order} us`,
    file: `${neighbour.name}-${order}.yaml`,
    neighbour,
    line,
  })),
)

const expectGolden = (file: string, value: unknown): void => {
  const text = stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(ROOT, { recursive: true })
    writeFileSync(ROOT + file, text)
  }
  expect(text).toBe(readFileSync(ROOT + file, 'utf8'))
}

const namesIn = (pod: JsonObject, name: string, list: 'env' | 'volumeMounts'): readonly string[] =>
  members(pod)
    .filter((member) => member.name === name)
    .flatMap((member) => objectsAt(member.container, list))
    .map((item) => stringAt(item, 'name') ?? '')

/** What somebody gives a pod: names of containers and volumes, annotations and labels. */
const parts = (pod: JsonObject): readonly string[] => [
  ...members(pod).map(({ list, name }) => `${list} ${name}`),
  ...objectsAt(pod, 'spec', 'volumes').map((volume) => `volume ${stringAt(volume, 'name') ?? ''}`),
  ...['annotations', 'labels'].flatMap((field) =>
    Object.entries(objectAt(pod, 'metadata', field)).map(
      ([key, value]) => `${field} ${key} ${JSON.stringify(value)}`,
    ),
  ),
  ...['env', 'volumeMounts'].flatMap((list) =>
    objectsAt(pod, 'spec', 'containers')
      .filter((one) => stringAt(one, 'name') === 'server')
      .flatMap((one) => objectsAt(one, list))
      .map((item) => `server ${list} ${stringAt(item, 'name') ?? ''}`),
  ),
]
const isKept = (part: string): boolean => !part.endsWith(' kube-api-access-abcde')

describe('a pod with', () => {
  test.each(ROWS)('$title', ({ file, neighbour, line }) => {
    const us = ours()
    const pod = callAll(POD, line(us, neighbour))
    const { decided: outcome } = judgeCreated(pod, namespace, [config])
    const given = (name: string): readonly string[] =>
      namesIn(pod, name, 'env').concat(namesIn(pod, name, 'volumeMounts'))
    const identity = neighbour.identity
      ? [neighbour.identity.volume, ...neighbour.identity.variables]
      : []

    expect(told(outcome)).toEqual(['inject'])
    expect(parts(pod)).toEqual(expect.arrayContaining(parts(neighbour.mutate(POD)).filter(isKept)))
    expect(given('server')).toEqual(expect.arrayContaining(identity))
    const others = given(SIDECAR_CONTAINER).filter((name) => !name.startsWith('outrigger-'))
    expect(others).toEqual(['OUTRIGGER_CONFIG'])
    expect(given('prepare').filter((name) => identity.includes(name))).toEqual([])
    expectGolden(file, {
      warnings: [...us.warnings],
      strict: told(judgeCreated(pod, strict, [config]).decided),
      pod,
    })
  })

  const aws = NEIGHBOURS.find(({ name }) => name === 'aws-role')
  if (!aws?.identity) throw new Error('there is no aws-role')
  const { volume } = aws.identity

  test.each(Object.entries(ORDERS))(
    'an identity that others may share, %s us: the sidecar has none',
    (_order, line) => {
      const shared = configWith({ allowSharedIdentity: true })
      const pod = callAll(POD, line(ours(shared), aws))
      expect(namesIn(pod, 'prepare', 'volumeMounts')).toContain(volume)
      expect(namesIn(pod, SIDECAR_CONTAINER, 'volumeMounts')).not.toContain(volume)
      expect(told(judgeCreated(pod, namespace, [shared]).decided)).toEqual(['inject'])
    },
  )

  test.each(['sts.amazonaws.com', 'pods.eks.amazonaws.com', 'api://AzureADTokenExchange'])(
    'a token for %s that is mounted by hand: the server’s alone',
    (audience) => {
      const mounting = (name: string): JsonObject => ({
        ...container(name),
        volumeMounts: [{ name: 'cred', mountPath: '/cred', readOnly: true }],
      })
      const source = { serviceAccountToken: { path: 'token', audience } }
      const before = withAt(POD, ['spec'], {
        initContainers: [mounting('prepare')],
        containers: [mounting('server')],
        volumes: [{ name: 'cred', projected: { sources: [source] } }],
      })
      const { decided: outcome } = admit(before, namespace, config)
      const pod = outcome.kind === 'inject' ? outcome.pod : {}
      expect(namesIn(pod, 'server', 'volumeMounts')).toContain('cred')
      expect(namesIn(pod, 'prepare', 'volumeMounts')).not.toContain('cred')
      expect(outcome.warnings).toContainEqual(expect.stringContaining('taken from prepare'))
      expect(told(judgeCreated(pod, namespace, [config]).decided)).toEqual(['inject'])

      const after = withAt(pod, ['spec', 'ephemeralContainers'], [mounting('debug')])
      expect(judgeUpdated({ before: pod, after, groups: [] }, namespace, config).decided).toEqual(
        expect.objectContaining({
          kind: 'deny',
          violations: expect.arrayContaining([expect.objectContaining({ rule: 'cloud-identity' })]),
        }),
      )
    },
  )

  test.each([
    ['prepare', 'mounts "aws-iam-token", a token for the pod\'s cloud'],
    [SIDECAR_CONTAINER, 'volumeMounts not as Outrigger renders it'],
  ])('an identity in %s in the end: denied', (name, words) => {
    const pod = callAll(POD, [ours(), aws])
    const mount = { name: volume, mountPath: '/var/run/secrets/x', readOnly: true }
    const changed = withAt(
      pod,
      ['spec', 'initContainers'],
      objectsAt(pod, 'spec', 'initContainers').map((one) =>
        stringAt(one, 'name') === name
          ? withAt(one, ['volumeMounts'], [...objectsAt(one, 'volumeMounts'), mount])
          : one,
      ),
    )
    expect(told(judgeCreated(changed, namespace, [config]).decided)).toEqual([
      expect.stringContaining(`container ${name}: ${words}`),
    ])
  })

  test('Vault’s agent, which has no token of its own: says what to write', () => {
    const agent = container('vault-agent')
    const pod = withAt(POD, ['spec', 'containers'], [container('server'), agent])
    const { decided: outcome } = admit(pod, namespace, config)
    expect(outcome.warnings).toContainEqual(
      expect.stringContaining('vault.hashicorp.com/agent-service-account-token-volume-name'),
    )
  })

  test('ambient mode, whose node marks the pod when it runs: passes', () => {
    const before = callAll(POD, [ours()])
    const after = withAt(
      before,
      ['metadata', 'annotations', 'ambient.istio.io/redirection'],
      'enabled',
    )
    const { decided } = judgeUpdated({ before, after, groups: [] }, strict, config)
    expect(decided).toMatchObject({ kind: 'allow' })
  })
})
