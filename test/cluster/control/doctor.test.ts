// `outrigger doctor` against a real API server: what it says of a cluster that is well, and of one in which something was put
// wrong on purpose, each time with what to do. There is no node here, so the webhook's Deployment has no pod: a process of ours
// serves in its place.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { accountKubeconfig } from '../account-kubeconfig.ts'
import { at, createApi, list, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { outriggerCommand, type EndedCommand } from '../outrigger-command.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const ADMISSION = '/apis/admissionregistration.k8s.io/v1'
const MUTATING = `${ADMISSION}/mutatingwebhookconfigurations/outrigger`
const VALIDATING = `${ADMISSION}/validatingwebhookconfigurations/outrigger`
const BINDING = `${ADMISSION}/validatingadmissionpolicybindings/outrigger-asked`
const CONFIG = '/api/v1/namespaces/outrigger-system/configmaps/outrigger-config'
const SYSTEM = 'examined'

const daemonSet = (name: string): Json => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'c', image: 'example.com/network:1' }] },
    },
  },
})

describeOwnCluster('control', 'outrigger doctor', (target) => {
  const api = createApi(target.api)
  const kubectl = createKubectl(target)
  let webhook: WebhookProcess

  const doctor = (...args: readonly string[]): Promise<EndedCommand> =>
    outriggerCommand(target.kubeconfig, 'doctor', ...args)

  const restore = async (): Promise<void> => {
    await kubectl.run('apply', '-k', 'manifests/overlays/dev')
  }

  /** What changes of a configuration's or a policy's object. */
  const rewritten = async (path: string, from: RegExp, to: string): Promise<void> => {
    const { body } = await api.get(path)
    const text = JSON.stringify(body).replace(from, to)
    const { status } = await api.request('PUT', path, JSON.parse(text))
    expect(status).toBe(200)
  }

  beforeAll(async () => {
    webhook = await startWebhook(target, 'overlays/dev')
    await api.createNamespace(SYSTEM)
  })
  afterAll(async () => {
    await api.remove(`/api/v1/namespaces/${SYSTEM}`)
    await webhook.close()
  })

  test('says of each check how it is, and what this cluster lacks', async () => {
    const { code, stdout, stderr } = await doctor()
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout).toMatch(/^ok +API server: it is of version 1\.\d+: native sidecars/m)
    for (const line of [
      'warning  kubelets: there is no node\n',
      'ok       webhook configurations: MutatingWebhookConfiguration outrigger is whole\n',
      'ok       webhook configurations: ValidatingWebhookConfiguration outrigger is whole\n',
      'ok       final state: policy outrigger-asked is bound and denies\n',
      'ok       final state: policy outrigger-opted-in is bound and denies\n',
      'ok       final state: policy outrigger-secrets is bound and denies\n',
      'FAULT    webhook: 0 of 2 replicas are ready\n         do: see why: kubectl -n outrigger-system get pods',
      'ok       versions: webhook and sidecar are of one version, 0.1.0\n',
      'warning  certificates: no replica of the webhook runs\n',
      'ok       admission: a pod that asks for a server in namespace default gets the sidecar outrigger-sidecar:0.1.0\n',
      'warning  NetworkPolicy: no program is known here that enforces them\n         do: try it: ',
      'ok       confinement: no sidecar runs',
    ]) {
      expect(stdout).toContain(line)
    }
    // Nothing stays of the trial.
    const pods = await api.get('/api/v1/namespaces/default/pods')
    expect(list(pods.body, 'items').map((pod) => at(pod, 'metadata', 'name'))).not.toContain(
      'outrigger-doctor',
    )
  })

  describe('names what was put wrong, and what to do:', () => {
    const told = async (...lines: readonly string[]): Promise<void> => {
      const { code, stdout } = await doctor()
      expect(code).toBe(1)
      for (const line of lines) expect(stdout).toContain(line)
    }
    const APPLY = "         do: apply Outrigger's manifests again"

    test('a configuration that lets everything pass', async () => {
      await rewritten(MUTATING, /"failurePolicy":"Fail"/, '"failurePolicy":"Ignore"')
      await told(
        `FAULT    webhook configurations: MutatingWebhookConfiguration outrigger, namespace.inject.outrigger.dev, has failurePolicy: Ignore: without the webhook everything passes\n${APPLY}`,
      )
      await restore()
    })

    test('a configuration of which an entry is gone', async () => {
      await rewritten(VALIDATING, /"name":"guard\.validate/, '"name":"other.validate')
      try {
        await told(
          `FAULT    webhook configurations: ValidatingWebhookConfiguration outrigger lacks guard.validate.outrigger.dev: what it is for is never asked\n${APPLY}`,
        )
      } finally {
        // kubectl apply leaves an entry that it never applied.
        await rewritten(VALIDATING, /"name":"other\.validate/, '"name":"guard.validate')
      }
    })

    test('a policy that only warns', async () => {
      await rewritten(BINDING, /"Deny"/, '"Warn"')
      await told(
        `FAULT    final state: ValidatingAdmissionPolicyBinding outrigger-asked does not deny: what the policy is about passes\n${APPLY}`,
      )
      await restore()
    })

    test('a configuration that is gone: what asks for a server does not come up', async () => {
      await api.remove(MUTATING)
      try {
        await told(
          `FAULT    webhook configurations: there is no MutatingWebhookConfiguration outrigger: nothing is injected or judged\n${APPLY}`,
          'FAULT    admission: a pod that asks for a server in namespace default is refused for want of its sidecar: ',
        )
      } finally {
        await restore()
        // Whoever serves writes its authority into it.
        await webhook.stop()
        await webhook.start()
      }
    })

    test('a webhook that does not answer, and a caBundle that is not its own', async () => {
      await webhook.stop()
      const { body } = await api.get(VALIDATING)
      const bundle = String(at(body, 'webhooks', 0, 'clientConfig', 'caBundle'))
      const other = await kubectl.run(
        'get',
        '-n',
        'default',
        'configmap',
        'kube-root-ca.crt',
        '-o',
        'jsonpath={.data.ca\\.crt}',
      )
      await rewritten(
        VALIDATING,
        new RegExp(bundle.replaceAll('+', '\\+')),
        Buffer.from(other).toString('base64'),
      )
      try {
        await told(
          'FAULT    certificates: the caBundle of ValidatingWebhookConfiguration outrigger, namespace.validate.outrigger.dev lacks ',
          'FAULT    admission: the API server does not reach the webhook by pod.inject.outrigger.dev: ',
          '         do: see that its pods are ready',
        )
      } finally {
        await rewritten(
          VALIDATING,
          new RegExp(Buffer.from(other).toString('base64').replaceAll('+', '\\+')),
          bundle,
        )
        await webhook.start()
      }
    })

    test('a sidecar of another version', async () => {
      const was = String(at((await api.get(CONFIG)).body, 'data', 'config.yaml'))
      const next = was.replace('outrigger-sidecar:0.1.0', 'outrigger-sidecar:0.0.9')
      await api.patch(CONFIG, { data: { 'config.yaml': next } })
      await told(
        'FAULT    versions: webhook and sidecar are of two versions: outrigger-webhook:0.1.0 and outrigger-sidecar:0.0.9\n         do: name the sidecar of the same release',
        'FAULT    admission: pods get the sidecar outrigger-sidecar:0.1.0, and the configuration names outrigger-sidecar:0.0.9\n         do: ',
      )
      await restore()
    })

    test('a label whose value opts nothing in', async () => {
      const path = `/api/v1/namespaces/${SYSTEM}`
      await api.patch(path, { metadata: { labels: { 'outrigger.dev/injection': 'true' } } })
      await told(
        `FAULT    namespaces: namespace ${SYSTEM}: label outrigger.dev/injection: "true" opts nothing in; the value that does is "enabled"\n         do: correct the label`,
      )
      await api.patch(path, { metadata: { labels: { 'outrigger.dev/injection': null } } })
    })

    test('a pod network without policies, and one with them', async () => {
      await api.apply([daemonSet('kube-flannel')], SYSTEM)
      const lenient = await doctor()
      expect(lenient.stdout).toContain(
        'warning  NetworkPolicy: kube-flannel runs, which enforces none by itself\n',
      )
      await api.apply([daemonSet('cilium')], SYSTEM)
      expect((await doctor()).stdout).toContain(
        'ok       NetworkPolicy: Cilium runs, which enforces them\n',
      )
    })
  })

  test('says of what its user may not read that it is not known', async () => {
    await api.apply(
      [{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'nobody' } }],
      SYSTEM,
    )
    const kubeconfig = await accountKubeconfig(target, { namespace: SYSTEM, name: 'nobody' })
    const { code, stdout } = await outriggerCommand(kubeconfig, 'doctor', '-n', SYSTEM)
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /^UNREAD +webhook configurations: MutatingWebhookConfiguration outrigger cannot be read: .* cannot get resource/m,
    )
    expect(stdout).toMatch(/^UNREAD +admission: .* cannot create resource "pods"/m)
    expect(stdout).not.toMatch(/^(?:ok|FAULT) +(?:webhook|certificates|admission|sidecars)/m)
  })
})
