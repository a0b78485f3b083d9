import { describe, expect, test } from '@jest/globals'
import { EMPTY_INDEX } from '../../../../shared/image-index.ts'
import { objectAt, type Json, type JsonObject } from '../../../../shared/json.ts'
import { validate } from '../../../../webhook/admission/validate.ts'
import { parseClusterConfig } from '../../../../webhook/cluster/config.ts'
import { fixedNamespaces, type Namespaces } from '../../../../webhook/cluster/namespace.ts'
import { reviewOf, type ReviewFields } from '../../../support/admission.ts'

const config = parseClusterConfig({
  sidecar: { image: 'example.com/sidecar' },
  settings: { auth: 'none' },
  floor: { allowAnonymous: true, enforce: 'strict', allowBreakGlass: ['on-call'] },
})
if (!config.ok) throw new Error(config.error.join('; '))

const bytes = (value: Json): Uint8Array => Buffer.from(JSON.stringify(value))
const down: Namespaces = { get: () => Promise.reject(new Error('down')) }

const answer = async (
  review: JsonObject,
  namespaces = fixedNamespaces([]),
): Promise<JsonObject> => {
  const answered = await validate(bytes(review), {
    config: () => config.value,
    images: () => EMPTY_INDEX,
    namespaces,
    now: () => 0,
  })
  if (!answered.answer.ok) throw new Error(answered.answer.error.message)
  return objectAt(answered.answer.value.document, 'response')
}

const ASKING: JsonObject = {
  metadata: { name: 'web', annotations: { 'outrigger.dev/inject': 'true' } },
  spec: { containers: [{ name: 'server', image: 'example.com/server:1', command: ['server'] }] },
}
const exec = { operation: 'CONNECT', subResource: 'exec' }
const OPTIONS: JsonObject = { apiVersion: 'v1', kind: 'PodExecOptions', command: ['sh'] }

const withGroups = (review: JsonObject, ...groups: readonly string[]): JsonObject => ({
  ...review,
  request: { ...objectAt(review, 'request'), name: 'web-1', userInfo: { username: 'ann', groups } },
})

describe('validate', () => {
  test('denies a pod that was never injected, with every reason', async () => {
    const response = await answer(reviewOf(ASKING))
    expect(response).toMatchObject({ uid: '1', allowed: false, status: { code: 403 } })
    expect(response['auditAnnotations']).toMatchObject({ decision: 'deny', reason: 'rule' })
    expect(objectAt(response, 'auditAnnotations')['rules']).toContain('image-digest')
    expect(objectAt(response, 'auditAnnotations')['rules']).toContain('sidecar')
    expect(JSON.stringify(response)).toContain('there is no container outrigger-sidecar in it')
  })

  test('says nothing of a pod that does not ask', async () => {
    const pod = { metadata: {}, spec: ASKING['spec'] ?? {} }
    expect(await answer(reviewOf(pod))).toEqual({
      uid: '1',
      allowed: true,
      auditAnnotations: { decision: 'skip', reason: 'not-opted-in' },
    })
  })

  test.each<readonly [string, ReviewFields, JsonObject | null]>([
    ['a deletion', { operation: 'DELETE' }, null],
    [
      'a subresource that is none of those',
      { operation: 'UPDATE', subResource: 'eviction' },
      ASKING,
    ],
    ['a creation without its object', {}, null],
    ['a connection to something else', { operation: 'CONNECT', subResource: 'log' }, OPTIONS],
  ])('%s passes', async (_name, fields, object) => {
    expect(await answer(reviewOf(object, fields))).toEqual({ uid: '1', allowed: true })
  })

  test.each(['ephemeralcontainers', 'resize', 'status', undefined])(
    'an update of %s is judged',
    async (subResource) => {
      const fields = {
        operation: 'UPDATE',
        ...(subResource ? { subResource } : {}),
        oldObject: { metadata: {} },
      }
      expect(await answer(reviewOf(ASKING, fields))).toMatchObject({
        allowed: false,
        auditAnnotations: { rules: 'own-keys' },
      })
    },
  )

  test('a pod of very many values that was created can be changed', async () => {
    const env = Array.from({ length: 4000 }, (_, index) => ({ name: `V${index}`, value: 'x' }))
    const fields = Object.fromEntries(env.map(({ name }) => [`k:{"name":"${name}"}`, {}]))
    const having = (labels: JsonObject): JsonObject => ({
      metadata: { name: 'web', labels, managedFields: [{ fieldsV1: fields }] },
      spec: { containers: [{ name: 'server', image: 'x', env }] },
    })
    const review = reviewOf(having({ app: 'web' }), { operation: 'UPDATE', oldObject: having({}) })
    expect(JSON.stringify(review).split(',').length).toBeGreaterThan(22_000)
    expect(await answer(review)).toMatchObject({ allowed: true })
  })

  test('an update without what was before counts as all new', async () => {
    expect(await answer(reviewOf(ASKING, { operation: 'UPDATE' }))).toMatchObject({
      allowed: false,
    })
  })

  test('an exec is denied in strict, and said of whom', async () => {
    const response = await answer(withGroups(reviewOf(OPTIONS, exec), 'system:masters'))
    expect(response).toMatchObject({ allowed: false, auditAnnotations: { rules: 'connections' } })
  })

  test('an exec by break-glass passes, and stands on record', async () => {
    expect(await answer(withGroups(reviewOf(OPTIONS, exec), 'on-call'))).toMatchObject({
      allowed: true,
      auditAnnotations: { reason: 'break-glass', recorded: 'connections (pod "web-1")' },
    })
  })

  test('groups that are no list of texts are none', async () => {
    const review = withGroups(reviewOf(OPTIONS, exec))
    const request = { ...objectAt(review, 'request'), userInfo: { groups: 'on-call' } }
    expect(await answer({ ...review, request })).toMatchObject({ allowed: false })
  })

  test.each([
    ['a pod', reviewOf(ASKING)],
    ['a change', reviewOf(ASKING, { operation: 'UPDATE' })],
    ['an exec', reviewOf(OPTIONS, exec)],
  ])('%s is refused where the namespace cannot be read', async (_name, review) => {
    expect(await answer(review, down)).toMatchObject({ allowed: false, status: { code: 503 } })
  })
})
