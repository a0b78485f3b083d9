import { describe, expect, test } from '@jest/globals'
import { applyPatch } from '../../../../webhook/inject/patch.ts'
import { render } from '../../../../webhook/inject/render.ts'
import { objectAt, withAt, type JsonObject } from '../../../../shared/json.ts'
import { decideWorkload, type Surroundings } from '../../../../webhook/workload/decide.ts'
import { kindOfObject } from '../../../../webhook/workload/kinds.ts'
import type { WorkloadOutcome } from '../../../../webhook/workload/outcome.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const config = clusterConfig({
  sidecar: { image: 'x' },
  floor: { allowAnonymous: true, egressMode: 'observe' },
})
const namespace = { name: 'servers', labels: {}, annotations: {} }
const around: Surroundings = { config, namespaceName: 'servers', namespace }

const ours = (texts: Readonly<Record<string, string>>): JsonObject =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [`outrigger.dev/${key}`, text]))

const POD = {
  securityContext: { runAsUser: 1000 },
  containers: [{ name: 'server', image: 'i', command: ['server'] }],
}
const ASKS = { inject: 'true', auth: 'none' }

const workload = (
  own: Readonly<Record<string, string>>,
  template: JsonObject = {},
  kind = 'StatefulSet',
): JsonObject => ({
  apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
  kind,
  metadata: { name: 'web', annotations: ours(own) },
  spec: { template: { metadata: { annotations: template }, spec: POD } },
})

const decide = (
  object: JsonObject,
  old?: JsonObject,
  more: Partial<Surroundings> = {},
): WorkloadOutcome => {
  const kind = kindOfObject(object)
  if (!kind) throw new Error('not a workload')
  return decideWorkload({ kind, object, old }, { ...around, ...more })
}

const after = (object: JsonObject, old?: JsonObject): JsonObject => {
  const outcome = decide(object, old)
  const patched = applyPatch(object, outcome.kind === 'propagate' ? outcome.patch : [])
  return patched.ok ? patched.value : {}
}

const copied = (...keys: readonly (keyof typeof ASKS)[]): JsonObject => {
  const texts = Object.fromEntries(keys.map((key) => [key, ASKS[key]]))
  return { ...ours(texts), 'outrigger.dev/workload': JSON.stringify({ version: 1, copied: texts }) }
}

describe('what is left as it came', () => {
  test.each([
    {
      name: 'a workload of the system',
      object: workload(ASKS),
      more: { namespaceName: 'kube-system' },
      reason: 'system-namespace',
    },
    {
      name: 'one that is being deleted',
      object: withAt(workload(ASKS), ['metadata', 'deletionTimestamp'], '2026-01-01T00:00:00Z'),
      reason: 'being-deleted',
    },
    {
      name: 'one that another controls',
      object: withAt(
        workload(ASKS, {}, 'ReplicaSet'),
        ['metadata', 'ownerReferences'],
        [{ kind: 'Deployment', name: 'web', controller: true }],
      ),
      reason: 'controlled',
    },
    {
      name: 'one without a template',
      object: withAt(workload(ASKS), ['spec', 'template'], null),
      reason: 'no-template',
    },
    {
      name: 'one whose template has its copies already',
      object: workload(ASKS, copied('inject', 'auth')),
      old: workload(ASKS, copied('inject', 'auth')),
      reason: 'unchanged',
    },
  ])('$name', ({ object, old, more, reason }) => {
    expect(decide(object, old, more)).toEqual({ kind: 'skip', reason, warnings: [] })
  })
})

describe('the patch', () => {
  test('copies in the same write, and a second pass changes nothing', () => {
    const written = after(workload(ASKS))
    expect(objectAt(written, 'spec', 'template', 'metadata', 'annotations')).toEqual(
      copied('inject', 'auth'),
    )
    expect(decide(written)).toMatchObject({ kind: 'skip', reason: 'unchanged' })
  })

  test('touches the template’s annotations and nothing else', () => {
    const outcome = decide(workload(ASKS))
    const paths = outcome.kind === 'propagate' ? outcome.patch.map(({ path }) => path) : []
    expect(paths).toHaveLength(3)
    for (const path of paths) expect(path).toMatch(/^\/spec\/template\/metadata\/annotations\//)
  })

  test('copies that no longer fit are refused before the API server does', () => {
    const command = JSON.stringify(['x'.repeat(60_000)])
    const big = withAt(
      workload({ ...ASKS, command }, { note: 'x'.repeat(150_000) }),
      ['kind'],
      'StatefulSet',
    )
    expect(decide(big)).toMatchObject({ kind: 'deny', violations: [{ code: 'too-large' }] })
  })
})

describe('what a write to another time’s template is told', () => {
  const now = workload(ASKS, copied('inject', 'auth'))
  test.each([
    {
      name: 'a template from before the annotation: put back',
      object: workload(ASKS, {}),
      old: now,
      says: [
        /^StatefulSet web: put back into the template: outrigger.dev\/inject, outrigger.dev\/auth;/,
      ],
    },
    {
      name: 'a template from before the annotation was taken off: taken out',
      object: workload({}, copied('inject')),
      old: workload({}, {}),
      says: [/^StatefulSet web: taken out of the template: outrigger.dev\/inject;/],
    },
    {
      name: 'a copy of a workload that has lost its annotation: taken out',
      object: workload({}, copied('inject')),
      old: undefined,
      says: [/^StatefulSet web: taken out of the template: outrigger.dev\/inject;/],
    },
    { name: 'annotating', object: workload(ASKS, {}), old: workload({}, {}), says: [] },
    {
      name: 'taking the annotation off',
      object: workload({}, copied('inject', 'auth')),
      old: now,
      says: [],
    },
    {
      name: 'changing it',
      object: workload({ ...ASKS, auth: 'oidc' }, copied('inject', 'auth')),
      old: now,
      says: [
        /will be denied: outrigger.dev\/auth: oidc: the cluster configuration lists no issuer/,
      ],
    },
    {
      name: 'writing one’s own into the template',
      object: workload(ASKS, { ...copied('inject', 'auth'), 'outrigger.dev/inject': 'false' }),
      old: now,
      says: [],
    },
  ])('$name', ({ object, old, says }) => {
    expect(decide(object, old).warnings).toEqual(says.map((text) => expect.stringMatching(text)))
  })
})

describe('a Job that exists', () => {
  const job = (own: Readonly<Record<string, string>>): JsonObject => workload(own, {}, 'Job')
  test('is told that its template cannot be changed', () => {
    expect(decide(job(ASKS), job({}))).toEqual({
      kind: 'skip',
      reason: 'immutable',
      warnings: [
        expect.stringMatching(
          /^Job web: too late for outrigger.dev\/inject, outrigger.dev\/auth: /,
        ),
      ],
    })
  })
  test('is told once, not at every write', () => {
    expect(decide(job(ASKS), job(ASKS)).warnings).toEqual([])
  })
  test('is copied into where it is created', () => {
    expect(decide(job(ASKS))).toMatchObject({ kind: 'propagate', warnings: [] })
  })
})

describe('what will become of the pods', () => {
  test('a denial to come is a warning, with every reason, and the write goes through', () => {
    const object = withAt(workload(ASKS), ['spec', 'template', 'spec', 'hostNetwork'], true)
    const worse = withAt(object, ['spec', 'template', 'spec', 'hostPID'], true)
    const { kind, warnings } = decide(worse)
    expect(kind).toBe('propagate')
    expect(warnings).toHaveLength(2)
    for (const text of warnings)
      expect(text).toMatch(/^pods of StatefulSet web will be denied: host/)
  })

  test('is judged by the namespace too, where nothing is copied', () => {
    const labelled = { ...namespace, labels: { 'outrigger.dev/injection': 'enabled' } }
    const outcome = decide(workload({}), undefined, { namespace: labelled })
    expect(outcome).toMatchObject({ kind: 'skip', reason: 'unchanged' })
    expect(outcome.warnings).toEqual([expect.stringMatching(/^pods of .* will be denied: .*oidc/)])
  })

  test('is said once: not where a write leaves the template as it was', () => {
    const denied = workload({ inject: 'true' }, {})
    const stored = after(denied)
    expect(decide(denied).warnings).not.toEqual([])
    expect(decide(withAt(stored, ['metadata', 'labels'], { a: 'b' }), stored).warnings).toEqual([])
  })

  test('a key without inject is told', () => {
    expect(decide(workload({ auth: 'none' })).warnings).toEqual([
      'pods of StatefulSet web: has outrigger.dev/auth but not outrigger.dev/inject: "true": nothing was injected',
    ])
  })

  test('a namespace that cannot be read keeps nothing from being copied', () => {
    const outcome = decide(workload(ASKS), undefined, { namespace: undefined })
    expect(outcome.kind).toBe('propagate')
    expect(outcome.warnings).toEqual([expect.stringContaining('could not be read')])
  })

  test('is what the pod itself is told', () => {
    const object = workload(
      { ...ASKS, 'process-model': 'session' },
      ours({ 'process-model': 'principal' }),
    )
    const template = objectAt(after(object), 'spec', 'template')
    const outcome = render(template, namespace, config)
    expect(outcome).toMatchObject({
      kind: 'deny',
      violations: [{ code: 'loosened', message: expect.stringContaining('which workload fixes') }],
    })
    expect(decide(object).warnings).toEqual([
      expect.stringMatching(
        /will be denied: outrigger.dev\/process-model: `principal` loosens `session`, which StatefulSet web fixes/,
      ),
    ])
  })
})
