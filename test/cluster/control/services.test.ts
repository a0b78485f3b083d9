// Services as the real API server tells of them: one that comes after the pods, changes and goes is
// known to the webhook by the next pod.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { at, createApi, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { waitFor } from '../machine/waiting.ts'
import { serverPod } from '../pods.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const NAMESPACE = 'followed'
const SERVICE = `/api/v1/namespaces/${NAMESPACE}/services/tools`
const AROUND =
  'Service tools: its port 80 leads to the server itself on 8000, around the sidecar; set its targetPort to 15200'

const service = (targetPort: number | string, more: Json = {}): Json => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'tools' },
  spec: { selector: { app: 'tools' }, ports: [{ port: 80, targetPort }], ...more },
})

describeOwnCluster('control', 'Services that are followed', (target) => {
  const api = createApi(target.api)
  let webhook: WebhookProcess

  /** A pod whose command nobody knows, so that nothing holds its server. */
  const submit = (ports: readonly Json[]) => {
    const pod = serverPod('next', {
      labels: { app: 'tools' },
      container: { command: undefined, ports },
    })
    return api.create(pod, NAMESPACE, '?dryRun=All')
  }
  const warnings = async (): Promise<readonly string[]> => {
    const reply = await submit([{ containerPort: 8000 }])
    expect(reply.status).toBe(201)
    return reply.warnings.filter((warning) => warning.startsWith('Service '))
  }
  const untilTold = (expected: readonly string[]): Promise<true> =>
    waitFor(`the warnings ${JSON.stringify(expected)}`, async () => {
      const told = await warnings()
      return JSON.stringify(told) === JSON.stringify(expected) ? true : undefined
    })

  beforeAll(async () => {
    webhook = await startWebhook(target, 'overlays/dev')
    await api.createNamespace(NAMESPACE)
  })
  afterAll(async () => {
    await api.remove(`/api/v1/namespaces/${NAMESPACE}`)
    await webhook.close()
  })

  test('none is known before there is one', async () => {
    expect(await warnings()).toEqual([])
  })

  test('one that comes later is named to whoever makes the next pod', async () => {
    await api.apply([service(8000)], NAMESPACE)
    await untilTold([AROUND])
  })

  test('one that is led to the sidecar is named no more, and again when it is led back', async () => {
    await api.patch(SERVICE, { spec: { ports: [{ port: 80, targetPort: 15_200 }] } })
    await untilTold([])
    await api.patch(SERVICE, { spec: { ports: [{ port: 80, targetPort: 8000 }] } })
    await untilTold([AROUND])
  })

  test('one that selects other pods is named no more', async () => {
    await api.patch(SERVICE, { spec: { selector: { app: 'others' } } })
    await untilTold([])
    await api.patch(SERVICE, { spec: { selector: { app: 'tools' } } })
    await untilTold([AROUND])
  })

  describe('a container that declares no port', () => {
    test('is taken for an HTTP server by the Service that leads to it', async () => {
      const { body, warnings: told } = await submit([])
      const sidecar = at(body, 'spec', 'initContainers', 0, 'env', 0, 'value')
      expect(String(sidecar)).toContain('"port":"8000"')
      expect(told.join('\n')).toContain('since a Service leads to it')
    })
  })

  test('one that is deleted is forgotten', async () => {
    expect((await api.remove(SERVICE)).status).toBe(200)
    await untilTold([])
  })

  test('those of another namespace are never named', async () => {
    await api.createNamespace('followed-beside')
    await api.apply([service(8000)], 'followed-beside')
    await api.apply([service(15_200)], NAMESPACE)
    await untilTold([])
    await api.remove(SERVICE)
    await api.remove('/api/v1/namespaces/followed-beside')
  })
})
