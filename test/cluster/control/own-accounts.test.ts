// Servers that get ServiceAccounts of their own, beside a real API server, which refuses a pod until its account is there.

import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { isObject } from '../../../shared/json.ts'
import { accountKubeconfig } from '../account-kubeconfig.ts'
import { at, createApi, list, type Json } from '../api.ts'
import { startController, type ControllerProcess } from '../controller-process.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { deploymentOf, serverPod } from '../pods.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const NAMESPACE = 'own-accounts'
const CLOUD = 'own-accounts-cloud'
const NAME = 'outrigger-controller'
const CONTROLLER = `system:serviceaccount:outrigger-system:${NAME}`
const OVERLAY = '../test/cluster/overlays/own-accounts'
const BASE = join(import.meta.dirname, '../../../manifests/base')
/** A ReplicaSet tries again more and more seldom. */
const PATIENCE_SECONDS = 120

describeOwnCluster('control', 'accounts of servers', (target) => {
  const api = createApi(target.api)
  const kubectl = createKubectl(target)
  let webhook: WebhookProcess
  let controller: ControllerProcess | undefined

  const accounts = (namespace: string) => `/api/v1/namespaces/${namespace}/serviceaccounts`
  const deploy = (name: string, namespace = NAMESPACE, spec: Json = {}): Promise<void> =>
    api.apply([deploymentOf(serverPod('x', { spec }), name)], namespace)
  /** The spec of a pod of it. */
  const specOf = (name: string, namespace = NAMESPACE): Promise<Json> =>
    waitFor(
      `a pod of ${name}`,
      async () => {
        const query = `?labelSelector=app%3D${name}`
        const { body } = await api.get(`/api/v1/namespaces/${namespace}/pods${query}`)
        const spec = at(list(body, 'items')[0], 'spec')
        return isObject(spec) ? spec : undefined
      },
      PATIENCE_SECONDS,
    )
  const may = async (verb: string, ...resource: readonly string[]): Promise<boolean> => {
    const asked = ['can-i', verb, ...resource, '-n', NAMESPACE, `--as=${CONTROLLER}`]
    const { stdout } = await kubectl.attempt('auth', ...asked)
    return stdout.startsWith('yes')
  }

  beforeAll(async () => {
    // The webhook waits for no list that it has no right to for long.
    await kubectl.run('apply', '-k', join(BASE, 'own-accounts'))
    webhook = await startWebhook(target, OVERLAY)
    await kubectl.run('apply', '-k', join(BASE, 'companions'))
    for (const name of [NAMESPACE, CLOUD]) await api.createNamespace(name)
    const kubeconfig = await accountKubeconfig(target, {
      namespace: 'outrigger-system',
      name: NAME,
    })
    const config = join(import.meta.dirname, '..', 'overlays/own-accounts/config.yaml')
    controller = await startController(target, { kubeconfig, config, port: 18_083 })
  })
  afterAll(async () => {
    await controller?.stop()
    for (const folder of ['own-accounts', 'companions']) {
      await kubectl.run('delete', '--ignore-not-found', '-k', join(BASE, folder))
    }
    for (const name of [NAMESPACE, CLOUD]) await api.remove(`/api/v1/namespaces/${name}`)
    await webhook.close()
  })

  test('a Deployment comes up by itself, with an account that may nothing and goes with it', async () => {
    const pulls = { imagePullSecrets: [{ name: 'registry' }] }
    await api.patch(`${accounts(NAMESPACE)}/default`, pulls)
    await deploy('web')
    const spec = await specOf('web')
    expect(at(spec, 'serviceAccountName')).toBe('outrigger-deployment-web')
    expect(at(spec, 'serviceAccount')).toBe('outrigger-deployment-web')
    // What it is pulled with was its namespace's account's.
    expect(at(spec, 'imagePullSecrets')).toEqual([{ name: 'registry' }])
    const { body } = await api.get(`${accounts(NAMESPACE)}/outrigger-deployment-web`)
    const { body: owner } = await api.get(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/web`)
    expect(body).toMatchObject({
      automountServiceAccountToken: false,
      metadata: {
        labels: {
          'app.kubernetes.io/managed-by': 'outrigger',
          'outrigger.dev/server': 'deployment-web',
        },
        ownerReferences: [{ kind: 'Deployment', name: 'web', uid: at(owner, 'metadata', 'uid') }],
      },
    })
    await kubectl.run('delete', 'deployment', 'web', '-n', NAMESPACE)
    await waitFor(
      'the account is gone',
      async () =>
        (await api.get(`${accounts(NAMESPACE)}/outrigger-deployment-web`)).status === 404
          ? true
          : undefined,
      PATIENCE_SECONDS,
    )
  })

  test('one of that name which is somebody else’s is left alone, and told', async () => {
    const name = 'outrigger-deployment-taken'
    const theirs = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }
    await api.apply([theirs], NAMESPACE)
    await deploy('taken')
    expect(at(await specOf('taken'), 'serviceAccountName')).toBe(name)
    await waitFor('the Event', async () => {
      const { body } = await api.get(`/api/v1/namespaces/${NAMESPACE}/events`)
      return list(body, 'items').some((one) =>
        String(at(one, 'message')).startsWith(`ServiceAccount ${NAMESPACE}/${name} is not`),
      )
        ? true
        : undefined
    })
    const { body } = await api.get(`${accounts(NAMESPACE)}/${name}`)
    expect(at(body, 'metadata', 'ownerReferences')).toBeUndefined()
  })

  test('pods of a namespace whose account a cloud knows keep it, and so do those of another', async () => {
    const annotations = { 'eks.amazonaws.com/role-arn': 'arn' }
    await api.patch(`${accounts(CLOUD)}/default`, { metadata: { annotations } })
    const mine = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'mine' } }
    await api.apply([mine], NAMESPACE)
    // What the webhook follows comes a little later.
    await waitFor('the webhook knows', async () => {
      const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u' }
      const pod = serverPod('try')
      const metadata = {
        ...Object(pod['metadata']),
        ownerReferences: [{ ...owner, controller: true }],
      }
      const { status } = await api.create({ ...pod, metadata }, CLOUD, '?dryRun=All')
      return status === 201 ? true : undefined
    })
    await deploy('cloud', CLOUD)
    await deploy('mine', NAMESPACE, { serviceAccountName: 'mine' })
    expect(at(await specOf('cloud', CLOUD), 'serviceAccountName')).toBe('default')
    expect(at(await specOf('mine'), 'serviceAccountName')).toBe('mine')
    const { body } = await api.get(accounts(CLOUD))
    expect(list(body, 'items').map((one) => at(one, 'metadata', 'name'))).toEqual(['default'])
  })

  test('the controller may make accounts, and neither change, delete nor bind any', async () => {
    expect(await may('create', 'serviceaccounts')).toBe(true)
    for (const [verb, ...resource] of [
      ['patch', 'serviceaccounts'],
      ['delete', 'serviceaccounts'],
      ['create', 'serviceaccounts', '--subresource=token'],
      ['create', 'rolebindings'],
    ] as const) {
      expect([verb, resource, await may(verb, ...resource)]).toEqual([verb, resource, false])
    }
  })
})
