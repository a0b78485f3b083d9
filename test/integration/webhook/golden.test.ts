import { afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Leaf } from '../../../certs/x509.ts'
import { createLog } from '../../../shared/log.ts'
import {
  createLoopbackCertificate,
  startWebhook,
  type EmbeddedWebhook,
} from '../../../webhook/embedded.ts'
import { applyPatch, type Operation } from '../../../webhook/inject/patch.ts'
import { objectAt, objectsAt, stringAt, type JsonObject } from '../../../shared/json.ts'
import { fixedNamespaces } from '../../../webhook/cluster/namespace.ts'
import { expectedPod, expectedSummary, goldenCases, type GoldenCase } from '../../support/golden.ts'
import { postReview, reviewOf } from '../../support/admission.ts'

const log = createLog({
  level: 'error',
  write: (line) => process.stderr.write(line),
  now: Date.now,
})

/** Sends a pod through /mutate and applies the patch as the API server would. */
const mutate = async (
  { url, caBundle }: EmbeddedWebhook,
  golden: GoldenCase,
  pod: JsonObject,
): Promise<{ readonly response: JsonObject; readonly pod: JsonObject }> => {
  const review = reviewOf(pod, { namespace: golden.namespace.name, uid: golden.name })
  const { status, body } = await postReview(url, caBundle, JSON.stringify(review))
  expect(status).toBe(200)
  const response = objectAt(body, 'response')
  const text = Buffer.from(stringAt(response, 'patch') ?? '', 'base64').toString()
  const patch: readonly Operation[] = text === '' ? [] : JSON.parse(text)
  const patched = applyPatch(pod, patch)
  if (!patched.ok) throw new Error(patched.error)
  return { response, pod: patched.value }
}

describe('/mutate over TLS, by golden files', () => {
  let certificate: Leaf | undefined
  let webhook: EmbeddedWebhook | undefined

  beforeAll(async () => {
    certificate = await createLoopbackCertificate()
  }, 60_000)

  afterEach(async () => {
    await webhook?.close()
  })

  test.each(goldenCases())('$name', async (golden) => {
    if (!certificate) throw new Error('no certificate')
    const { name, config, namespace } = golden
    const namespaces = fixedNamespaces([namespace])
    webhook = await startWebhook({ config, namespaces, log, certificate })
    const first = await mutate(webhook, golden, golden.pod)
    const summary = expectedSummary(name)
    expect(first.response).toMatchObject({
      uid: name,
      allowed: summary['decision'] !== 'deny',
      auditAnnotations: { decision: summary['decision'] },
    })
    for (const violation of objectsAt(summary, 'violations')) {
      expect(stringAt(first.response, 'status', 'message')).toContain(
        stringAt(violation, 'message'),
      )
    }
    expect(first.pod).toStrictEqual(expectedPod(name) ?? golden.pod)
    const second = await mutate(webhook, golden, first.pod)
    expect(second.response['patch']).toBeUndefined()
  })
})
