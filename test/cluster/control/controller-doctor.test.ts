// `outrigger doctor` of the controller, against a real API server: one that is well, and one in which something was put wrong
// on purpose, each time with what to do. There is no node, so that its Deployment has no pod: a process of ours leads in its place.

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { accountKubeconfig } from '../account-kubeconfig.ts'
import { at, createApi } from '../api.ts'
import { startController, type ControllerProcess } from '../controller-process.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { outriggerCommand } from '../outrigger-command.ts'
import { serverPod } from '../pods.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const NAMESPACE = 'looked-after'
const OVERLAY = join(import.meta.dirname, '../overlays/companions')
const MANIFESTS = join(import.meta.dirname, '../../../manifests')
const COMPANIONS = join(MANIFESTS, 'base/companions')
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/outrigger-system/leases/outrigger-controller'
const ROLE = '/apis/rbac.authorization.k8s.io/v1/clusterroles/outrigger-controller'
const DEPLOYMENT = '/apis/apps/v1/namespaces/outrigger-system/deployments/outrigger-controller'
const POLICY = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies/outrigger-pod-server`
const LOGS =
  '         do: see the logs of its pods: kubectl -n outrigger-system logs -l app.kubernetes.io/name=outrigger-controller\n'
const APPLY = '         do: apply its manifests (kubectl apply -k manifests/base/companions, or'

describeOwnCluster('control', 'outrigger doctor of the controller', (target) => {
  const api = createApi(target.api)
  const kubectl = createKubectl(target)
  let webhook: WebhookProcess
  let controller: ControllerProcess | undefined
  let kubeconfig = ''

  const doctor = async (): Promise<string> =>
    (await outriggerCommand(target.kubeconfig, 'doctor', '-n', NAMESPACE)).stdout
  const apply = (): Promise<string> => kubectl.run('apply', '-k', COMPANIONS)
  const start = async (): Promise<void> => {
    const config = join(OVERLAY, 'config.yaml')
    controller = await startController(target, { kubeconfig, config, port: 18_083 })
  }
  const stop = async (): Promise<void> => {
    await controller?.stop()
    controller = undefined
  }
  const until = (path: string, is: (status: number, holder: unknown) => boolean) =>
    waitFor(path, async () => {
      const { status, body } = await api.get(path)
      return is(status, at(body, 'spec', 'holderIdentity')) ? true : undefined
    })

  beforeAll(async () => {
    webhook = await startWebhook(target, 'overlays/dev')
    await kubectl.run('apply', '-k', OVERLAY)
    await apply()
    kubeconfig = await accountKubeconfig(target, {
      namespace: 'outrigger-system',
      name: 'outrigger-controller',
    })
    await api.createNamespace(NAMESPACE)
    await start()
    expect((await api.create(serverPod('server'), NAMESPACE)).status).toBe(201)
    await until(POLICY, (status) => status === 200)
  })
  afterAll(async () => {
    await stop()
    await kubectl.run('delete', '--ignore-not-found', '-k', COMPANIONS)
    await kubectl.run('apply', '-k', join(MANIFESTS, 'overlays/dev'))
    await api.remove(`/api/v1/namespaces/${NAMESPACE}`)
    await webhook.close()
  })

  test('says that one leads, may what it has to, and keeps what is to stand', async () => {
    const said = await waitFor('all companions', async () => {
      const text = await doctor()
      if (!text.includes('each with its companions')) throw new Error(text)
      return text
    })
    expect(said).toMatch(/^ok +controller: \S+_[0-9a-f-]{36} leads$/m)
    expect(said).toContain('ok       controller: it has the rights that its manifests give it\n')
    expect(said).toContain('ok       controller: 1 workload, each with its companions\n')
    // There is no node to run its Deployment.
    expect(said).toContain('FAULT    controller: 0 of 2 replicas are ready\n         do: see why')
  })

  test('status has a column of companions', async () => {
    const { stdout } = await outriggerCommand(target.kubeconfig, 'status', '-n', NAMESPACE)
    const [head, line] = stdout.split('\n').map((each) => each.replaceAll(/ {2,}/g, '  '))
    expect(head).toContain('  EGRESS  COMPANIONS  ACCOUNT  SERVER IMAGE  ')
    expect(line).toMatch(/^looked-after {2}Pod\/server {2}yes {2}.* {2}observe {2}yes {2}/)
  })

  describe('names what was put wrong, and what to do:', () => {
    test('a right that it lacks', async () => {
      const { body } = await api.get(ROLE)
      const text = JSON.stringify(body).replace('"resources":["networkpolicies"]', '"resources":["ingresses"]') // prettier-ignore
      expect((await api.request('PUT', ROLE, JSON.parse(text))).status).toBe(200)
      const lacking = await waitFor('the authorizer to know', async () => {
        const said = await doctor()
        return said.includes('it lacks rights') ? said : undefined
      })
      expect(lacking).toContain(
        `FAULT    controller: it lacks rights: get networkpolicies.networking.k8s.io, list networkpolicies.networking.k8s.io, watch networkpolicies.networking.k8s.io, create networkpolicies.networking.k8s.io, patch networkpolicies.networking.k8s.io and 1 more\n${APPLY}`,
      )
      await apply()
    })

    test('a Lease that nobody holds, and a policy that nobody makes anew', async () => {
      await stop()
      await until(LEASE, (_status, holder) => holder === '' || holder === undefined)
      await api.remove(POLICY)
      const said = await doctor()
      expect(said).toContain(
        `FAULT    controller: nobody holds the Lease outrigger-system/outrigger-controller: no companion is kept\n${LOGS}`,
      )
      expect(said).toContain(
        `warning  controller: not there, or somebody else's: NetworkPolicy/outrigger-pod-server in ${NAMESPACE}\n         do: where that stays so`,
      )
      const { stdout } = await outriggerCommand(target.kubeconfig, 'status', '-n', NAMESPACE)
      expect(stdout).toMatch(/ {2}lacks NetworkPolicy\/outrigger-pod-server {2}/)
    })

    test('one that leads no more, and did not say so', async () => {
      const { body } = await api.get(LEASE)
      const spec = {
        holderIdentity: 'outrigger-controller-lost_1',
        leaseDurationSeconds: 15,
        renewTime: '2026-01-01T00:00:00.000000Z',
      }
      expect((await api.request('PUT', LEASE, { ...body, spec })).status).toBe(200)
      const said = await doctor()
      expect(said).toMatch(
        /^FAULT +controller: outrigger-controller-lost_1 leads no more: it has not renewed the Lease outrigger-system\/outrigger-controller for \d+ s, and no other has taken it$/m,
      )
      expect(said).toContain(LOGS)
    })

    test('a Lease that is gone', async () => {
      await api.remove(LEASE)
      expect(await doctor()).toContain(
        `FAULT    controller: there is no Lease outrigger-system/outrigger-controller, by which one replica leads: none does\n${APPLY}`,
      )
      await apply()
    })

    test('a configuration that asks for companions, and nobody there to keep them', async () => {
      await api.remove(DEPLOYMENT)
      expect(await doctor()).toContain(
        'FAULT    controller: there is no Deployment outrigger-system/outrigger-controller\n         do: the cluster configuration asks for companions, and nobody keeps them: apply',
      )
      await apply()
    })

    test('one that runs, and is asked for nothing', async () => {
      await kubectl.run('apply', '-k', join(MANIFESTS, 'overlays/dev'))
      expect(await doctor()).toContain(
        'warning  controller: it runs, and the cluster configuration has no `companions`: it keeps none, and takes away those that stand\n         do: add `companions: {}`',
      )
    })
  })
})
