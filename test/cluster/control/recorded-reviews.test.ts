// What the API server really sends, kept in test/fixtures/admission for the tests that need no
// cluster. Run with UPDATE_GOLDEN=1 to write them anew; otherwise those that come before us must
// still be what it sends.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format } from 'prettier'
import { startAdmissionServer, type AdmissionServer } from '../admission-server.ts'
import { at, createApi, type Json, type Reply } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { waitFor } from '../machine/waiting.ts'
import { deploymentOf, INJECT, serverContainer, serverPod } from '../pods.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const FOLDER = join(import.meta.dirname, '../../fixtures/admission')
const NAMESPACE = 'recorded'
const LABEL = 'test.example.com/recorded'
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Takes out what differs from run to run: names and times that are made by chance, credentials. */
const normalize = (review: Json): string => {
  const text = JSON.stringify(review, (key, value: unknown) =>
    key === 'managedFields' || key === 'extra' ? undefined : value,
  )
  const generated = at(review, 'request', 'object', 'metadata', 'generateName')
  const name = at(review, 'request', 'object', 'metadata', 'name')
  const plain =
    typeof generated === 'string' && typeof name === 'string'
      ? text.replaceAll(name, `${generated}aaaaa`)
      : text
  const fixed = plain
    .replaceAll(UUID, '00000000-0000-0000-0000-000000000000')
    .replaceAll(/"resourceVersion":"\d+"/g, '"resourceVersion":"1"')
    .replaceAll(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access-aaaaa')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '2026-01-01T00:00:00Z')
  return fixed
}

const nameIn = (request: unknown): string =>
  String(
    at(request, 'object', 'metadata', 'name') ?? at(request, 'object', 'metadata', 'generateName'),
  )

const WORKLOADS: readonly Json[] = [
  {
    apiGroups: ['apps', 'batch'],
    apiVersions: ['v1'],
    operations: ['CREATE', 'UPDATE'],
    resources: ['deployments', 'cronjobs'],
  },
]

const plain = deploymentOf(serverPod('x', { annotations: {} }), 'plain')
const annotated = { ...plain, metadata: { name: 'annotated', annotations: INJECT } }
const cronJob: Json = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'nightly' },
  spec: {
    schedule: '0 0 1 1 *',
    jobTemplate: {
      spec: { template: { spec: { restartPolicy: 'Never', containers: [serverContainer()] } } },
    },
  },
}

const rich = serverPod('rich', {
  annotations: { ...INJECT, 'outrigger.dev/writable-paths': '/data' },
  container: {
    args: ['--stdio'],
    env: [{ name: 'A', value: '1' }],
    livenessProbe: { exec: { command: ['true'] } },
    resources: { limits: { memory: '256Mi' } },
  },
  spec: { initContainers: [serverContainer({ name: 'first' })], restartPolicy: 'OnFailure' },
})

interface Row {
  readonly name: string
  /** The resource whose review is kept. */
  readonly resource: string
  /** How its object's name begins, given or to be made: others are still asked about again. */
  readonly object: string
  /** What must be there before. */
  readonly first?: Json
  readonly write: () => Promise<Reply>
}

describeOwnCluster('control', 'recorded reviews', (target) => {
  const api = createApi(target.api)
  let webhook: WebhookProcess
  const recorders: AdmissionServer[] = []
  beforeAll(async () => {
    webhook = await startWebhook(target, 'overlays/dev')
    await api.createNamespace(NAMESPACE, { [LABEL]: 'yes' })
    for (const name of ['aa-before', 'zz-after']) {
      const options = { name, namespaceLabel: LABEL, answer: () => [], rules: WORKLOADS }
      recorders.push(await startAdmissionServer(api, options))
    }
    const probe = serverPod('probe', { annotations: {} })
    await waitFor('both recorders to be called', async () => {
      await api.create(probe, NAMESPACE, '?dryRun=All')
      return recorders.every(({ reviews }) => reviews.length > 0) ? true : undefined
    })
  })
  afterAll(async () => {
    for (const recorder of recorders) await recorder.close()
    await webhook.close()
  })

  const dryRun = (object: Json) => () => api.create(object, NAMESPACE, '?dryRun=All')
  const deployment = deploymentOf(serverPod('x'), 'tools')
  test.each<Row>([
    { name: 'pod', resource: 'pods', object: 'plain', write: dryRun(serverPod('plain')) },
    { name: 'rich-pod', resource: 'pods', object: 'rich', write: dryRun(rich) },
    {
      name: 'http-pod',
      resource: 'pods',
      object: 'http',
      write: dryRun(
        serverPod('http', {
          annotations: { ...INJECT, 'outrigger.dev/transport': 'http' },
          container: { ports: [{ containerPort: 8080 }] },
        }),
      ),
    },
    {
      name: 'pod-of-a-deployment',
      resource: 'pods',
      object: 'tools-',
      write: () => api.create(deployment, NAMESPACE),
    },
    {
      name: 'pod-of-nobody',
      resource: 'pods',
      object: 'nobody',
      write: dryRun(serverPod('nobody', { annotations: {} })),
    },
    {
      name: 'workload-created',
      resource: 'deployments',
      object: 'annotated',
      write: dryRun(annotated),
    },
    {
      name: 'workload-annotated',
      resource: 'cronjobs',
      object: 'nightly',
      first: cronJob,
      write: () =>
        api.patch(`/apis/batch/v1/namespaces/${NAMESPACE}/cronjobs/nightly`, {
          metadata: { annotations: INJECT },
        }),
    },
  ])('$name, before us and after us', async (row) => {
    const { name, resource, object } = row
    const reviewsOf = ({ reviews }: AdmissionServer): readonly Json[] =>
      reviews.filter(
        ({ request }) =>
          at(request, 'resource', 'resource') === resource && nameIn(request).startsWith(object),
      )
    if (row.first) await api.apply([row.first], NAMESPACE)
    const seen = recorders.map((recorder) => reviewsOf(recorder).length)
    expect((await row.write()).status).toBeLessThan(300)
    await waitFor('the reviews', async () =>
      recorders.every((recorder, index) => reviewsOf(recorder).length > (seen[index] ?? 0))
        ? true
        : undefined,
    )
    mkdirSync(FOLDER, { recursive: true })
    for (const [index, when] of ['before', 'after'].entries()) {
      const recorder = recorders[index]
      const review = recorder && reviewsOf(recorder)[seen[index] ?? 0]
      const file = join(FOLDER, `${name}.${when}.json`)
      const text = normalize(review ?? {})
      if (process.env['UPDATE_GOLDEN'] === '1') {
        writeFileSync(file, await format(text, { filepath: file, printWidth: 100 }))
      }
      // What we make of a pod is held by golden files; here it is what the API server makes.
      if (when === 'before')
        expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(file, 'utf8')))
    }
  })
})
