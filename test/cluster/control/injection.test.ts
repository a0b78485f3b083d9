// The webhook as a real process, called by the real API server through manifests/ as they are: who
// is injected and who never reaches us.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { at, createApi, list } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { deploymentOf, INJECT, serverContainer, serverPod } from '../pods.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const names = (value: unknown, ...path: (string | number)[]): readonly unknown[] =>
  list(value, ...path).map((item) => at(item, 'name'))

const sidecars = (pod: unknown): readonly unknown[] =>
  names(pod, 'spec', 'initContainers').filter((name) => name === 'outrigger-sidecar')

describeOwnCluster('control', 'injection', (target) => {
  const api = createApi(target.api)
  const kubectl = createKubectl(target)
  let webhook: WebhookProcess

  beforeAll(async () => {
    webhook = await startWebhook(target, 'overlays/dev')
    await api.createNamespace('plain')
    await api.createNamespace('opted-in', { 'outrigger.dev/injection': 'enabled' })
  })
  afterAll(() => webhook.close())

  test.each(['base', 'overlays/dev'])(
    'manifests/%s apply, twice, without a warning',
    async (name) => {
      const path = new URL(`../../../manifests/${name}`, import.meta.url).pathname
      const first = await kubectl.attempt('apply', '--dry-run=server', '-k', path)
      expect(first).toMatchObject({ code: 0, stderr: '' })
      const second = await kubectl.attempt('diff', '-k', path)
      const isApplied = name === 'overlays/dev'
      expect({ name, isSame: second.code === 0 }).toEqual({ name, isSame: isApplied })
    },
  )

  test('injects an annotated pod, once, and leaves no token in it', async () => {
    const { status, body } = await api.create(serverPod('annotated'), 'plain')
    expect(status).toBe(201)
    const stored = (await api.get('/api/v1/namespaces/plain/pods/annotated')).body
    for (const pod of [body, stored]) {
      expect(sidecars(pod)).toHaveLength(1)
      expect(at(pod, 'spec', 'initContainers', 0, 'restartPolicy')).toBe('Always')
      expect(at(pod, 'metadata', 'labels', 'outrigger.dev/injected')).toBe('true')
      expect(at(pod, 'metadata', 'labels', 'outrigger.dev/server')).toBe('pod-annotated')
      expect(list(pod, 'spec', 'containers', 0, 'command')[0]).toBe('/outrigger/bin/shim')
      expect(JSON.stringify(at(pod, 'spec'))).not.toMatch(/kube-api-access|serviceaccount\//)
      expect(at(pod, 'spec', 'automountServiceAccountToken')).toBe(false)
    }
  })

  test('keeps the token of a pod that needs the API, where the floor allows it', async () => {
    const annotations = { ...INJECT, 'outrigger.dev/needs-kube-api': 'true' }
    const { status, body } = await api.create(serverPod('token', { annotations }), 'plain')
    expect(status).toBe(201)
    expect(JSON.stringify(at(body, 'spec', 'containers', 0))).toMatch(/kube-api-access/)
    expect(JSON.stringify(at(body, 'spec', 'initContainers'))).not.toMatch(/kube-api-access/)
  })

  test('injects the pods of a labelled namespace that carry no annotation', async () => {
    const annotations = { 'outrigger.dev/auth': 'none' }
    const { status, body } = await api.create(serverPod('labelled', { annotations }), 'opted-in')
    expect(status).toBe(201)
    expect(sidecars(body)).toHaveLength(1)
  })

  test("injects a Deployment's pods, and names its server after the Deployment", async () => {
    await api.apply([deploymentOf(serverPod('x'), 'tools', 2)], 'plain')
    const pods = await waitFor('two pods', async () => {
      const { body } = await api.get('/api/v1/namespaces/plain/pods?labelSelector=app%3Dtools')
      return list(body, 'items').length === 2 ? list(body, 'items') : undefined
    })
    for (const pod of pods) {
      expect(sidecars(pod)).toHaveLength(1)
      expect(at(pod, 'metadata', 'labels', 'outrigger.dev/server')).toEqual(
        expect.stringMatching(/tools/),
      )
    }
  })

  test('gives a dry run the injected pod and stores nothing', async () => {
    const { status, body } = await api.create(serverPod('dry'), 'plain', '?dryRun=All')
    expect(status).toBe(201)
    expect(sidecars(body)).toHaveLength(1)
    expect((await api.get('/api/v1/namespaces/plain/pods/dry')).status).toBe(404)
  })

  describe('who reaches us', () => {
    test.each([
      {
        name: 'a pod without a key of ours',
        pod: serverPod('nobody', { annotations: {} }),
        reviews: 0,
        status: 201,
      },
      {
        name: "a pod with somebody else's keys",
        pod: serverPod('theirs', { annotations: { 'not-outrigger.dev/inject': 'true' } }),
        reviews: 0,
        status: 201,
      },
      {
        name: 'a pod in kube-system',
        namespace: 'kube-system',
        pod: serverPod('system'),
        reviews: 0,
        status: 201,
      },
      {
        // Refused by Pod Security, which our namespace enforces; not by us.
        name: 'a pod in our own namespace',
        namespace: 'outrigger-system',
        pod: serverPod('ours'),
        reviews: 0,
        status: 403,
      },
      {
        name: 'a mistyped key, which gets an answer',
        pod: serverPod('typo', { annotations: { 'outrigger.dev/injct': 'true' } }),
        // Asked what to change of it, and whether it may be stored.
        reviews: 2,
        status: 201,
      },
    ])('$name', async ({ namespace = 'plain', pod, reviews, status }) => {
      const reviewed = () => webhook.reviewsOf('Pod', String(at(pod, 'metadata', 'name')))
      const before = await reviewed()
      const reply = await api.create(pod, namespace, '?dryRun=All')
      expect(reply.status).toBe(status)
      expect((await reviewed()) - before).toBe(reviews)
      expect(sidecars(reply.body)).toHaveLength(0)
    })

    test('updates of what nobody judges, deletions and other kinds never do', async () => {
      await api.apply([serverPod('quiet')], 'plain')
      const path = '/api/v1/namespaces/plain/pods/quiet'
      const reviewed = () =>
        Promise.all([webhook.reviewsOf('Pod', 'quiet'), webhook.reviewsOf('ConfigMap', 'map')])
      const before = await reviewed()
      expect((await api.patch(path, { metadata: { finalizers: ['example.com/x'] } })).status).toBe(
        200,
      )
      expect((await api.patch(path, { metadata: { finalizers: null } })).status).toBe(200)
      expect((await api.remove(path)).status).toBe(200)
      await api.apply(
        [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'map', annotations: INJECT } }],
        'plain',
      )
      expect(await reviewed()).toEqual(before)
    })
  })

  test('a mistyped key is told its nearest match', async () => {
    const annotations = { 'outrigger.dev/injct': 'true' }
    const { warnings } = await api.create(
      serverPod('typo', { annotations }),
      'plain',
      '?dryRun=All',
    )
    expect(warnings.join('\n')).toMatch(/injct.*inject/)
  })

  describe('with the webhook down', () => {
    beforeEach(() => webhook.stop())
    afterAll(() => webhook.start())

    test('refuses opted-in pods, lets all others through and deletes what is there', async () => {
      await expect(api.create(serverPod('down'), 'plain')).resolves.toMatchObject({
        status: 500,
        body: { message: expect.stringMatching(/failed calling webhook "pod\.inject\.outrigger/) },
      })
      const labelled = await api.create(serverPod('down', { annotations: {} }), 'opted-in')
      expect(labelled.status).toBe(500)
      const other = await api.create(serverPod('other', { annotations: {} }), 'plain')
      expect(other.status).toBe(201)
      expect((await api.remove('/api/v1/namespaces/plain/pods/annotated')).status).toBe(200)
    })
  })

  test('a pod of a namespace that was made a moment ago is judged by its labels', async () => {
    for (const name of ['fresh-1', 'fresh-2', 'fresh-3']) {
      await api.createNamespace(name, { 'outrigger.dev/injection': 'enabled' })
      const annotations = { 'outrigger.dev/auth': 'none' }
      const { body } = await api.create(serverPod('fresh', { annotations }), name)
      expect(sidecars(body)).toHaveLength(1)
    }
  })

  test('several containers: the default one is the server', async () => {
    const { body } = await api.create(
      serverPod('several', {
        annotations: { ...INJECT, 'kubectl.kubernetes.io/default-container': 'server' },
        spec: { containers: [serverContainer(), serverContainer({ name: 'other' })] },
      }),
      'plain',
      '?dryRun=All',
    )
    expect(list(body, 'spec', 'containers', 0, 'command')[0]).toBe('/outrigger/bin/shim')
    expect(list(body, 'spec', 'containers', 1, 'command')[0]).toBe('node')
  })
})
