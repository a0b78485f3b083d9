// NetworkPolicies that others write in `strict`, beside a real API server: which it refuses them, which it takes, and that the
// controller keeps its own whatever becomes of the webhook.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { accountKubeconfig } from '../account-kubeconfig.ts'
import { at, createApi, type Json } from '../api.ts'
import { startController, type ControllerProcess } from '../controller-process.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { serverPod } from '../pods.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const STRICT = { 'outrigger.dev/enforce': 'strict' }
const NAMESPACES = {
  policed: STRICT,
  'policed-in': { ...STRICT, 'outrigger.dev/injection': 'enabled' },
  'not-policed': { 'outrigger.dev/injection': 'enabled' },
} as const
const STRICT_ONES = ['policed', 'policed-in'] as const
const NAME = 'outrigger-controller'
const COMPANIONS = join(import.meta.dirname, '../../../manifests/base/companions')
const OWN = 'outrigger-pod-served'

const policiesOf = (namespace: string): string =>
  `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`

const policy = (name: string, selector: Json, spec: Json): Json => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name },
  spec: { podSelector: selector, ...spec },
})
const [EVERY, SERVED, OTHERS] = [
  {},
  { matchLabels: { app: 'served' } },
  { matchLabels: { app: 'db' } },
]
const OPEN = { policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] }
const CLOSED = { policyTypes: ['Ingress', 'Egress'] }

describeOwnCluster('control', 'policies of others', (target) => {
  const api = createApi(target.api)
  const kubectl = createKubectl(target)
  let webhook: WebhookProcess
  let controller: ControllerProcess | undefined

  const pod = serverPod('served', {
    labels: { app: 'served' },
    container: {
      image: `example/server@sha256:${'a'.repeat(64)}`,
      resources: { limits: { cpu: '1', memory: '64Mi' } },
    },
  })
  const specOf = async (namespace: string): Promise<unknown> => {
    const { status, body } = await api.get(`${policiesOf(namespace)}/${OWN}`)
    return status === 200 ? at(body, 'spec') : undefined
  }
  const untilKept = (namespace: string): Promise<unknown> =>
    waitFor(`the policy in ${namespace}`, () => specOf(namespace))
  const written = async (namespace: string, object: Json, query = ''): Promise<string> => {
    const { status, body } = await api.create(object, namespace, query)
    return status === 201 ? 'taken' : `${status}: ${String(at(body, 'message'))}`
  }
  const changed = async (namespace: string, name: string, spec: Json): Promise<string> => {
    const { status, body } = await api.patch(`${policiesOf(namespace)}/${name}`, { spec })
    return status === 200 ? 'taken' : `${status}: ${String(at(body, 'message'))}`
  }

  beforeAll(async () => {
    webhook = await startWebhook(target, '../test/cluster/overlays/gate')
    await kubectl.run('apply', '-k', COMPANIONS)
    const kubeconfig = await accountKubeconfig(target, {
      namespace: 'outrigger-system',
      name: NAME,
    })
    const config = join(target.own.dir, 'policies-config.yaml')
    writeFileSync(config, 'sidecar:\n  image: outrigger-sidecar:0.1.0\ncompanions: {}\n')
    for (const [name, labels] of Object.entries(NAMESPACES)) await api.createNamespace(name, labels)
    controller = await startController(target, { kubeconfig, config, port: 18_084 })
    for (const name of Object.keys(NAMESPACES)) {
      await api.apply([pod], name)
      await untilKept(name)
    }
  })
  afterAll(async () => {
    await controller?.stop()
    await kubectl.run('delete', '--ignore-not-found', '-k', COMPANIONS)
    for (const name of Object.keys(NAMESPACES)) await api.remove(`/api/v1/namespaces/${name}`)
    await webhook.close()
  })

  describe.each(STRICT_ONES)('in %s', (namespace) => {
    test('one that opens what ours closes is denied, dry or not', async () => {
      for (const query of ['', '?dryRun=All']) {
        for (const selector of [EVERY, SERVED]) {
          expect(await written(namespace, policy('open', selector, OPEN), query)).toMatch(
            /^403: .* NetworkPolicy "open": it selects injected pods, or would, and opens ingress and egress that their own policy closes; .* \(rule network-policies\)$/,
          )
        }
      }
    })

    test.each([
      ['about other pods', policy('others', OTHERS, OPEN)],
      ['that closes', policy('closing', SERVED, CLOSED)],
    ])('one %s is taken', async (_what, object) => {
      expect(await written(namespace, object)).toBe('taken')
    })

    test('one that is taken opens nothing by a change either', async () => {
      expect(await written(namespace, policy('changing', OTHERS, OPEN))).toBe('taken')
      const [wider, narrower] = [{ podSelector: null }, { egress: [] }]
      expect(await changed(namespace, 'changing', wider)).toContain('(rule network-policies)')
      expect(await changed(namespace, 'changing', narrower)).toBe('taken')
    })

    test('ours is opened by nobody’s hand', async () => {
      const before = await specOf(namespace)
      expect(await changed(namespace, OWN, { ingress: [{}] })).toContain('(rule network-policies)')
      expect(await specOf(namespace)).toEqual(before)
    })
  })

  test('at baseline it is taken', async () => {
    expect(await written('not-policed', policy('open', EVERY, OPEN))).toBe('taken')
  })

  test('without the webhook nobody writes one but the controller', async () => {
    await webhook.stop()
    try {
      for (const namespace of STRICT_ONES) {
        expect(await written(namespace, policy('late', OTHERS, CLOSED))).toMatch(/^500: /)
        const path = `${policiesOf(namespace)}/${OWN}`
        const { body } = await api.get(path)
        expect((await api.remove(path)).status).toBe(200)
        await waitFor('another', async () => {
          const again = await api.get(path)
          const isOther = at(again.body, 'metadata', 'uid') !== at(body, 'metadata', 'uid')
          return again.status === 200 && isOther ? true : undefined
        })
      }
    } finally {
      await webhook.start()
    }
  })
})
