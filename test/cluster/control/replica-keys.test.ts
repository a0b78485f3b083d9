// The Secret by which the replicas of a workload know each other, beside a real API server: the controller makes it by a right to
// create alone, of which a policy leaves it these Secrets and no others; and it goes with its workload.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { accountKubeconfig } from '../account-kubeconfig.ts'
import { at, createApi, list, type Json } from '../api.ts'
import { startController, type ControllerProcess } from '../controller-process.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { deploymentOf, serverPod } from '../pods.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const NAMESPACE = 'several'
const NAME = 'outrigger-controller'
const CONTROLLER = `system:serviceaccount:outrigger-system:${NAME}`
const COMPANIONS = join(import.meta.dirname, '../../../manifests/base/companions')
const OVERLAY = join(import.meta.dirname, '../overlays/companions')
const SECRETS = `/api/v1/namespaces/${NAMESPACE}/secrets`
const SECRET = `${SECRETS}/outrigger-replicas-deployment-server`
const TAKEN = 'outrigger-replicas-deployment-taken'
const KEYS = ['tls.crt', 'tls.key', 'id.key']

describeOwnCluster('control', 'the keys of replicas', (target) => {
  const api = createApi(target.api)
  const kubectl = createKubectl(target)
  let webhook: WebhookProcess
  let controller: ControllerProcess | undefined
  let kubeconfig = ''

  const lead = async (): Promise<void> => {
    await controller?.stop()
    const config = join(OVERLAY, 'config.yaml')
    controller = await startController(target, { kubeconfig, config, port: 18_084 })
  }
  const untilThere = (): Promise<Json> =>
    waitFor('the Secret', async () => {
      const { status, body } = await api.get(SECRET)
      return status === 200 ? body : undefined
    })
  const part = (secret: Json, key: string): string =>
    Buffer.from(String(at(secret, 'data', key)), 'base64').toString()
  const counts = async (result: string): Promise<number | undefined> =>
    (await controller?.metrics())?.get(
      `outrigger_controller_replica_keys_total{result="${result}"}`,
    )

  beforeAll(async () => {
    webhook = await startWebhook(target, '../test/cluster/overlays/companions')
    await kubectl.run('apply', '-k', COMPANIONS)
    kubeconfig = await accountKubeconfig(target, { namespace: 'outrigger-system', name: NAME })
    await api.createNamespace(NAMESPACE)
    const somebodys = { apiVersion: 'v1', kind: 'Secret', metadata: { name: TAKEN } }
    await api.apply([{ ...somebodys, stringData: { 'id.key': 'mine' } }], NAMESPACE)
    for (const name of ['server', 'taken']) {
      await api.apply([deploymentOf(serverPod('x'), name, 2)], NAMESPACE)
    }
    await lead()
  })
  afterAll(async () => {
    await controller?.stop()
    await kubectl.run('delete', '--ignore-not-found', '-k', COMPANIONS)
    await api.remove(`/api/v1/namespaces/${NAMESPACE}`)
    await webhook.close()
  })

  test('pods bring the Secret to their sidecars, whether it is there or not', async () => {
    const [pod] = await waitFor('its pods', async () => {
      const { body } = await api.get(
        `/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=app%3Dserver`,
      )
      const pods = list(body, 'items')
      return pods.length === 2 ? pods : undefined
    })
    const volume = list(pod, 'spec', 'volumes').find(
      (one) => at(one, 'name') === 'outrigger-replicas',
    )
    expect(at(volume, 'secret')).toMatchObject({
      secretName: 'outrigger-replicas-deployment-server',
      optional: true,
    })
  })

  test('it is made, with what is in it, and is the Deployment’s', async () => {
    const secret = await untilThere()
    expect(at(secret, 'type')).toBe('Opaque')
    expect(Object.keys(at(secret, 'data') ?? {}).sort()).toEqual([...KEYS].sort())
    expect(list(secret, 'metadata', 'ownerReferences')).toMatchObject([
      { apiVersion: 'apps/v1', kind: 'Deployment', name: 'server' },
    ])
    const certificate = new X509Certificate(part(secret, 'tls.crt'))
    expect(certificate.subjectAltName).toBe(`DNS:replicas.deployment-server.${NAMESPACE}.outrigger`)
    expect(certificate.checkPrivateKey(createPrivateKey(part(secret, 'tls.key')))).toBe(true)
    expect(part(secret, 'id.key')).toMatch(/^[\w-]{43}$/)
  })

  test('its policy lets its own pods in and out there', async () => {
    const path = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies/outrigger-deployment-server`
    const policy = await waitFor('the policy', async () => {
      const { status, body } = await api.get(path)
      return status === 200 ? body : undefined
    })
    const ports = [{ protocol: 'TCP', port: 15_204 }]
    const ours = [{ podSelector: at(policy, 'spec', 'podSelector') }]
    expect(list(policy, 'spec', 'ingress')).toContainEqual({ from: ours, ports })
    expect(list(policy, 'spec', 'egress')).toContainEqual({ to: ours, ports })
  })

  test('one that somebody else has made is left as it is, by whoever may not read it', async () => {
    await waitFor(
      'it is found standing',
      async () => ((await counts('standing')) ?? 0) > 0 || undefined,
    )
    expect(at((await api.get(`${SECRETS}/${TAKEN}`)).body, 'data')).toEqual({
      'id.key': Buffer.from('mine').toString('base64'),
    })
  })

  test('one that was deleted is made anew by whoever leads next, with other keys', async () => {
    const before = part(await untilThere(), 'id.key')
    expect((await api.remove(SECRET)).status).toBe(200)
    await lead()
    expect(part(await untilThere(), 'id.key')).not.toBe(before)
  })

  test('it goes with its Deployment, by the cluster’s own hand', async () => {
    await untilThere()
    const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/server`
    expect((await api.remove(path)).status).toBe(200)
    await waitFor('no Secret', async () =>
      (await api.get(SECRET)).status === 404 ? true : undefined,
    )
    expect((await api.get(`${SECRETS}/${TAKEN}`)).status).toBe(200)
  })

  /** What the controller is told who would make a Secret; none stays. */
  const told = async (secret: Json, namespace: string): Promise<string> => {
    const headers = { 'content-type': 'application/json', 'impersonate-user': CONTROLLER }
    const url = `${target.api}/api/v1/namespaces/${namespace}/secrets?dryRun=All`
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', ...secret })
    const reply = await fetch(url, { method: 'POST', headers, body })
    return reply.ok ? 'free to' : await reply.text()
  }
  const owned = (name: string): Json => ({
    name,
    labels: { 'app.kubernetes.io/managed-by': 'outrigger' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'server', uid: 'u' }],
  })
  const OTHER = owned('outrigger-replicas-deployment-other')
  test.each<[string, string, Json, boolean]>([
    ['keys of replicas', NAMESPACE, { metadata: OTHER, stringData: { 'id.key': 'x' } }, true],
    ['another name', NAMESPACE, { metadata: owned('outrigger-tls') }, false],
    [
      'another owner than a workload',
      NAMESPACE,
      { metadata: { ...OTHER, ownerReferences: [] } },
      false,
    ],
    ['another maker', NAMESPACE, { metadata: { ...OTHER, labels: {} } }, false],
    ['other keys', NAMESPACE, { metadata: OTHER, stringData: { token: 'x' } }, false],
    [
      'a token of a ServiceAccount',
      NAMESPACE,
      {
        metadata: { ...OTHER, annotations: { 'kubernetes.io/service-account.name': 'default' } },
        type: 'kubernetes.io/service-account-token',
      },
      false,
    ],
    [
      'a token of a new machine',
      'kube-system',
      { metadata: OTHER, type: 'bootstrap.kubernetes.io/token' },
      false,
    ],
    [
      'a system namespace',
      'kube-system',
      { metadata: OTHER, stringData: { 'id.key': 'x' } },
      false,
    ],
  ])('may the controller make %s in %s', async (_name, namespace, secret, isFree) => {
    const words = isFree ? 'free to' : 'and makes and changes no others'
    // A policy that has just been applied holds a little later.
    await waitFor(words, async () => {
      const said = await told(secret, namespace)
      if (said.includes(words)) return true
      throw new Error(said)
    })
  })
})
