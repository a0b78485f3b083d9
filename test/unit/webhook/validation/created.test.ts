import { describe, expect, test } from '@jest/globals'
import { objectsAt, withAt, type Json, type JsonObject } from '../../../../shared/json.ts'
import type { ClusterConfig } from '../../../../webhook/cluster/config.ts'
import type { Namespace } from '../../../../webhook/cluster/namespace.ts'
import { render } from '../../../../webhook/inject/render.ts'
import { judgeCreated } from '../../../../webhook/validation/created.ts'
import { expectedPod, goldenCases } from '../../../support/golden.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const injected = goldenCases().flatMap((each) => {
  const pod = expectedPod(each.name)
  return pod ? [{ ...each, pod }] : []
})

describe('a pod as injection has left it', () => {
  test('there are many', () => {
    expect(injected.length).toBeGreaterThan(40)
  })

  test.each(injected)('$name passes', ({ pod, namespace, config }) => {
    expect(judgeCreated(pod, namespace, [config]).decided).toMatchObject({ kind: 'inject' })
  })
})

const configWith = (document: Readonly<Record<string, Json>>): ClusterConfig =>
  clusterConfig({
    sidecar: { image: 'example.com/sidecar:1' },
    settings: { auth: 'none' },
    floor: { allowAnonymous: true },
    ...document,
  })
const config = configWith({})
const namespace: Namespace = { name: 'team-a', labels: {}, annotations: {} }
const ASKING: JsonObject = {
  metadata: { name: 'web', annotations: { 'outrigger.dev/inject': 'true' } },
  spec: { containers: [{ name: 'server', image: 'example.com/server:1', command: ['server'] }] },
}

const renderedBy = (by: ClusterConfig, asking = ASKING): JsonObject => {
  const outcome = render(asking, namespace, by)
  if (outcome.kind !== 'inject') throw new Error(outcome.kind)
  return outcome.pod
}
const POD = renderedBy(config)

type Change = (container: JsonObject) => JsonObject

/** The pod with its sidecar, or its server, changed. */
const withContainer =
  (list: 'initContainers' | 'containers', change: Change) =>
  (pod: JsonObject): JsonObject =>
    withAt(
      pod,
      ['spec', list],
      objectsAt(pod, 'spec', list).map((container) => change(container)),
    )
const sidecar = (change: Change) => withContainer('initContainers', change)
const server = (change: Change) => withContainer('containers', change)
const set =
  (path: readonly [string, ...string[]], value: Json | undefined): Change =>
  (object) =>
    withAt(object, path, value)
const adding =
  (list: string, item: JsonObject): Change =>
  (container) =>
    withAt(container, [list], [...objectsAt(container, list), item])

/** What keeps to the rules. */
const HELPER: JsonObject = {
  name: 'helper',
  image: 'example.com/helper:1',
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsUser: 4000,
    capabilities: { drop: ['ALL'] },
  },
}

const TAMPERED: readonly (readonly [string, (pod: JsonObject) => JsonObject, string])[] = [
  ['without the sidecar', set(['spec', 'initContainers'], []), 'there is no container'],
  ['with another image', sidecar(set(['image'], 'example.com/other')), 'image not as'],
  ['with another command', sidecar(set(['command'], ['sleep'])), 'command not as'],
  ['with arguments', sidecar(set(['args'], ['--open'])), 'args not as'],
  ['no native sidecar', sidecar(set(['restartPolicy'], undefined)), 'restartPolicy not as'],
  [
    'with its document changed',
    sidecar(set(['env'], [{ name: 'OUTRIGGER_CONFIG', value: '{}' }])),
    'env not as',
  ],
  [
    'with another variable',
    sidecar(adding('env', { name: 'NODE_OPTIONS', value: '--require /x' })),
    'env not as',
  ],
  [
    'with variables from elsewhere',
    sidecar(set(['envFrom'], [{ secretRef: { name: 'x' } }])),
    'envFrom not as',
  ],
  [
    'with another mount',
    sidecar(adding('volumeMounts', { name: 'x', mountPath: '/app' })),
    'volumeMounts not as',
  ],
  [
    'with a mount that can be written',
    sidecar(adding('volumeMounts', { name: 'x', mountPath: '/var/run/secrets/x' })),
    'volumeMounts not as',
  ],
  [
    'with a mount that only seems to be theirs',
    sidecar(
      adding('volumeMounts', {
        name: 'x',
        mountPath: '/var/run/secrets/../../../app',
        readOnly: true,
      }),
    ),
    'volumeMounts not as',
  ],
  ['as root', sidecar(set(['securityContext', 'runAsUser'], 0)), 'securityContext not as'],
  ['with more ports', sidecar(adding('ports', { containerPort: 1 })), 'ports not as'],
  ['without its probes', sidecar(set(['readinessProbe'], undefined)), 'readinessProbe not as'],
  [
    'with a hook',
    sidecar(set(['lifecycle'], { postStart: { exec: { command: ['x'] } } })),
    'lifecycle not as',
  ],
  [
    'with rules of its restart',
    sidecar(set(['restartPolicyRules'], [{ action: 'Restart' }])),
    'restartPolicyRules not as',
  ],
  ['with its input closed', sidecar(set(['stdinOnce'], true)), 'stdinOnce not as'],
  ['with a field that nobody knows yet', sidecar(set(['fromNextYear'], {})), 'fromNextYear not as'],
  [
    'with a device',
    sidecar(set(['resources', 'claims'], [{ name: 'gpu' }])),
    'resources.claims is not ours',
  ],
  [
    'with more memory than the floor has',
    sidecar(set(['resources', 'limits', 'memory'], '2Gi')),
    'resources.limits.memory is more than floor.maxSidecarMemory',
  ],
  [
    'without a limit',
    sidecar(set(['resources', 'limits', 'cpu'], undefined)),
    'resources.limits.cpu is missing',
  ],
  ['with the shim taken out', server(set(['command'], ['server'])), 'command not as'],
  [
    'with a wrapper before the shim',
    server((container) => ({
      ...container,
      command: ['sh', ...(Array.isArray(container['command']) ? container['command'] : [])],
    })),
    'command not as',
  ],
  ['without the shim’s volume', server(set(['volumeMounts'], [])), 'volumeMounts not as'],
  [
    'with the sidecar’s socket in another container',
    (pod) =>
      withAt(
        pod,
        ['spec', 'containers'],
        [
          ...objectsAt(pod, 'spec', 'containers'),
          { ...HELPER, volumeMounts: [{ name: 'outrigger-run', mountPath: '/outrigger/run' }] },
        ],
      ),
    'container helper: volumeMounts not as',
  ],
  [
    'with the sidecar’s socket in an init container',
    (pod) =>
      withAt(
        pod,
        ['spec', 'initContainers'],
        [
          ...objectsAt(pod, 'spec', 'initContainers'),
          { ...HELPER, volumeMounts: [{ name: 'outrigger-run', mountPath: '/outrigger/run' }] },
        ],
      ),
    'container helper: volumeMounts not as',
  ],
  [
    'with the label taken off',
    set(['metadata', 'labels', 'outrigger.dev/injected'], undefined),
    'outrigger.dev/injected not as',
  ],
  [
    'under the name of another server',
    set(['metadata', 'labels', 'outrigger.dev/server'], 'Deployment-other'),
    'outrigger.dev/server not as',
  ],
  [
    'without our volumes',
    (pod) => set(['spec', 'volumes'], objectsAt(pod, 'spec', 'volumes').slice(1))(pod),
    'volumes named',
  ],
]

/** What others fill in or add. */
const GUESTS: readonly (readonly [string, (pod: JsonObject) => JsonObject])[] = [
  ['variables of a cloud', sidecar(adding('env', { name: 'AWS_ROLE_ARN', value: 'arn' }))],
  [
    'a cloud’s token',
    sidecar(
      adding('volumeMounts', {
        name: 'aws',
        mountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount',
        readOnly: true,
      }),
    ),
  ],
  ['the API server’s defaults', sidecar(set(['terminationMessagePath'], '/dev/termination-log'))],
  ['where its end is told', sidecar(set(['terminationMessagePolicy'], 'File'))],
  [
    'how it is resized',
    sidecar(set(['resizePolicy'], [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }])),
  ],
  ['a policy for images', sidecar(set(['imagePullPolicy'], 'Always'))],
  ['limits that autoscaling has raised', sidecar(set(['resources', 'limits', 'cpu'], '1500m'))],
  [
    'a container that keeps to the rules',
    (pod) =>
      withAt(
        pod,
        ['spec', 'containers'],
        [
          ...objectsAt(pod, 'spec', 'containers'),
          { ...HELPER, volumeMounts: [{ name: 'scratch', mountPath: '/tmp' }] },
        ],
      ),
  ],
  ['labels of others', set(['metadata', 'labels', 'app'], 'web')],
]

const codes = (pod: JsonObject, by: readonly ClusterConfig[] = []) => {
  const { decided } = judgeCreated(pod, namespace, [config, ...by])
  return decided.kind === 'deny' ? decided.violations : []
}

describe('what others have made of it', () => {
  test.each(TAMPERED)('%s: is denied', (_name, tamper, found) => {
    const pod = tamper(POD)
    expect(pod).not.toEqual(POD)
    const violations = codes(pod)
    expect(violations).toContainEqual(
      expect.objectContaining({ rule: 'sidecar', message: expect.stringContaining(found) }),
    )
    expect(JSON.stringify(violations)).not.toContain('--require')
  })

  test.each(GUESTS)('%s: passes', (_name, change) => {
    const pod = change(POD)
    expect(pod).not.toEqual(POD)
    expect(codes(pod)).toEqual([])
  })

  test('what another webhook takes away after injection breaks the rule that asked for it', () => {
    const pod = server(set(['securityContext'], {}))(POD)
    expect(codes(pod).map(({ rule }) => rule)).toEqual(['privilege-escalation', 'capabilities'])
  })

  test('a container that another webhook adds is held against the rules', () => {
    const helper = { name: 'helper', image: 'x', securityContext: { privileged: true } }
    const pod = withAt(
      POD,
      ['spec', 'containers'],
      [...objectsAt(POD, 'spec', 'containers'), helper],
    )
    expect(codes(pod).map(({ rule }) => rule)).toContain('privileged')
  })
})

describe('a pod that was never injected', () => {
  const OWN_LABEL = {
    metadata: { labels: { 'outrigger.dev/injected': 'true' } },
    spec: ASKING['spec'] ?? {},
  }

  test('passes with our label where the configuration takes the namespace for the system’s', () => {
    const system = configWith({ systemNamespaces: ['team-a'] })
    const { decided } = judgeCreated(OWN_LABEL, namespace, [system])
    expect(decided).toMatchObject({ kind: 'skip', reason: 'system-namespace' })
  })

  test('is denied with it elsewhere', () => {
    expect(codes(OWN_LABEL).map(({ code }) => code)).toEqual(['reserved-name', 'rule'])
  })
})

test('a tag that the image index knows is a tag once the pod is stored with it', () => {
  const digest = `sha256:${'0'.repeat(64)}`
  const images = {
    version: 1 as const,
    tags: { 'example.com/server:1': digest },
    images: { [digest]: { 'linux/amd64': { entrypoint: [], cmd: [] } } },
  }
  const strict = { ...namespace, labels: { 'outrigger.dev/enforce': 'strict' } }
  const by = { ...config, images }
  const limited = server(set(['resources'], { limits: { cpu: '1', memory: '1Gi' } }))(ASKING)
  const pod = renderedBy(by, limited)
  const rules = (image: string): readonly unknown[] => {
    const stored = server(set(['image'], image))(pod)
    const { decided } = judgeCreated(stored, strict, [by])
    return decided.kind === 'deny' ? decided.violations.map(({ rule }) => rule) : []
  }
  expect(rules('example.com/server:1')).toEqual(['image-digest'])
  expect(rules(`example.com/server:1@${digest}`)).toEqual([])
})

describe('a sidecar’s image by tag, which another webhook resolves', () => {
  const DIGEST = `sha256:${'1'.repeat(64)}`
  const stored = (image: string, by = config): readonly unknown[] => {
    const { decided } = judgeCreated(sidecar(set(['image'], image))(renderedBy(by)), namespace, [
      by,
    ])
    return decided.kind === 'deny' ? decided.violations.map(({ rule }) => rule) : []
  }
  const pinned = configWith({ sidecar: { image: `example.com/sidecar:1@${DIGEST}` } })

  test.each([
    ['to its digest', `example.com/sidecar:1@${DIGEST}`, config, []],
    ['to its digest, without the tag', `example.com/sidecar@${DIGEST}`, config, []],
    ['to the digest of another tag', `example.com/sidecar:0@${DIGEST}`, config, ['sidecar']],
    ['to an image of another', `example.com/other@${DIGEST}`, config, ['sidecar']],
    ['to an image elsewhere', `evil.example.com/sidecar@${DIGEST}`, config, ['sidecar']],
    ['to another tag', 'example.com/sidecar:2', config, ['sidecar']],
    ['where it is a digest', `example.com/sidecar@${DIGEST}`, pinned, ['sidecar']],
  ] as const)('%s', (_name, image, by, rules) => {
    expect(stored(image, by)).toEqual(rules)
  })
})

describe('a configuration that changes between rendering and validation', () => {
  const before = configWith({ sidecar: { image: 'example.com/sidecar:0' } })

  test('explains the pod where it was in force a moment ago', () => {
    expect(codes(renderedBy(before), [before])).toEqual([])
  })

  test('explains nothing where it was not', () => {
    expect(codes(renderedBy(before))).toMatchObject([{ rule: 'sidecar' }])
  })

  test('explains nothing but what it renders', () => {
    const pod = sidecar(set(['image'], 'example.com/sidecar:2'))(POD)
    expect(codes(pod, [before])).toMatchObject([{ rule: 'sidecar' }])
  })
})
