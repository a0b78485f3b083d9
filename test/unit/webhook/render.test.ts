import * as fc from 'fast-check'
import { describe, expect, test } from '@jest/globals'
import { SIDECAR_CONTAINER } from '../../../shared/names.ts'
import { parseSidecarConfig } from '../../../shared/sidecar-config.ts'
import { applyPatch } from '../../../webhook/inject/patch.ts'
import { render } from '../../../webhook/inject/render.ts'
import {
  isObject,
  isSame,
  objectsAt,
  stringAt,
  type Json,
  type JsonObject,
} from '../../../shared/json.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const config = clusterConfig({
  sidecar: { image: 'x', imagePullSecrets: ['registry'] },
  floor: { allowAnonymous: true, allowSharedProcesses: true, allowKubeApi: true },
})
const namespace = {
  name: 'a',
  labels: { 'outrigger.dev/injection': 'enabled' },
  annotations: { 'outrigger.dev/auth': 'none' },
}

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const optional = { requiredKeys: [] }

/** Mostly the first, now and then what is likely to be denied. */
const mostly = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 19, arbitrary: usual }, { weight: 1, arbitrary: rare })

const container = (name: string): fc.Arbitrary<JsonObject> =>
  fc
    .record(
      {
        image: oneOf('i', 'docker.io/istio/proxyv2:1'),
        command: mostly(
          oneOf<Json>(['a'], ['a', '--', 'b'], ['npx', 'a'], ['sh', '-c', 'pip install a']),
          oneOf<Json>([], null),
        ),
        env: oneOf<Json>([], [{ name: 'HOME', value: '/tmp' }], [{ name: 'A' }]),
        args: oneOf<Json>(['x'], []),
        tty: fc.boolean(),
        livenessProbe: oneOf({ exec: { command: ['x'] } }),
        lifecycle: oneOf<Json>({}, { postStart: {} }, { preStop: {} }),
        restartPolicy: oneOf('Always'),
        resources: oneOf<Json>(
          {},
          { limits: { cpu: '1', memory: '1Gi' } },
          { limits: { memory: '100m' } },
          null,
        ),
        securityContext: oneOf<Json>(
          null,
          {},
          { runAsUser: 7 },
          { capabilities: { drop: [] } },
          { capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] } },
          { readOnlyRootFilesystem: true },
        ),
        volumeMounts: mostly(
          oneOf<Json>(
            [],
            [{ name: 'v', mountPath: '/tmp/' }],
            [{ name: 'kube-api-access-abcde', mountPath: '/x' }],
          ),
          oneOf<Json>([{ name: 'outrigger-run', mountPath: '/y' }]),
        ),
        ports: mostly(oneOf<Json>([]), oneOf<Json>([{ containerPort: 1 }])),
      },
      optional,
    )
    .map((fields): JsonObject => Object.assign({ name, command: ['server'] }, fields))

const pods: fc.Arbitrary<JsonObject> = fc.record({
  metadata: fc.record(
    {
      labels: oneOf<Json>({}, null, { 'outrigger.dev/injected': 'true' }),
      annotations: oneOf<Json>(
        {},
        null,
        { 'outrigger.dev/process-model': 'shared' },
        { 'outrigger.dev/transport': 'http' },
        { 'outrigger.dev/needs-kube-api': 'true', 'outrigger.dev/command': '["c"]' },
        { 'outrigger.dev/writable-paths': '/a,/tmp', 'outrigger.dev/container': 's' },
        { 'outrigger.dev/status': '{"version":1}' },
      ),
    },
    optional,
  ),
  spec: fc
    .record({
      containers: mostly<readonly JsonObject[]>(
        fc.tuple(container('s')),
        fc.oneof(
          fc.tuple(container('s'), container('t')),
          fc.tuple(container('outrigger-sidecar')),
        ),
      ),
      rest: fc.record(
        {
          initContainers: mostly<readonly JsonObject[]>(
            fc.oneof(fc.tuple(container('istio-proxy')), fc.tuple(container('i'), container('j'))),
            fc.tuple(container('i'), container('outrigger-sidecar')),
          ),
          volumes: mostly(
            oneOf<Json>(
              [],
              null,
              [{ name: 'v', emptyDir: {} }],
              [{ name: 'kube-api-access-abcde', projected: {} }],
            ),
            oneOf<Json>([{ name: 'outrigger-run', emptyDir: {} }]),
          ),
          securityContext: oneOf<Json>({}, null, { runAsUser: 7 }),
          resources: oneOf<Json>({ limits: { cpu: '1', memory: '1Gi' } }, {}),
          restartPolicy: oneOf('Always', 'Never'),
          terminationGracePeriodSeconds: oneOf(0, 1, 8, 1_000_000),
          imagePullSecrets: oneOf<Json>([], [{ name: 'registry' }]),
        },
        optional,
      ),
    })
    .map(({ containers, rest }): JsonObject => Object.assign({ containers }, rest)),
})

/** The configuration that the sidecar of an injected pod will read. */
const documentOf = (pod: JsonObject): unknown => {
  const sidecar = objectsAt(pod, 'spec', 'initContainers').find(
    ({ name }) => name === SIDECAR_CONTAINER,
  )
  const text = stringAt(objectsAt(sidecar, 'env')[0], 'value') ?? ''
  return JSON.parse(text.replaceAll('$$', '$'))
}

describe('render', () => {
  test('is idempotent, proves its patch, and leaves its input alone, for any mixture', () => {
    let injected = 0
    fc.assert(
      fc.property(pods, (pod) => {
        const before = structuredClone(pod)
        const outcome = render(pod, namespace, config)
        expect(isSame(pod, before)).toBe(true)
        if (outcome.kind !== 'inject') return
        injected += 1
        const patched = applyPatch(pod, outcome.patch)
        expect(patched.ok && isSame(patched.value, outcome.pod)).toBe(true)
        expect(parseSidecarConfig(documentOf(outcome.pod))).toMatchObject({ ok: true })
        const again = render(outcome.pod, namespace, config)
        expect(again.kind === 'inject' && again.patch).toEqual([])
      }),
      { numRuns: 1000 },
    )
    // A generator that only made pods that are denied would show nothing.
    expect(injected).toBeGreaterThan(50)
  })

  const anything = fc.json({ maxDepth: 4 }).map((text): Json => JSON.parse(text))
  test('never throws, whatever the pod is made of', () => {
    fc.assert(
      fc.property(anything, anything, anything, (metadata, containers, volumes) => {
        const pod = { metadata, spec: { containers, initContainers: containers, volumes } }
        const outcome = render(pod, namespace, config)
        expect(['inject', 'skip', 'deny']).toContain(outcome.kind)
      }),
      { numRuns: 500 },
    )
  })

  test('annotations that would not fit are denied before the API server refuses them', () => {
    const annotations = { 'outrigger.dev/inject': 'true', big: 'x'.repeat(262_000) }
    const pod = { metadata: { annotations }, spec: { containers: [{ name: 's', command: ['a'] }] } }
    expect(render(pod, namespace, config)).toMatchObject({
      kind: 'deny',
      violations: [{ code: 'too-large' }],
    })
  })
})

test('null counts as absent', () => {
  const pod = {
    metadata: null,
    spec: { containers: [{ name: 's', command: ['a'] }], volumes: null },
  }
  const outcome = render(pod, namespace, config)
  expect(outcome.kind === 'inject' && isObject(outcome.pod)).toBe(true)
})

test('an unclear wish is told with everything else that is wrong', () => {
  const annotations = { 'outrigger.dev/inject': 'yes', 'outrigger.dev/idle-timeout': 'banana' }
  const pod = { metadata: { annotations }, spec: { containers: [{ name: 'c', command: ['c'] }] } }
  expect(render(pod, { name: 'b', labels: {}, annotations: {} }, config)).toMatchObject({
    kind: 'deny',
    violations: [
      { message: expect.stringContaining('outrigger.dev/inject: "yes"') },
      { message: expect.stringContaining('outrigger.dev/idle-timeout: "banana"') },
    ],
  })
})

test.each([
  ['another value that quotes it', { 'outrigger.dev/log-level': 'outrigger.dev/inject: yes' }, {}],
  ['the namespace, where it may not stand', {}, { 'outrigger.dev/inject': 'yes' }],
])('%s is no unclear wish', (_name, annotations, onNamespace) => {
  const pod = { metadata: { annotations }, spec: { containers: [{ name: 'c', command: ['c'] }] } }
  const outcome = render(pod, { name: 'b', labels: {}, annotations: onNamespace }, config)
  expect(outcome).toMatchObject({ kind: 'skip', reason: 'not-opted-in' })
})
