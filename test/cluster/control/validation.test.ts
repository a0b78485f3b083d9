// What is only judged, with the real API server as the caller: pods that others have changed after us,
// changes of running pods by each way that there is, who gets into one, and the policies that stand
// when our webhook does not.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { objectAt, type JsonObject } from '../../../shared/json.ts'
import { postReview, reviewOf, type ReviewFields } from '../../support/admission.ts'
import { startAdmissionServer, type AdmissionServer } from '../admission-server.ts'
import { at, createApi, list, type Json, type Reply } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { waitFor } from '../machine/waiting.ts'
import { INJECT, serverPod } from '../pods.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const plainJson = (value: Json): JsonObject =>
  objectAt({ value: JSON.parse(JSON.stringify(value)) }, 'value')
const OPT_IN = { 'outrigger.dev/injection': 'enabled' }
const STRICT = { 'outrigger.dev/enforce': 'strict' }
const RESTRICTED = {
  runAsUser: 4000,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}
const debugging = (fields: Json): Json => ({
  spec: {
    ephemeralContainers: [
      { name: 'debug', image: 'busybox', securityContext: RESTRICTED, ...fields },
    ],
  },
})

describeOwnCluster('control', 'validation', (target) => {
  const api = createApi(target.api)
  let webhook: WebhookProcess

  beforeAll(async () => {
    webhook = await startWebhook(target, 'overlays/dev')
    await api.createNamespace('judged')
    await api.createNamespace('judged-in', OPT_IN)
    await api.createNamespace('judged-strict', { ...OPT_IN, ...STRICT })
  })
  afterAll(() => webhook.close())

  const podPath = (name: string, namespace = 'judged'): string =>
    `/api/v1/namespaces/${namespace}/pods/${name}`
  const made = async (name: string): Promise<string> => {
    await api.apply([serverPod(name)], 'judged')
    return podPath(name)
  }
  const strategic = (path: string, body: Json): Promise<Reply> =>
    api.request('PATCH', path, body, 'application/strategic-merge-patch+json')
  const denied = (reply: Reply, by: string): void => {
    expect([reply.status, String(reply.body['message'])]).toEqual([
      403,
      expect.stringContaining(`(rule ${by})`),
    ])
  }

  describe('a running pod', () => {
    test.each([
      ['the pod itself', ''],
      ['its status', '/status'],
    ])('keeps our labels, whoever writes %s', async (_name, subresource) => {
      const path = await made(`labels${subresource.replace('/', '-')}`)
      const forged = { metadata: { labels: { 'outrigger.dev/injected': null } } }
      denied(await api.patch(`${path}${subresource}`, forged), 'own-keys')
      const theirs = { metadata: { labels: { app: 'x' } } }
      expect((await api.patch(`${path}${subresource}`, theirs)).status).toBe(200)
    })

    test('that was never injected cannot be marked', async () => {
      await api.apply([serverPod('plain', { annotations: {} })], 'judged')
      const marks = { metadata: { labels: { 'outrigger.dev/injected': 'true' } } }
      denied(await api.patch(podPath('plain'), marks), 'own-keys')
    })

    test('keeps its sidecar, by an update of its image', async () => {
      const path = await made('images')
      const body = { spec: { initContainers: [{ name: 'outrigger-sidecar', image: 'other' }] } }
      denied(await strategic(path, body), 'sidecar')
    })

    test('takes no debug container into its sidecar, and one beside the server at baseline', async () => {
      const path = `${await made('debugged')}/ephemeralcontainers`
      denied(
        await strategic(path, debugging({ targetContainerName: 'outrigger-sidecar' })),
        'sidecar-access',
      )
      denied(await strategic(path, debugging({ securityContext: {} })), 'capabilities')
      const unknown = { ...RESTRICTED, runAsUser: undefined }
      denied(await strategic(path, debugging({ securityContext: unknown })), 'sidecar-access')
      expect((await strategic(path, debugging({ targetContainerName: 'server' }))).status).toBe(200)
    })

    test('is resized within what its sidecar needs', async () => {
      const path = `${await made('resized')}/resize`
      const to = (memory: string): Json => ({
        spec: {
          initContainers: [{ name: 'outrigger-sidecar', resources: { limits: { memory } } }],
        },
      })
      denied(await strategic(path, to('100Mi')), 'sidecar')
      denied(await strategic(path, to('20Gi')), 'sidecar')
    })

    test('goes when it is deleted, and its finalizer is taken off', async () => {
      const path = await made('finalized')
      const finalizers = ['example.com/tests']
      expect((await api.patch(path, { metadata: { finalizers } })).status).toBe(200)
      await api.remove(path)
      expect((await api.patch(path, { metadata: { finalizers: null } })).status).toBe(200)
      expect((await api.get(path)).status).toBe(404)
    })
  })

  // Asked of the API server itself: kubectl looks at the pod first, and forwards to none that does not run.
  test.each(['judged-in', 'judged-strict'])('getting into a pod of %s', async (namespace) => {
    const pod = serverPod('entered', { annotations: { 'outrigger.dev/inject': 'false' } })
    expect((await api.create(pod, namespace)).status).toBe(201)
    for (const way of ['exec?command=sh&stdout=true', 'attach?stdout=true', 'portforward']) {
      const { body } = await api.request('POST', `${podPath('entered', namespace)}/${way}`)
      const isDenied = JSON.stringify(body).includes('(rule connections)')
      expect([way, isDenied]).toEqual([way, namespace === 'judged-strict'])
    }
  })

  test('getting into a pod of a namespace that only says by which rules', async () => {
    await api.createNamespace('judged-level')
    await api.apply([serverPod('served')], 'judged-level')
    await api.apply([serverPod('other', { annotations: {} })], 'judged-level')
    const labels = { 'outrigger.dev/enforce': 'strict' }
    await api.patch('/api/v1/namespaces/judged-level', { metadata: { labels } })
    const isDenied = async (name: string): Promise<boolean> => {
      const path = `${podPath(name, 'judged-level')}/exec?command=sh&stdout=true`
      return JSON.stringify((await api.request('POST', path)).body).includes('(rule connections)')
    }
    await waitFor('the label to be known', async () =>
      (await isDenied('served')) ? true : undefined,
    )
    expect(await isDenied('other')).toBe(false)
  })

  describe('a pod that was let in before its namespace became strict', () => {
    const HELD = 'judged-later'
    const DIGEST = `example/server@sha256:${'1'.repeat(64)}`
    const labelled = { metadata: { labels: { app: 'x' } } }
    const withImage = (image: string): Json => ({
      spec: { containers: [{ name: 'server', image }] },
    })

    beforeAll(async () => {
      await api.createNamespace(HELD)
      await api.apply([serverPod('held')], HELD)
      const labels = { metadata: { labels: STRICT } }
      expect((await api.patch(`/api/v1/namespaces/${HELD}`, labels)).status).toBe(200)
      // What it was let in with is what no other is let in with any more.
      await waitFor('the label to be known', async () => {
        const { status } = await api.create(serverPod('anew'), HELD, '?dryRun=All')
        return status === 403 ? true : undefined
      })
    })

    test.each<readonly [string, string, Json]>([
      ['a label', '', labelled],
      ['a label by its status', '/status', labelled],
      ['a deadline', '', { spec: { activeDeadlineSeconds: 3600 } }],
      ['an image by its digest', '', withImage(DIGEST)],
    ])('gets %s, which is no worse', async (_name, subresource, change) => {
      expect((await strategic(`${podPath('held', HELD)}${subresource}`, change)).status).toBe(200)
    })

    test.each<readonly [string, string, Json, string]>([
      ['an image by another tag', '', withImage('example/server:2'), 'image-digest'],
      ['a debug container', '/ephemeralcontainers', debugging({}), 'debug-containers'],
    ])('does not get %s, which is', async (_name, subresource, change, rule) => {
      denied(await strategic(`${podPath('held', HELD)}${subresource}`, change), rule)
    })
  })

  // The API server takes no patch from what it asks for a judgement alone: it would fail the call.
  test('nothing that is only judged is changed', async () => {
    await made('unchanged')
    const { body } = await api.get(podPath('unchanged'))
    const { body: configuration } = await api.get(
      '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/outrigger',
    )
    const encoded = String(at(configuration, 'webhooks', 0, 'clientConfig', 'caBundle'))
    const ca = Buffer.from(encoded, 'base64').toString()
    const post = async (path: string, object: Json, fields: ReviewFields): Promise<JsonObject> => {
      const review = reviewOf(plainJson(object), { namespace: 'judged', ...fields })
      const reply = await postReview(`${webhook.url}${path}`, ca, JSON.stringify(review), {
        servername: 'outrigger-webhook.outrigger-system.svc',
      })
      return objectAt(reply.body, 'response')
    }
    const changed = { ...body, metadata: { ...objectAt(plainJson(body), 'metadata'), labels: {} } }
    const bare = serverPod('bare')
    expect(await post('/mutate', bare, {})).toMatchObject({ patchType: 'JSONPatch' })
    const answers = [
      await post('/validate', bare, {}),
      await post('/validate', body, {}),
      await post('/validate', body, { operation: 'UPDATE', oldObject: plainJson(changed) }),
      await post('/validate', { kind: 'PodExecOptions' }, { operation: 'CONNECT', subResource: 'exec' }), // prettier-ignore
    ]
    expect(answers.map(({ allowed }) => allowed)).toEqual([false, true, false, true])
    for (const answer of answers) {
      expect(answer).not.toHaveProperty('patch')
      expect(answer).not.toHaveProperty('patchType')
    }
  })

  describe('a pod that another webhook has changed after ours', () => {
    let beside: AdmissionServer | undefined
    afterAll(() => beside?.close())

    test('is denied without its sidecar', async () => {
      beside = await startAdmissionServer(api, {
        name: 'zz-strips',
        namespaceLabel: 'test.example.com/strips',
        answer: (pod) =>
          list(pod, 'spec', 'initContainers').length === 0
            ? []
            : [{ op: 'remove', path: '/spec/initContainers' }],
      })
      await api.createNamespace('stripped', { 'test.example.com/strips': 'yes' })
      const { status, body } = await api.create(serverPod('bare'), 'stripped')
      expect([status, String(body['message'])]).toEqual([
        403,
        expect.stringContaining('volume outrigger-run has a name that only Outrigger gives'),
      ])
    })
  })

  // The last: what it takes away the next start of the webhook applies again.
  test('without our webhook configurations no pod that asks comes up bare', async () => {
    for (const kind of ['mutating', 'validating']) {
      const path = `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/outrigger`
      expect((await api.remove(path)).status).toBe(200)
    }
    const unasked = { annotations: {} }
    const [asking, labelled, other] = [
      await api.create(serverPod('asking', { annotations: INJECT }), 'judged'),
      await api.create(serverPod('labelled', unasked), 'judged-in'),
      await api.create(serverPod('other', unasked), 'judged'),
    ]
    expect([asking?.status, labelled?.status, other?.status]).toEqual([403, 403, 201])
  })
})
