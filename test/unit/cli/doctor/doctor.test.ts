// What a doctor makes of what a cluster says of itself.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { judgeKubelets, judgeServer, someOf } from '../../../../cli/doctor/api-server.ts'
import type { Finding, Read } from '../../../../cli/doctor/finding.ts'
import { judgeNetwork } from '../../../../cli/doctor/network.ts'
import {
  ENTRIES,
  judgeConfiguration,
  judgePolicy,
  POLICIES,
} from '../../../../cli/doctor/own-objects.ts'
import { diagnosisJson, diagnosisText, isWell } from '../../../../cli/doctor/text.ts'
import { judgeTrial, trialPod } from '../../../../cli/doctor/trial.ts'
import {
  judgeCertificates,
  judgeDeployment,
  judgeVersions,
} from '../../../../cli/doctor/webhook.ts'
import { judgeEnforcement, judgeNamespaces } from '../../../../cli/doctor/workloads.ts'
import { isObject, objectsAt, stringAt, type JsonObject } from '../../../../shared/json.ts'
import { fail, ok } from '../../../../shared/result.ts'
import { bareNamespace } from '../../../../webhook/cluster/namespace.ts'
import { render } from '../../../../webhook/inject/render.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const MISSING = fail({ isMissing: true, why: 'the API server answered 404' })
const refused = (why: string) =>
  fail({ isMissing: false, why: `the API server answered 403: ${why}` })
const FORBIDDEN = refused('no')

const said = ({ verdict, what }: Finding): string => `${verdict}: ${what}`

const configured = (floor: JsonObject = {}, image = 'example.com/outrigger-sidecar:2') =>
  clusterConfig({ sidecar: { image }, floor })

describe('the API server', () => {
  test.each<[string, Read<JsonObject>, string]>([
    ['of today', ok({ major: '1', minor: '36+' }), 'ok: it is of version 1.36: native'],
    ['with beta sidecars', ok({ major: '1', minor: '30' }), 'warning: it is of version 1.30'],
    [
      'without policies',
      ok({ major: '1', minor: '29' }),
      'fault: it is of version 1.29, which has no',
    ],
    ['that says nothing', ok({}), 'warning: it does not say'],
    [
      'that may not be asked',
      FORBIDDEN,
      'unread: its version cannot be read: the API server answered 403: no',
    ],
  ])('%s', (_, read, words) => {
    expect(said(judgeServer(read))).toContain(words)
  })
})

const node = (name: string, kubeletVersion: string): JsonObject => ({
  metadata: { name },
  status: { nodeInfo: { kubeletVersion } },
})

describe('kubelets', () => {
  test.each<[string, Read<readonly JsonObject[]>, string]>([
    ['of today', ok([node('a', 'v1.33.1+k3s1')]), 'ok: all 1 have native sidecars'],
    [
      'one without native sidecars',
      ok([node('a', 'v1.33.1'), node('b', 'v1.28.9')]),
      'fault: older than 1.29, without native sidecars: b',
    ],
    ['one with beta ones', ok([node('a', 'v1.30.0')]), 'warning: older than 1.33: a'],
    [
      'one that says nothing',
      ok([{ metadata: { name: 'a' } }]),
      'fault: older than 1.29, without native sidecars: a',
    ],
    ['none', ok([]), 'warning: there is no node'],
    ['that may not be listed', FORBIDDEN, 'unread: nodes cannot be read'],
  ])('%s', (_, read, words) => {
    expect(said(judgeKubelets(read))).toContain(words)
  })

  test('many by a few names', () => {
    expect(someOf(['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toBe('a, b, c, d, e and 2 more')
  })
})

const daemonSet = (
  name: string,
  args: readonly string[] = [],
  status: JsonObject = {},
): JsonObject => ({
  metadata: { name },
  spec: { template: { spec: { containers: [{ name: 'c' }, { name: 'd', args: [...args] }] } } },
  status,
})

describe('what enforces NetworkPolicies', () => {
  test.each<[string, readonly JsonObject[], string]>([
    ['nothing that is known', [daemonSet('node-exporter')], 'warning: no program is known'],
    ['Calico', [daemonSet('fluent-bit'), daemonSet('calico-node')], 'ok: Calico runs'],
    [
      'Cilium, not everywhere',
      [daemonSet('cilium', [], { numberReady: 2, desiredNumberScheduled: 3 })],
      'warning: Cilium is ready on 2 of 3 nodes',
    ],
    [
      'flannel alone',
      [daemonSet('kube-flannel-ds')],
      'warning: kube-flannel-ds runs, which enforces none',
    ],
    [
      'flannel beside Calico',
      [daemonSet('kube-flannel'), daemonSet('canal')],
      'ok: Canal (Calico) runs',
    ],
    [
      "Amazon's, without its agent",
      [daemonSet('aws-node', ['--enable-network-policy=false'])],
      'warning: aws-node runs, which enforces none',
    ],
    [
      "Amazon's, with it",
      [daemonSet('aws-node', ['--enable-network-policy=true'])],
      "ok: Amazon's VPC CNI",
    ],
    [
      'one that is only called alike',
      [daemonSet('not-cilium'), daemonSet('cilium-envoy')],
      'warning: no program is known',
    ],
  ])('%s', (_, daemonSets, words) => {
    expect(said(judgeNetwork(ok(daemonSets)))).toContain(words)
  })
})

const deployment = (
  replicas: number,
  readyReplicas: number,
  image = 'outrigger-webhook:2',
): JsonObject => ({
  spec: { replicas, template: { spec: { containers: [{ image }] } } },
  status: { readyReplicas },
})

describe('the webhook', () => {
  const waiting = {
    metadata: { labels: { 'app.kubernetes.io/name': 'outrigger-webhook' } },
    status: { containerStatuses: [{ state: { waiting: { reason: 'ErrImagePull' } } }] },
  }
  test.each<[string, Read<JsonObject>, readonly JsonObject[], string, string]>([
    ['runs', ok(deployment(2, 2)), [], 'ok: 2 of 2', ''],
    ['lacks a replica', ok(deployment(2, 1)), [], 'warning: 1 of 2', 'get pods'],
    ['has one alone', ok(deployment(1, 1)), [], 'warning: 1 of 1', '--replicas=2'],
    ['does not run', ok(deployment(2, 0)), [waiting], 'fault: 0 of 2', 'ErrImagePull'],
    [
      'does not run, and a neighbour waits',
      ok(deployment(2, 0)),
      [{ ...waiting, metadata: { labels: { 'app.kubernetes.io/name': 'outrigger-controller' } } }],
      'fault: 0 of 2',
      'see why: kubectl',
    ],
    [
      'may not run',
      ok({
        spec: {},
        status: {
          conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' }],
        },
      }),
      [],
      'fault: 0 of 1',
      'exceeded quota',
    ],
    ['is not there', MISSING, [], 'fault: there is no Deployment', 'kubectl apply -k'],
    [
      'may not be seen',
      FORBIDDEN,
      [],
      'unread: Deployment outrigger-system/outrigger-webhook',
      'granted',
    ],
  ])('%s', (_, read, pods, ...words) => {
    const finding = judgeDeployment(read, pods, 'outrigger-system')
    const told = [said(finding), finding.advice ?? '']
    expect(told).toEqual(words.map((each): unknown => expect.stringContaining(each)))
  })

  test.each<[string, string, string, string]>([
    [
      'of one version',
      'r.example:5000/outrigger-webhook:2',
      'outrigger-sidecar:2',
      'ok: webhook and sidecar are of one version, 2',
    ],
    [
      'of two',
      'outrigger-webhook:3',
      'outrigger-sidecar:2',
      'fault: webhook and sidecar are of two versions',
    ],
    [
      'by digest',
      `outrigger-webhook:3@sha256:${'0'.repeat(64)}`,
      'outrigger-sidecar:2',
      'ok: outrigger-webhook:3@sha256:',
    ],
    [
      'without a tag behind a port',
      'r.example:5000/outrigger-webhook',
      'outrigger-sidecar:2',
      'ok: r.example:5000/outrigger-webhook and',
    ],
  ])('and its sidecar: %s', (_, webhook, sidecar, words) => {
    const finding = judgeVersions(ok(deployment(1, 1, webhook)), ok(configured({}, sidecar)))
    expect(said(finding)).toContain(words)
  })

  const WANTED =
    'see that it is there and whole (kubectl apply -k manifests/base, or the chart), or ask as somebody who may read it'

  test('that is not there is told as that, and nobody is sent for rights alone', () => {
    const config = fail('ConfigMap outrigger-system/outrigger-config: the API server answered 404')
    expect(judgeVersions(ok(deployment(1, 1)), config)).toMatchObject({
      verdict: 'unread',
      advice: WANTED,
    })
    expect(judgeVersions(MISSING, ok(configured()))).toMatchObject({
      verdict: 'unread',
      advice: WANTED,
    })
    expect(judgeCertificates(fail('there is neither'), [])).toMatchObject([
      { verdict: 'unread', advice: WANTED },
    ])
  })
})

const documents = (file: string): readonly JsonObject[] =>
  parseAllDocuments(
    readFileSync(new URL(`../../../../manifests/base/${file}`, import.meta.url), 'utf8'),
    { merge: true },
  )
    .map((document): unknown => document.toJS())
    .filter(isObject)

describe('our objects', () => {
  test.each([
    ['MutatingWebhookConfiguration', 'webhook-configuration.yaml'],
    ['ValidatingWebhookConfiguration', 'validating-configuration.yaml'],
  ] as const)('%s is well as it is shipped', (kind, file) => {
    const [shipped] = documents(file)
    expect(objectsAt(shipped, 'webhooks').map((entry) => stringAt(entry, 'name'))).toEqual(
      ENTRIES[kind],
    )
    expect(judgeConfiguration(kind, ok(shipped ?? {})).map(said)).toEqual([
      `ok: ${kind} outrigger is whole`,
    ])
  })

  test('so are the policies of the final state', () => {
    const shipped = documents('final-state.yaml')
    const found = POLICIES.flatMap((name) => {
      const named = shipped.filter((one) => stringAt(one, 'metadata', 'name') === name)
      const [policy = {}, binding = {}] = named
      return judgePolicy(name, { policy: ok(policy), binding: ok(binding) }, undefined)
    })
    expect(shipped).toHaveLength(2 * POLICIES.length)
    expect(found.map(said)).toEqual(
      POLICIES.map((name) => `ok: policy ${name} is bound and denies`),
    )
  })

  test.each<[string, JsonObject, Read<JsonObject>, string]>([
    ['one that is unbound', {}, MISSING, 'fault: there is no ValidatingAdmissionPolicyBinding'],
    [
      'one that is unbound, as the floor says',
      { unresolvable: 'skip' },
      MISSING,
      'ok: policy outrigger-opted-in is left unbound',
    ],
    [
      'one whose binding may not be read',
      {},
      FORBIDDEN,
      'unread: ValidatingAdmissionPolicyBinding outrigger-opted-in',
    ],
    [
      'one whose binding binds another',
      {},
      ok({ spec: { policyName: 'x' } }),
      'fault: ValidatingAdmissionPolicyBinding outrigger-opted-in binds another',
    ],
  ])('a policy: %s', (_, floor, binding, words) => {
    const [finding] = judgePolicy(
      'outrigger-opted-in',
      { policy: ok({}), binding },
      configured(floor),
    )
    expect(finding && said(finding)).toContain(words)
  })

  test('a policy that lets pass what it cannot judge', () => {
    const policy = ok({ spec: { failurePolicy: 'Ignore' } })
    const [finding] = judgePolicy('outrigger-asked', { policy, binding: ok({}) }, undefined)
    expect(finding && said(finding)).toBe(
      'fault: ValidatingAdmissionPolicy outrigger-asked has failurePolicy: Ignore',
    )
  })
})

describe('the trial pod', () => {
  test.each<[string, JsonObject]>([
    ['where nobody is asked who he is', { allowAnonymous: true }],
    [
      'under an issuer, with a URL of its own',
      {
        issuers: [{ url: 'https://login.example.com' }],
        publicUrls: { '*': ['https://mcp.example.com/{namespace}/{name}'] },
      },
    ],
    [
      'under an issuer, with a URL below a path',
      {
        issuers: [{ url: 'https://login.example.com' }],
        publicUrls: { tools: ['https://mcp.example.com/tools/*'] },
      },
    ],
  ])('is injected %s', (_, floor) => {
    const config = configured(floor)
    const pod = trialPod('tools', config)
    const outcome = render(pod, bareNamespace('tools'), config)
    expect(outcome).toMatchObject({ kind: 'inject' })
    if (outcome.kind !== 'inject') return
    expect(said(judgeTrial(ok(outcome.pod), 'tools', config))).toBe(
      'ok: a pod that asks for a server in namespace tools gets the sidecar example.com/outrigger-sidecar:2',
    )
    expect(judgeTrial(ok(outcome.pod), 'tools', configured({}, 'x:1')).verdict).toBe('fault')
    expect(judgeTrial(ok(pod), 'tools', config)).toMatchObject({
      verdict: 'fault',
      what: 'a pod that asks for a server in namespace tools is let in without the sidecar',
    })
  })

  test.each<[string, string, string]>([
    [
      'a webhook that is not reached',
      'Internal error occurred: failed calling webhook "pod.inject.outrigger.dev": failed to call webhook: Post "https://x": connection refused',
      'fault: the API server does not reach the webhook by pod.inject.outrigger.dev',
    ],
    [
      "another's webhook that is not reached",
      'Internal error occurred: failed calling webhook "x.example.com": refused',
      'warning: somebody else refuses',
    ],
    [
      'our own denial',
      'admission webhook "pod.inject.outrigger.dev" denied the request: no issuer',
      'warning: the webhook answers, and denies',
    ],
    [
      'our policy',
      "pods \"x\" is forbidden: ValidatingAdmissionPolicy 'outrigger-asked' with binding 'outrigger-asked' denied request",
      'fault: a pod that asks for a server in namespace a is refused for want of its sidecar',
    ],
    [
      'a right that is missing',
      'pods is forbidden: User "u" cannot create resource "pods" in API group ""',
      'unread: what comes of a pod',
    ],
    ['a quota', 'pods "x" is forbidden: exceeded quota', 'warning: somebody else refuses'],
  ])('refused by %s', (_, why, words) => {
    expect(said(judgeTrial(refused(why), 'a', undefined))).toContain(words)
  })

  test('in a namespace that is not there', () => {
    expect(judgeTrial(MISSING, 'a', undefined)).toMatchObject({
      verdict: 'unread',
      advice: 'name a namespace that is there by -n',
    })
  })
})

describe('namespaces', () => {
  const namespace = (name: string, labels: JsonObject): JsonObject => ({
    metadata: { name, labels },
  })
  const broken = [
    namespace('a', { 'outrigger.dev/injection': 'true' }),
    namespace('b', { 'outrigger.dev/inject': 'enabled' }),
    namespace('c', { 'outrigger.dev/enforce': 'lax' }),
    namespace('d', { 'outrigger.dev/injection': 'enabled' }),
    namespace('e', { other: 'x' }),
  ]
  test.each([
    ['with the configuration', configured()],
    ['without it', undefined],
  ])('whose labels say something else than was meant are named, %s', (_, config) => {
    const found = judgeNamespaces(ok(broken), config)
    expect(found.map(said)).toEqual([
      expect.stringContaining(
        'fault: namespace a: label outrigger.dev/injection: "true" opts nothing in',
      ),
      expect.stringContaining('fault: namespace b: label outrigger.dev/inject opts nothing in'),
      expect.stringContaining('fault: namespace c: label outrigger.dev/enforce: "lax" is none of'),
    ])
  })

  test('many are told by a few, and counted', () => {
    const many = Array.from({ length: 5000 }, (_, at) =>
      namespace(`n${at}`, { 'outrigger.dev/injection': 'x' }),
    )
    const found = judgeNamespaces(ok(many), undefined)
    expect([found.length, found.at(-1)?.what]).toEqual([11, 'and 4990 more'])
  })
})

describe('confinement', () => {
  test.each([
    ['no sidecar', [], 'ok: no sidecar runs'],
    [
      'all confined',
      ['enforced', 'observed'],
      'ok: the kernel keeps servers to what they declare on n0',
    ],
    [
      'one not',
      ['enforced', 'advisory'],
      'warning: the kernel cannot keep servers to what they declare on n1',
    ],
    ['one that is silent', ['enforced', undefined], 'warning: no sidecar of n1 could be asked'],
  ])('%s', (_, states, words) => {
    const told = states.map((state, at) => ({ node: `n${at}`, state }))
    expect(said(judgeEnforcement(ok(told)))).toContain(words)
  })
})

describe('is told', () => {
  const findings: readonly Finding[] = [
    { check: 'webhook', verdict: 'ok', what: '2 of 2 replicas are ready' },
    { check: 'a', verdict: 'warning', what: 'b\u001b[2J\nc', advice: 'd' },
    { check: 'e', verdict: 'fault', what: 'f', advice: 'g' },
    { check: 'h', verdict: 'fault', what: 'i', advice: 'j' },
  ]
  test('to people, without what steers a terminal', () => {
    expect(diagnosisText(findings)).toBe(`ok       webhook: 2 of 2 replicas are ready
warning  a: b [2J c
         do: d
FAULT    e: f
         do: g
FAULT    h: i
         do: j
2 faults, 1 warning, 1 ok
`)
  })

  test('to programs', () => {
    expect(JSON.parse(diagnosisJson(findings))).toMatchObject({
      fault: 2,
      unread: 0,
      warning: 1,
      ok: 1,
    })
  })

  test('warnings alone are no failure', () => {
    expect(isWell(findings.slice(0, 2))).toBe(true)
  })
})
