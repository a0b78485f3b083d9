// What the API server really sends, kept in test/fixtures/admission for the tests that need no
// cluster. Run with UPDATE_GOLDEN=1 to write them anew; otherwise those that come before us must
// still be what it sends.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format } from 'prettier'
import { startAdmissionServer, type AdmissionServer } from '../admission-server.ts'
import { at, createApi, type Json } from '../api.ts'
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
    .replaceAll(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access-aaaaa')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '2026-01-01T00:00:00Z')
  return fixed
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

describeOwnCluster('control', 'recorded reviews', (target) => {
  const api = createApi(target.api)
  let webhook: WebhookProcess
  const recorders: AdmissionServer[] = []
  beforeAll(async () => {
    webhook = await startWebhook(target, 'overlays/dev')
    await api.createNamespace(NAMESPACE, { [LABEL]: 'yes' })
    for (const name of ['aa-before', 'zz-after']) {
      const options = { name, namespaceLabel: LABEL, answer: () => [] }
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

  test.each([
    { name: 'pod', object: serverPod('plain') },
    { name: 'rich-pod', object: rich },
    {
      name: 'http-pod',
      object: serverPod('http', {
        annotations: { ...INJECT, 'outrigger.dev/transport': 'http' },
        container: { ports: [{ containerPort: 8080 }] },
      }),
    },
    { name: 'pod-of-a-deployment', object: deploymentOf(serverPod('x'), 'tools'), isStored: true },
    { name: 'pod-of-nobody', object: serverPod('nobody', { annotations: {} }) },
  ])('$name, before us and after us', async ({ name, object, isStored = false }) => {
    const seen = recorders.map(({ reviews }) => reviews.length)
    const reply = await api.create(object, NAMESPACE, isStored ? '' : '?dryRun=All')
    expect(reply.status).toBe(201)
    await waitFor('the reviews', async () =>
      recorders.every(({ reviews }, index) => reviews.length > (seen[index] ?? 0))
        ? true
        : undefined,
    )
    mkdirSync(FOLDER, { recursive: true })
    for (const [index, when] of ['before', 'after'].entries()) {
      const review = recorders[index]?.reviews[seen[index] ?? 0]
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
