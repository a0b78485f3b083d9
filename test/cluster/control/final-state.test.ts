// The policies in the API server itself, beside our webhook and without it: what is to have a sidecar never
// comes up bare, and the sidecars' Secrets are nobody else's.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startAdmissionServer, type AdmissionServer } from '../admission-server.ts'
import { createApi, list, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { INJECT, serverContainer, serverPod } from '../pods.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const BARE = 'there is none in it'
const THEIRS = 'names a Secret called outrigger-'
const MARK = 'test.example.com/bares'
/** With what the API server's own plugin has filled in before. */
const OTHERS = { containers: [serverContainer()], serviceAccountName: 'default' }

const MOUNTS = { volumeMounts: [{ name: 'x', mountPath: '/x' }] }
const mounting = (volume: Json): Json => ({
  container: MOUNTS,
  spec: { volumes: [{ name: 'x', ...volume }] },
})
const SECRET = { secret: { secretName: 'outrigger-audit' } }
const BY_NAME = mounting(SECRET)
const forged = (annotations: Json): Json => ({
  annotations,
  spec: {
    volumes: [{ name: 'x', ...SECRET }],
    initContainers: [{ ...serverContainer(MOUNTS), name: 'outrigger-sidecar' }],
  },
})

const TAKING: readonly (readonly [string, Json])[] = [
  ['by a volume', BY_NAME],
  [
    'by a projected volume',
    mounting({ projected: { sources: [{ secret: { name: 'outrigger-audit' } }] } }),
  ],
  [
    'by a variable',
    {
      container: {
        env: [
          {
            name: 'K',
            valueFrom: { secretKeyRef: { name: 'outrigger-audit', key: 'signing-key' } },
          },
        ],
      },
    },
  ],
  ['by all of it', { container: { envFrom: [{ secretRef: { name: 'outrigger-audit' } }] } }],
  ['under the sidecar’s name', forged({})],
  ['under the sidecar’s name, opted out', forged({ 'outrigger.dev/inject': 'false' })],
]

describeOwnCluster('control', 'final state', (target) => {
  const api = createApi(target.api)
  let webhook: WebhookProcess
  let beside: AdmissionServer | undefined

  beforeAll(async () => {
    webhook = await startWebhook(target, 'overlays/dev')
    beside = await startAdmissionServer(api, {
      name: 'zz-bares',
      namespaceLabel: MARK,
      // Each time: ours puts everything in again, and is not asked a third time.
      answer: (pod) =>
        list(pod, 'spec', 'initContainers').length === 0
          ? []
          : [
              { op: 'replace', path: '/spec', value: OTHERS },
              { op: 'remove', path: '/metadata/labels' },
            ],
    })
    await api.createNamespace('final')
    await api.createNamespace('final-in', { 'outrigger.dev/injection': 'enabled' })
    await api.createNamespace('final-bare', { [MARK]: 'yes' })
    await api.createNamespace('final-bare-in', {
      [MARK]: 'yes',
      'outrigger.dev/injection': 'enabled',
    })
  })
  afterAll(async () => {
    await beside?.close()
    await webhook.close()
  })

  const refused = async (pod: Json, namespace: string, words: string): Promise<void> => {
    const { status, body } = await api.create(pod, namespace)
    expect([status, String(body['message'])]).toEqual([403, expect.stringContaining(words)])
  }

  describe('beside a webhook that takes out all of ours', () => {
    test.each([
      ['a pod that asks', 'final-bare', INJECT],
      ['a pod of a namespace that opts in', 'final-bare-in', {}],
    ])('%s does not come up', async (_name, namespace, annotations) => {
      await refused(serverPod('bare', { annotations }), namespace, BARE)
      expect(beside?.reviews.length).toBeGreaterThanOrEqual(2)
    })
  })

  describe('a Secret of the sidecars’', () => {
    test.each(TAKING)('%s: denied to a pod that asks for nothing', async (_name, parts) => {
      await refused(serverPod('taking', { annotations: {}, ...parts }), 'final', THEIRS)
    })

    test('under the sidecar’s name in a namespace that opts in: denied by our webhook', async () => {
      await refused(serverPod('taking', forged({})), 'final-in', 'outrigger-sidecar')
    })

    test('is mounted by the sidecar that is given it', async () => {
      const annotations = { ...INJECT, 'outrigger.dev/tls-secret': 'outrigger-search' }
      expect((await api.create(serverPod('given', { annotations }), 'final')).status).toBe(201)
    })

    test('and others’ are theirs', async () => {
      const parts = { annotations: {}, ...mounting({ secret: { secretName: 'search-own' } }) }
      expect((await api.create(serverPod('own', parts), 'final')).status).toBe(201)
    })
  })

  // The last: it is not started again.
  describe('while our webhook is down', () => {
    beforeAll(() => webhook.stop())

    test('who asks is refused, and nobody else', async () => {
      const asking = await api.create(serverPod('asking', { annotations: INJECT }), 'final')
      const labelled = await api.create(serverPod('labelled', { annotations: {} }), 'final-in')
      const other = await api.create(serverPod('other', { annotations: {} }), 'final')
      expect([asking.status, labelled.status, other.status]).toEqual([500, 500, 201])
      expect(String(asking.body['message'])).toContain('failed calling webhook')
    })

    test('the sidecars’ Secrets are nobody’s all the same', async () => {
      await refused(serverPod('taking', { annotations: {}, ...BY_NAME }), 'final', THEIRS)
    })
  })
})
