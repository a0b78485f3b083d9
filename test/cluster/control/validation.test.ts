// What is only judged, with the real API server as the caller: pods that others have changed after us,
// changes of running pods by each way that there is, who gets into one, and the policies that stand
// when our webhook does not.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startAdmissionServer, type AdmissionServer } from '../admission-server.ts'
import { createApi, list, type Json, type Reply } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { waitFor } from '../machine/waiting.ts'
import { INJECT, serverPod } from '../pods.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

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
