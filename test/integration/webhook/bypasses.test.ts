// Every way past the rules that we know of, tried on the webhook as it serves: /mutate, then whatever another webhook
// makes of it, then /validate, then a change of what is stored.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Leaf } from '../../../certs/x509.ts'
import type { ImageIndex } from '../../../shared/image-index.ts'
import { numberAt, objectAt, stringAt, type JsonObject } from '../../../shared/json.ts'
import { ENFORCE_LABEL } from '../../../shared/names.ts'
import { fixedNamespaces, type Namespace } from '../../../webhook/cluster/namespace.ts'
import { createLoopbackCertificate } from '../../../webhook/embedded.ts'
import { applyPatch, type Operation } from '../../../webhook/inject/patch.ts'
import type { Webhook } from '../../../webhook/server.ts'
import { postReview, reviewOf, type ReviewFields } from '../../support/admission.ts'
import { meshProxy } from '../../support/bypasses/by-mesh.ts'
import { clusterConfig } from '../../support/cluster-config.ts'
import { WAYS } from '../../support/bypasses/table.ts'
import {
  ASKING,
  DIGEST,
  OURS_BY_IMAGE,
  PROXY_DIGEST,
  type Change,
  type Way,
} from '../../support/bypasses/way.ts'
import { startOnLoopback } from '../../support/loopback-webhook.ts'

const config = clusterConfig({
  sidecar: { image: 'example.com/sidecar:1' },
  settings: { auth: 'none' },
  floor: {
    allowAnonymous: true,
    allowBreakGlass: ['on-call'],
    exemptContainers: [
      { name: 'istio-proxy', image: 'docker.io/istio/proxyv2', digests: [PROXY_DIGEST] },
    ],
    issuers: [{ url: 'https://cluster.example.com', serviceAccounts: ['servers/web'] }],
    publicUrls: { servers: ['https://mcp.example.com/web'] },
  },
})

const record = (uid: number) => ({
  'linux/amd64': { entrypoint: ['server'], cmd: [], user: { uid } },
})
const images: ImageIndex = {
  version: 1,
  tags: {},
  images: { [DIGEST]: record(1000), [OURS_BY_IMAGE]: record(21_520) },
}

const named = (name: string, labels: Readonly<Record<string, string>>): Namespace => ({
  name,
  labels,
  annotations: {},
})
const namespaces = fixedNamespaces([
  named('servers', {}),
  named('strict', { [ENFORCE_LABEL]: 'strict' }),
  named('opted-in', { 'outrigger.dev/injection': 'enabled' }),
])

let certificate: Leaf
let webhook: Webhook

beforeAll(async () => {
  certificate = await createLoopbackCertificate()
  webhook = await startOnLoopback(certificate, {
    config: () => config,
    images: () => images,
    namespaces,
  })
}, 60_000)
afterAll(() => webhook.close())

const post = async (path: string, body: string): Promise<JsonObject> => {
  const url = `https://127.0.0.1:${webhook.port}${path}`
  const reply = await postReview(url, certificate.authorityPem, body)
  expect(reply.status).toBe(200)
  return objectAt(reply.body, 'response')
}

/** By what it is denied: codes and rules, or a status; undefined where it passes. */
const denialOf = (response: JsonObject): readonly string[] | undefined => {
  if (response['allowed'] === true) return undefined
  const words = ['reason', 'rules'].flatMap(
    (name) => stringAt(response, 'auditAnnotations', name)?.split(',') ?? [],
  )
  return [...words, String(numberAt(response, 'status', 'code'))]
}

const patchedBy = (response: JsonObject, pod: JsonObject): JsonObject => {
  const text = Buffer.from(stringAt(response, 'patch') ?? '', 'base64').toString()
  const operations: readonly Operation[] = text === '' ? [] : JSON.parse(text)
  const applied = applyPatch(pod, operations)
  if (!applied.ok) throw new Error(applied.error)
  return applied.value
}

interface Tried {
  readonly denied?: readonly string[]
  /** As the API server would have it in the end. */
  readonly stored: JsonObject
}

/** What a way makes of a pod; one that makes nothing of it would be no way. */
const madeBy = (change: Change | undefined, pod: JsonObject): JsonObject => {
  const made = change?.(pod) ?? pod
  expect(change ? made : {}).not.toEqual(pod)
  return made
}

const create = async ({ author, remade, body }: Way, namespace: string): Promise<Tried> => {
  const asked = madeBy(author, ASKING)
  const review = JSON.stringify(reviewOf(asked, { namespace }))
  const text = body?.(review) ?? review
  expect(body ? text : '').not.toBe(review)
  const mutated = await post('/mutate', text)
  const denied = denialOf(mutated)
  if (denied) return { denied, stored: {} }
  const injected = patchedBy(mutated, asked)
  const stored = madeBy(remade, injected)
  const last = denialOf(await post('/validate', JSON.stringify(reviewOf(stored, { namespace }))))
  return last ? { denied: last, stored } : { stored }
}

const later = async (way: Way, oldObject: JsonObject, namespace: string): Promise<Tried> => {
  const { changed, subResource, connects } = way
  const object: JsonObject = connects ? { kind: 'PodOptions' } : (changed?.(oldObject) ?? oldObject)
  expect(object).not.toEqual(oldObject)
  const fields: ReviewFields = {
    namespace,
    operation: connects ? 'CONNECT' : 'UPDATE',
    ...(connects ? {} : { oldObject }),
    ...(subResource === undefined ? {} : { subResource }),
  }
  const denied = denialOf(await post('/validate', JSON.stringify(reviewOf(object, fields))))
  return denied ? { denied, stored: object } : { stored: object }
}

const attempt = async (way: Way): Promise<Tried> => {
  const namespace = way.where ?? 'servers'
  const created = await create(way, namespace)
  const goesOn = way.changed ?? way.connects
  return created.denied || !goesOn ? created : later(way, created.stored, namespace)
}

const TRIED = WAYS.filter(({ who }) => who !== 'whoever has more of the cluster')
describe('a way past the rules', () => {
  test('is none for the pod that they begin with', async () => {
    for (const namespace of ['servers', 'strict', 'opted-in']) {
      const { denied } = await create(
        { who: 'the author of a pod', name: '', becomes: { cluster: '' } },
        namespace,
      )
      expect(denied).toBeUndefined()
    }
  })

  test('is none for a mesh’s proxy as its injector writes it', async () => {
    const { denied, stored } = await create(
      { who: 'the author of a pod', name: '', author: meshProxy(), becomes: { cluster: '' } },
      'strict',
    )
    expect([denied, JSON.stringify(stored).includes('istio-proxy')]).toEqual([undefined, true])
  })

  test.each(TRIED)('$who: $name', async (way) => {
    const { denied, stored } = await attempt(way)
    if ('denied' in way.becomes) expect(denied).toContain(way.becomes.denied)
    else expect(denied).toBeUndefined()
    if ('mended' in way.becomes) expect(way.becomes.isMended(stored)).toBe(true)
  })
})
