import { describe, expect, test } from '@jest/globals'
import { mutate } from '../../../webhook/admission/mutate.ts'
import { denialMessage, respond } from '../../../webhook/admission/response.ts'
import { parseReview } from '../../../webhook/admission/review.ts'
import { EMPTY_INDEX } from '../../../shared/image-index.ts'
import { violation } from '../../../webhook/settings/violation.ts'
import { objectAt, stringAt, type Json, type JsonObject } from '../../../shared/json.ts'
import { fixedNamespaces, type Namespaces } from '../../../webhook/cluster/namespace.ts'
import { reviewOf, type ReviewFields } from '../../support/admission.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const config = clusterConfig({ sidecar: { image: 'x' }, floor: { allowAnonymous: true } })

const pod: JsonObject = {
  metadata: { annotations: { 'outrigger.dev/inject': 'true', 'outrigger.dev/auth': 'none' } },
  spec: { containers: [{ name: 'c', image: 'i', command: ['x'] }] },
}

const deployment: JsonObject = {
  metadata: { name: 'web', annotations: { 'outrigger.dev/inject': 'true' } },
  spec: { template: pod },
}

const bytes = (value: Json): Uint8Array => Buffer.from(JSON.stringify(value))

const answer = async (
  body: Uint8Array,
  namespaces: Namespaces = fixedNamespaces([]),
): Promise<JsonObject> => {
  const { answer } = await mutate(body, {
    config: () => config,
    images: () => EMPTY_INDEX,
    namespaces,
    now: () => 0,
  })
  return answer.ok
    ? objectAt(answer.value.document, 'response')
    : { message: answer.error.message, uid: null }
}

describe('parseReview', () => {
  test.each([
    ['not JSON', Buffer.from('{'), undefined],
    ['not an object', bytes([1]), undefined],
    ['another version', bytes({ ...reviewOf(pod), apiVersion: 'admission.k8s.io/v1beta1' }), '1'],
    ['another kind', bytes({ ...reviewOf(pod), kind: 'Pod' }), '1'],
    [
      'no request',
      bytes({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }),
      undefined,
    ],
    ['no uid', bytes({ ...reviewOf(pod), request: {} }), undefined],
    [
      'an object that is none',
      bytes({ ...reviewOf(pod), request: { uid: '7', object: 'x' } }),
      '7',
    ],
  ])('%s', (_name, body, uid) => {
    expect(parseReview(body)).toMatchObject({ ok: false, error: { origin: { uid } } })
  })
})

describe('mutate', () => {
  test('injects the creation of a pod and echoes the uid', async () => {
    expect(await answer(bytes(reviewOf(pod, { uid: 'abc' })))).toMatchObject({
      uid: 'abc',
      allowed: true,
      patchType: 'JSONPatch',
      auditAnnotations: { decision: 'inject' },
    })
  })

  test('a dry run gets the same answer', async () => {
    const wet = await answer(bytes(reviewOf(pod)))
    expect(await answer(bytes(reviewOf(pod, { dryRun: true })))).toEqual(wet)
  })

  const deployments = { group: 'apps', version: 'v1', resource: 'deployments' }
  const configMaps = { group: '', version: 'v1', resource: 'configmaps' }
  test.each<readonly [string, ReviewFields, JsonObject | null]>([
    ['an update', { operation: 'UPDATE' }, pod],
    ['a deletion', { operation: 'DELETE' }, null],
    ['a subresource', { subResource: 'ephemeralcontainers' }, pod],
    ['another resource', { resource: configMaps }, pod],
    ['a subresource of a workload', { resource: deployments, subResource: 'scale' }, deployment],
    ['the deletion of a workload', { resource: deployments, operation: 'DELETE' }, deployment],
    ['a creation without its object', {}, null],
  ])('%s passes untouched', async (_name, fields, object) => {
    expect(await answer(bytes(reviewOf(object, fields)))).toEqual({ uid: '1', allowed: true })
  })

  test('writes the template of a workload, and says what will become of its pods', async () => {
    const review = reviewOf(
      { ...deployment, spec: { template: { spec: pod['spec'] ?? null } } },
      { resource: deployments, operation: 'UPDATE', oldObject: deployment },
    )
    expect(await answer(bytes(review))).toMatchObject({
      allowed: true,
      patchType: 'JSONPatch',
      warnings: [
        expect.stringMatching(
          /^pods of Deployment web will be denied: .*auth: oidc: the cluster configuration lists no issuer/,
        ),
        'pods of Deployment web will be denied: … none (anybody may call) where floor.allowAnonymous is on',
      ],
      auditAnnotations: { decision: 'propagate' },
    })
  })

  test('copies a workload’s annotations even where its namespace cannot be read', async () => {
    const down = { get: () => Promise.reject(new Error('down')) }
    const body = bytes(reviewOf(deployment, { resource: deployments }))
    expect(await answer(body, down)).toMatchObject({
      allowed: true,
      warnings: [expect.stringContaining('could not be read')],
    })
  })

  test.each<readonly [string, Namespaces]>([
    ['is missing', { get: () => Promise.resolve(undefined) }],
    ['cannot be read', { get: () => Promise.reject(new Error('down')) }],
  ])('refuses when the namespace %s', async (_name, namespaces) => {
    expect(await answer(bytes(reviewOf(pod)), namespaces)).toMatchObject({
      uid: '1',
      allowed: false,
      status: { code: 503 },
    })
  })

  test.each<readonly [string, Namespaces, string]>([
    ['is missing', { get: () => Promise.resolve(undefined) }, 'knows no such namespace'],
    ['cannot be read', { get: () => Promise.reject(new Error('403 Forbidden')) }, '403 Forbidden'],
  ])('keeps the cause when the namespace %s', async (_name, namespaces, cause) => {
    const { answer } = await mutate(bytes(reviewOf(pod)), {
      config: () => config,
      images: () => EMPTY_INDEX,
      namespaces,
      now: () => 0,
    })
    expect(answer).toMatchObject({
      value: {
        decision: 'refuse',
        reason: 'namespace-unknown',
        cause: expect.stringContaining(cause),
      },
    })
  })

  test('counts the time that it keeps the event loop, not the wait for a namespace', async () => {
    let clock = 0
    const now = (): number => (clock += 1)
    const get = (name: string): ReturnType<Namespaces['get']> => {
      clock += 1000
      return fixedNamespaces([]).get(name)
    }
    const { busyMs } = await mutate(bytes(reviewOf(pod)), {
      config: () => config,
      images: () => EMPTY_INDEX,
      namespaces: { get },
      now,
    })
    expect(busyMs).toBe(2)
  })

  test('refuses a malformed review that has a uid by that uid', async () => {
    const body = bytes({ ...reviewOf(pod), kind: 'Pod' })
    expect(await answer(body)).toMatchObject({ uid: '1', allowed: false, status: { code: 400 } })
  })

  test('a denial carries every reason', async () => {
    const bad = { ...pod, spec: { hostNetwork: true, hostPID: true, containers: [] } }
    const response = await answer(bytes(reviewOf(bad)))
    expect(response).toMatchObject({ allowed: false, status: { code: 403, reason: 'Forbidden' } })
    const message = stringAt(response, 'status', 'message') ?? ''
    for (const word of ['hostNetwork', 'hostPID', 'no container']) expect(message).toContain(word)
  })
})

describe('responses', () => {
  test('a reason cannot forge another', () => {
    const violations = [violation('floor', 'a\n  - b'), violation('floor', 'c')]
    expect(denialMessage({ violations })).toBe('2 reasons:\n  - a   - b\n  - c')
  })

  test('one reason stands alone, several get a line each', () => {
    const one = violation('internal', 'one')
    expect(denialMessage({ violations: [one] })).toBe('one')
    expect(denialMessage({ violations: [one, one] })).toBe('2 reasons:\n  - one\n  - one')
  })

  test('a denial is bounded', () => {
    const violations = [violation('internal', 'x'.repeat(100_000))]
    expect(denialMessage({ violations }).length).toBeLessThanOrEqual(32_768)
  })

  test('an injection that changes nothing has no patch', () => {
    const outcome = {
      kind: 'inject',
      pod: {},
      server: 's',
      mayHaveToken: false,
      ownCertificate: undefined,
      isEgressEnforced: false,
      patch: [],
      warnings: [],
    } as const
    expect(respond('1', outcome)['response']).toEqual({
      uid: '1',
      allowed: true,
      auditAnnotations: { decision: 'inject' },
    })
  })
})
