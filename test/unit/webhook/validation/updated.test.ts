import { describe, expect, test } from '@jest/globals'
import type { ImageIndex } from '../../../../shared/image-index.ts'
import { objectsAt, withAt, type Json, type JsonObject } from '../../../../shared/json.ts'
import type { ClusterConfig } from '../../../../webhook/cluster/config.ts'
import type { Namespace } from '../../../../webhook/cluster/namespace.ts'
import { render } from '../../../../webhook/inject/render.ts'
import { judgeUpdated } from '../../../../webhook/validation/updated.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const configWith = (floor: Readonly<Record<string, Json>> = {}): ClusterConfig =>
  clusterConfig({
    sidecar: { image: 'example.com/sidecar:1' },
    settings: { auth: 'none' },
    floor: { allowAnonymous: true, allowBreakGlass: ['on-call'], ...floor },
  })
const namespace: Namespace = { name: 'team-a', labels: {}, annotations: {} }
const strict: Namespace = { ...namespace, labels: { 'outrigger.dev/enforce': 'strict' } }

const DIGEST = `sha256:${'0'.repeat(64)}`
const [KNOWN, OURS] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`]
/** What somebody has read of images beforehand. */
const IMAGES: ImageIndex = {
  version: 1,
  tags: { 'docker.io/library/busybox:1': KNOWN },
  images: Object.fromEntries(
    [
      [KNOWN, 4000],
      [OURS, 21_520],
    ].map(([digest, uid]) => [
      digest,
      { 'linux/amd64': { entrypoint: [], cmd: [], user: { uid: Number(uid) } } },
    ]),
  ),
}
const ASKING: JsonObject = {
  metadata: { name: 'web', annotations: { 'outrigger.dev/inject': 'true' } },
  spec: {
    containers: [
      {
        name: 'server',
        image: `example.com/server@${DIGEST}`,
        command: ['server'],
        resources: { limits: { cpu: '1', memory: '1Gi' } },
      },
    ],
  },
}
const POD = (() => {
  const outcome = render(ASKING, namespace, configWith())
  if (outcome.kind !== 'inject') throw new Error(outcome.kind)
  return outcome.pod
})()
const PLAIN: JsonObject = { metadata: { name: 'db' }, spec: ASKING['spec'] ?? {} }

type Change = (pod: JsonObject) => JsonObject
const set =
  (path: readonly [string, ...string[]], value: Json | undefined): Change =>
  (object) =>
    withAt(object, path, value)
const inList =
  (list: 'initContainers' | 'containers', change: Change): Change =>
  (pod) =>
    withAt(pod, ['spec', list], objectsAt(pod, 'spec', list).map(change))

const CONTEXT = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}
const AS_ANN = { ...CONTEXT, runAsUser: 4000 }
const debugging = (fields: JsonObject): Change =>
  set(
    ['spec', 'ephemeralContainers'],
    [{ name: 'debug', image: `busybox@${DIGEST}`, securityContext: AS_ANN, ...fields }],
  )

const onlyCpu = set(['resources', 'limits'], { cpu: '1' })
const DELETED = set(['metadata', 'deletionTimestamp'], 'now')(POD)

interface Row {
  readonly name: string
  readonly of?: JsonObject
  readonly change: Change
  readonly where?: Namespace
  readonly groups?: readonly string[]
  /** The rules that it is denied by, or why it passes. */
  readonly becomes: readonly string[] | string
}

const ROWS: readonly Row[] = [
  { name: 'nothing differs', change: (pod) => pod, becomes: 'unchanged' },
  {
    name: 'a finalizer is taken off',
    change: set(['metadata', 'finalizers'], []),
    becomes: 'unchanged',
  },
  { name: 'a status comes', change: set(['status'], { phase: 'Running' }), becomes: 'unchanged' },
  {
    name: 'a finalizer of a pod that is being deleted',
    of: DELETED,
    change: set(['metadata', 'finalizers'], []),
    becomes: 'unchanged',
  },
  {
    name: 'whatever else happens to a pod that is being deleted',
    of: DELETED,
    change: (pod) =>
      debugging({ targetContainerName: 'outrigger-sidecar' })(
        set(['metadata', 'labels', 'app'], 'x')(inList('initContainers', set(['image'], 'x'))(pod)),
      ),
    where: strict,
    becomes: 'being-deleted',
  },
  {
    name: 'our marks, forged on a pod that takes long to be deleted',
    of: set(['metadata', 'deletionTimestamp'], 'now')(PLAIN),
    change: set(['metadata', 'labels'], { 'outrigger.dev/injected': 'true' }),
    becomes: ['own-keys'],
  },
  {
    name: 'a label of somebody else’s',
    change: set(['metadata', 'labels', 'app'], 'x'),
    becomes: 'complies',
  },
  {
    name: 'a label of ours is taken off',
    change: set(['metadata', 'labels', 'outrigger.dev/injected'], undefined),
    becomes: ['own-keys'],
  },
  {
    name: 'the server’s label is another’s',
    change: set(['metadata', 'labels', 'outrigger.dev/server'], 'Deployment-pay'),
    becomes: ['own-keys'],
  },
  {
    name: 'an annotation of ours changes',
    change: set(['metadata', 'annotations', 'outrigger.dev/auth'], 'none'),
    becomes: ['own-keys'],
  },
  {
    name: 'the status is forged',
    change: set(['metadata', 'annotations', 'outrigger.dev/status'], '{}'),
    becomes: ['own-keys'],
  },
  {
    name: 'a running pod asks for injection',
    of: PLAIN,
    change: set(['metadata', 'annotations'], { 'outrigger.dev/inject': 'true' }),
    becomes: ['own-keys'],
  },
  {
    name: 'a pod that is not injected is changed otherwise',
    of: PLAIN,
    change: inList('containers', set(['image'], 'other')),
    becomes: 'not-injected',
  },
  {
    name: 'the server’s image, at baseline',
    change: inList('containers', set(['image'], 'example.com/server:2')),
    becomes: 'complies',
  },
  {
    name: 'the server’s image to a tag, in strict',
    change: inList('containers', set(['image'], 'example.com/server:2')),
    where: strict,
    becomes: ['image-digest'],
  },
  {
    name: 'the server’s image to another digest, in strict',
    change: inList('containers', set(['image'], `example.com/server@${DIGEST.replace('0', '1')}`)),
    where: strict,
    becomes: 'complies',
  },
  {
    name: 'the sidecar’s image',
    change: inList('initContainers', set(['image'], 'example.com/other')),
    becomes: ['sidecar'],
  },
  {
    name: 'the sidecar’s memory gets less',
    change: inList('initContainers', set(['resources', 'limits', 'memory'], '16Mi')),
    becomes: ['sidecar'],
  },
  {
    name: 'the sidecar’s memory gets more',
    change: inList('initContainers', set(['resources', 'limits', 'memory'], '900Mi')),
    becomes: 'complies',
  },
  {
    name: 'the sidecar’s memory gets more than the floor has',
    change: inList('initContainers', set(['resources', 'limits', 'memory'], '20Gi')),
    becomes: ['sidecar'],
  },
  {
    name: 'the sidecar’s limit for CPU is taken off',
    change: inList('initContainers', set(['resources', 'limits', 'cpu'], undefined)),
    becomes: ['sidecar'],
  },
  {
    name: 'the sidecar’s limit for CPU is 0, which is none',
    change: inList('initContainers', set(['resources', 'limits', 'cpu'], '0')),
    becomes: ['sidecar'],
  },
  {
    name: 'the sidecar’s limit for CPU is no amount',
    change: inList('initContainers', set(['resources', 'limits', 'cpu'], 'many')),
    becomes: ['sidecar'],
  },
  {
    name: 'the server is resized',
    change: inList('containers', set(['resources', 'limits', 'memory'], '2Gi')),
    where: strict,
    becomes: 'complies',
  },
  {
    name: 'a debug container in a restricted context, at baseline',
    change: debugging({ targetContainerName: 'server' }),
    becomes: 'complies',
  },
  {
    name: 'a debug container as kubectl makes it by default',
    change: debugging({ securityContext: {} }),
    becomes: ['sidecar-access', 'privilege-escalation', 'capabilities'],
  },
  {
    name: 'a privileged debug container',
    change: debugging({ securityContext: { ...AS_ANN, privileged: true } }),
    becomes: ['privileged'],
  },
  {
    name: 'a debug container in the sidecar’s processes',
    change: debugging({ targetContainerName: 'outrigger-sidecar' }),
    becomes: ['sidecar-access'],
  },
  {
    name: 'a debug container as the sidecar’s user',
    change: debugging({ securityContext: { ...CONTEXT, runAsUser: 21_520 } }),
    becomes: ['sidecar-access'],
  },
  {
    name: 'a debug container as whomever its image says',
    change: debugging({ securityContext: CONTEXT }),
    becomes: ['sidecar-access'],
  },
  {
    name: 'a debug container as whomever a tag’s image says, which may have moved',
    change: debugging({ image: 'busybox:1', securityContext: CONTEXT }),
    becomes: ['sidecar-access'],
  },
  {
    name: 'a debug container whose image is known to run as another',
    change: debugging({ image: `tools@${KNOWN}`, securityContext: CONTEXT }),
    becomes: 'complies',
  },
  {
    name: 'a debug container whose image is known to run as the sidecar’s user',
    change: debugging({ image: `tools@${OURS}`, securityContext: CONTEXT }),
    becomes: ['sidecar-access'],
  },
  {
    name: 'a debug container as the pod’s own user',
    of: set(['spec', 'securityContext', 'runAsUser'], 4000)(POD),
    change: debugging({ securityContext: CONTEXT }),
    becomes: 'complies',
  },
  {
    name: 'a debug container in the sidecar’s group',
    change: debugging({ securityContext: { ...AS_ANN, runAsGroup: 21_520 } }),
    becomes: ['sidecar-access'],
  },
  {
    name: 'a debug container with the control socket',
    change: debugging({ volumeMounts: [{ name: 'outrigger-run', mountPath: '/x' }] }),
    becomes: ['sidecar-access'],
  },
  {
    name: 'any debug container, in strict',
    change: debugging({}),
    where: strict,
    becomes: ['debug-containers'],
  },
  {
    name: 'any debug container, in strict, by break-glass',
    change: debugging({ targetContainerName: 'outrigger-sidecar' }),
    where: strict,
    groups: ['system:authenticated', 'on-call'],
    becomes: 'break-glass',
  },
  {
    name: 'our marks, by break-glass',
    change: set(['metadata', 'labels', 'outrigger.dev/injected'], undefined),
    groups: ['on-call'],
    becomes: ['own-keys'],
  },
  {
    name: 'the system’s namespaces',
    change: set(['metadata', 'labels', 'outrigger.dev/injected'], undefined),
    where: { ...namespace, name: 'kube-system' },
    becomes: 'system-namespace',
  },
]

describe('a running pod that is changed', () => {
  test.each(ROWS)('$name', ({ of = POD, change, where = namespace, groups = [], becomes }) => {
    const config = { ...configWith(), images: IMAGES }
    const { decided } = judgeUpdated({ before: of, after: change(of), groups }, where, config)
    const rules = decided.kind === 'deny' ? decided.violations.map(({ rule }) => rule) : []
    expect(decided.kind === 'allow' ? decided.reason : [...new Set(rules)]).toEqual(becomes)
  })

  test('what was let in before counts for nothing: only what gets worse', () => {
    const before = inList('containers', set(['image'], 'example.com/server:1'))(POD)
    const after = inList('containers', set(['resources', 'limits', 'cpu'], '2'))(before)
    const { decided } = judgeUpdated({ before, after, groups: [] }, strict, configWith())
    expect(decided).toMatchObject({ kind: 'allow', reason: 'complies' })
  })

  const unlimited = inList('containers', set(['resources'], undefined))(POD)
  const tagged = inList('containers', set(['image'], 'example.com/server:1'))(POD)
  const noCpu = set(['resources', 'limits', 'cpu'], undefined)
  test.each([
    ['a limit where there were none', unlimited, set(['resources', 'limits', 'cpu'], '1'), []],
    ['one limit for the other', inList('containers', noCpu)(POD), onlyCpu, ['limits']],
    ['another tag for a tag', tagged, set(['image'], 'example.com/server:2'), ['image-digest']],
    ['the same tag', tagged, set(['env'], [{ name: 'A', value: 'b' }]), []],
  ] as const)('told from a breach that stood before: %s', (_name, before, change, rules) => {
    const after = inList('containers', change)(before)
    const { decided } = judgeUpdated({ before, after, groups: [] }, strict, configWith())
    const violations = decided.kind === 'deny' ? decided.violations : []
    expect(violations.map(({ rule }) => rule)).toEqual(rules)
  })

  test('a tag that the image index knows is a tag: nobody pins it any more', () => {
    const images = {
      version: 1 as const,
      tags: { 'example.com/server:2': DIGEST },
      images: { [DIGEST]: { 'linux/amd64': { entrypoint: [], cmd: [] } } },
    }
    const after = inList('containers', set(['image'], 'example.com/server:2'))(POD)
    const change = { before: POD, after, groups: [] }
    const { decided } = judgeUpdated(change, strict, { ...configWith(), images })
    expect(decided).toMatchObject({ kind: 'deny', violations: [{ rule: 'image-digest' }] })
  })

  test('break-glass stands on record', () => {
    const change = { before: POD, after: debugging({})(POD), groups: ['on-call'] }
    const { recorded } = judgeUpdated(change, strict, configWith())
    expect(recorded.map(({ rule }) => rule)).toEqual(['debug-containers'])
  })
})
