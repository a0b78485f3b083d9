// `outrigger status` against a real API server whose admission has injected some pods and not others, by a user who may read
// everything and one who may read a namespace's pods.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { accountKubeconfig } from '../account-kubeconfig.ts'
import { at, createApi, list, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { waitFor } from '../machine/waiting.ts'
import { outriggerCommand, type EndedCommand } from '../outrigger-command.ts'
import { deploymentOf, INJECT, serverPod } from '../pods.ts'
import { LISTS_PODS, roleFor } from '../role.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const NAMESPACE = 'standing'
const ACCOUNT = { namespace: NAMESPACE, name: 'looker' }
const CONFIG = '/api/v1/namespaces/outrigger-system/configmaps/outrigger-config'
const ENFORCE = {
  ...INJECT,
  'outrigger.dev/egress-mode': 'enforce',
  'outrigger.dev/egress': 'api.example.com:443,db.data.svc:5432',
}

const RIGHTS: readonly Json[] = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: ACCOUNT.name } },
  ...roleFor('pods', LISTS_PODS, { kind: 'ServiceAccount', ...ACCOUNT }),
]

describeOwnCluster('control', 'outrigger status', (target) => {
  const api = createApi(target.api)
  let webhook: WebhookProcess

  const status = (...args: readonly string[]): Promise<EndedCommand> =>
    outriggerCommand(target.kubeconfig, 'status', ...args)

  const podsOf = (many: number): Promise<true> =>
    waitFor(`${many} pods`, async () => {
      const { body } = await api.get(`/api/v1/namespaces/${NAMESPACE}/pods`)
      return list(body, 'items').length === many ? true : undefined
    })

  beforeAll(async () => {
    webhook = await startWebhook(target, 'overlays/dev')
    await api.createNamespace(NAMESPACE)
    // There before its namespace asks for the sidecar.
    await api.apply([deploymentOf(serverPod('', { annotations: {} }), 'late')], NAMESPACE)
    await podsOf(1)
    const labels = { 'outrigger.dev/injection': 'enabled' }
    await api.patch(`/api/v1/namespaces/${NAMESPACE}`, { metadata: { labels } })
    await api.apply(
      [
        deploymentOf(serverPod('', { annotations: ENFORCE }), 'search', 2),
        deploymentOf(serverPod('', {}), 'idle', 0),
        serverPod('alone'),
      ],
      NAMESPACE,
    )
    await podsOf(4)
    await api.apply(RIGHTS, NAMESPACE)
  })
  afterAll(async () => {
    await api.remove(`/api/v1/namespaces/${NAMESPACE}`)
    await webhook.close()
  })

  test('names each workload with what its sidecar was told, and the line that puts one right', async () => {
    const { code, stdout, stderr } = await status('-n', NAMESPACE)
    expect([code, stderr]).toEqual([1, ''])
    const lines = stdout.trimEnd().split('\n')
    expect(lines.map((line) => line.replaceAll(/ {2,}/g, '  '))).toEqual([
      'NAMESPACE  WORKLOAD  SIDECAR  READY  AUTH  POLICY  EGRESS  ACCOUNT  SERVER IMAGE  SIDECAR IMAGE',
      `${NAMESPACE}  Pod/alone  yes  0/1  none  none  observe  default  example/server  outrigger-sidecar:0.1.0`,
      `${NAMESPACE}  Deployment/idle  no pod  0/0  -  -  -  -  -  -`,
      `${NAMESPACE}  Deployment/late  MISSING  0/1  -  -  -  default  -  -`,
      `${NAMESPACE}  Deployment/search  yes  0/2  none  none  enforce: api.example.com:443 (+1)  default  example/server  outrigger-sidecar:0.1.0`,
      `${NAMESPACE}: Deployment late: 1 pod of it runs without the sidecar that it asks for`,
      `  do: kubectl rollout restart -n ${NAMESPACE} deployment/late`,
      '4 workloads under Outrigger: 1 without the sidecar that it asks for, 1 without a pod, 2 as they are to be',
    ])
  })

  test('says who may reach a backend, and by what', async () => {
    const { code, stdout } = await status('-n', NAMESPACE, '--reaches', 'db.data.svc', '-o', 'json')
    const found: unknown = JSON.parse(stdout)
    expect(code).toBe(0)
    expect(
      list(found, 'workloads').map((one) => [
        at(one, 'name'),
        list(one, 'ways').map((way) => `${String(at(way, 'how'))}: ${String(at(way, 'by'))}`),
      ]),
    ).toEqual([
      ['alone', ['free: egress-mode: observe']],
      ['idle', ['perhaps: no pod of it is there, so what its sidecar is told is not known']],
      ['late', ['free: a pod of it runs without the sidecar']],
      [
        'search',
        ['declared: db.data.svc:5432', 'perhaps: anything, where its node cannot confine it'],
      ],
    ])
  })

  test('names those with another sidecar than the configuration has by now', async () => {
    const was = await api.get(CONFIG)
    const text = String(at(was.body, 'data', 'config.yaml'))
    const next = text.replace('outrigger-sidecar:0.1.0', 'outrigger-sidecar:next')
    await api.patch(CONFIG, { data: { 'config.yaml': next } })
    try {
      const { stdout } = await status('-A')
      expect(stdout).toContain(
        `${NAMESPACE}: Deployment search: runs with another sidecar than the configuration names\n  do: kubectl rollout restart -n ${NAMESPACE} deployment/search\n`,
      )
    } finally {
      await api.patch(CONFIG, { data: { 'config.yaml': text } })
    }
  })

  test('goes on with what its user may read, and names each right that is missing', async () => {
    const kubeconfig = await accountKubeconfig(target, ACCOUNT)
    const { code, stdout, stderr } = await outriggerCommand(kubeconfig, 'status', '-n', NAMESPACE)
    expect(code).toBe(1)
    // Pods by the names of what has made them; who is asked by his namespace nobody tells him.
    expect(stdout).toMatch(/ReplicaSet\/search-\S+ +yes/)
    for (const resource of ['deployments', 'replicasets', 'cronjobs']) {
      expect(stderr).toMatch(
        new RegExp(
          `${resource} cannot be listed, so .* is not known: .* cannot list resource "${resource}"`,
        ),
      )
    }
    expect(stderr).toMatch(
      /namespace standing cannot be read, so .* cannot get resource "namespaces"/,
    )
    expect(stderr).toContain('cannot get resource "configmaps"')
  })
})
