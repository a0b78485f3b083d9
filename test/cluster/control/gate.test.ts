// Pods that wait for their policy, beside a real API server: who holds them, who lets them go, and who may not.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { accountKubeconfig } from '../account-kubeconfig.ts'
import { at, createApi, list, type Json } from '../api.ts'
import { startController, type ControllerProcess } from '../controller-process.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { serverPod } from '../pods.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const NAMESPACE = 'gated'
const LOOSE = 'not-gated'
const NAME = 'outrigger-controller'
const CONTROLLER = `system:serviceaccount:outrigger-system:${NAME}`
const COMPANIONS = join(import.meta.dirname, '../../../manifests/base/companions')
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`
const POLICIES = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies`
const GATE = [{ name: 'outrigger.dev/policy' }]

describeOwnCluster('control', 'the gate', (target) => {
  const api = createApi(target.api)
  const kubectl = createKubectl(target)
  let webhook: WebhookProcess
  let controller: ControllerProcess | undefined
  let kubeconfig = ''
  let config = ''

  const pod = (name: string, labels: Readonly<Record<string, string>> = {}): Json =>
    serverPod(name, {
      labels,
      container: {
        image: `example/server@sha256:${'a'.repeat(64)}`,
        resources: { limits: { cpu: '1', memory: '64Mi' } },
      },
    })
  const make = async (
    name: string,
    namespace = NAMESPACE,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    const { status, body } = await api.create(pod(name, labels), namespace)
    expect([status, at(body, 'message')]).toEqual([201, undefined])
  }
  const gates = async (name: string): Promise<unknown> =>
    at((await api.get(`${PODS}/${name}`)).body, 'spec', 'schedulingGates')
  const untilGone = (name: string): Promise<true> =>
    waitFor(`the gate of ${name} is off`, async () =>
      (await gates(name)) === undefined ? true : undefined,
    )
  /** What is known of pods comes a little after what becomes of them. */
  const untilHeld = (count: number): Promise<true> =>
    waitFor(`${count} are held`, async () =>
      (await controller?.metrics())?.get('outrigger_controller_held_pods') === count
        ? true
        : undefined,
    )
  const lead = async (companions: string): Promise<void> => {
    await controller?.stop()
    writeFileSync(config, `sidecar:\n  image: outrigger-sidecar:0.1.0\n${companions}\n`)
    controller = await startController(target, { kubeconfig, config, port: 18_083 })
  }
  /** What somebody is told who would change a pod, and need not be able to read it: nothing is changed. */
  const told = async (user: string, name: string, patch: Json): Promise<string> => {
    const headers = {
      'content-type': 'application/strategic-merge-patch+json',
      'impersonate-user': user,
    }
    const body = JSON.stringify(patch)
    const url = `${target.api}${PODS}/${name}?dryRun=All`
    const reply = await fetch(url, { method: 'PATCH', headers, body })
    return reply.ok ? 'free to' : await reply.text()
  }
  const OFF = { spec: { schedulingGates: [{ $patch: 'delete', ...GATE[0] }] } }

  beforeAll(async () => {
    webhook = await startWebhook(target, '../test/cluster/overlays/gate')
    await kubectl.run('apply', '-k', COMPANIONS)
    kubeconfig = await accountKubeconfig(target, { namespace: 'outrigger-system', name: NAME })
    config = join(target.own.dir, 'gate-config.yaml')
    await api.createNamespace(NAMESPACE, { 'outrigger.dev/enforce': 'strict' })
    await api.createNamespace(LOOSE)
  })
  afterAll(async () => {
    await controller?.stop()
    await kubectl.run('delete', '--ignore-not-found', '-k', COMPANIONS)
    for (const name of [NAMESPACE, LOOSE]) await api.remove(`/api/v1/namespaces/${name}`)
    await webhook.close()
  })

  test('a pod of a strict namespace waits while there is no controller, and says so', async () => {
    await make('first')
    const { body } = await api.get(`${PODS}/first`)
    expect(at(body, 'spec', 'schedulingGates')).toEqual(GATE)
    const scheduled = list(body, 'status', 'conditions').find(
      (one) => at(one, 'type') === 'PodScheduled',
    )
    expect(at(scheduled, 'reason')).toBe('SchedulingGated')
  })

  test('one of another namespace does not', async () => {
    await make('free', LOOSE)
    const { body } = await api.get(`/api/v1/namespaces/${LOOSE}/pods/free`)
    expect(at(body, 'spec', 'schedulingGates')).toBeUndefined()
  })

  test('nobody else takes its gate off, and the controller changes nothing else of it', async () => {
    const editing = ['--clusterrole=edit', '--user=alice', '-n', NAMESPACE]
    await kubectl.run('create', 'rolebinding', 'alice', ...editing)
    const denied: readonly (readonly [user: string, patch: Json, words: string])[] = [
      ['alice', OFF, 'the pod waits until its NetworkPolicy stands'],
      [
        CONTROLLER,
        { spec: { containers: [{ name: 'server', image: 'example/other' }] } },
        'changes nothing else of them',
      ],
      [CONTROLLER, { metadata: { labels: { a: 'b' } } }, 'changes nothing else of them'],
      [CONTROLLER, { spec: { nodeSelector: { a: 'b' } } }, 'changes nothing else of them'],
    ]
    for (const [user, patch, words] of denied) {
      // A policy that has just been applied holds a little later.
      await waitFor(`${words}, to ${user}`, async () =>
        (await told(user, 'first', patch)).includes(words) ? true : undefined,
      )
    }
    expect(await gates('first')).toEqual(GATE)
    // What is not about it is its owner's still.
    expect(await told('alice', 'first', { metadata: { labels: { mine: 'yes' } } })).toBe('free to')
  })

  test('the controller lets it go, with its policy there', async () => {
    const { body } = await api.get(`${PODS}/first`)
    await lead('companions: { gate: true }')
    await untilGone('first')
    expect((await api.get(`${POLICIES}/outrigger-pod-first`)).status).toBe(200)
    const after = (await api.get(`${PODS}/first`)).body
    expect(at(after, 'metadata', 'uid')).toBe(at(body, 'metadata', 'uid'))
    expect(at(after, 'spec', 'containers')).toEqual(at(body, 'spec', 'containers'))
    await make('second')
    await untilGone('second')
    await untilHeld(0)
  })

  test('one whose policy’s name is taken waits until it is free, and is told', async () => {
    const theirs = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'outrigger-pod-taken' },
      spec: { podSelector: { matchLabels: { app: 'mine' } }, policyTypes: ['Egress'] },
    }
    await api.apply([theirs], NAMESPACE)
    await make('taken')
    await waitFor('the Event', async () => {
      const { body } = await api.get(`/api/v1/namespaces/${NAMESPACE}/events`)
      return list(body, 'items').some((one) => at(one, 'reason') === 'PodsHeld') ? true : undefined
    })
    expect(await gates('taken')).toEqual(GATE)
    await untilHeld(1)
    await kubectl.run('delete', 'networkpolicy', 'outrigger-pod-taken', '-n', NAMESPACE)
    await untilGone('taken')
  })

  test('one that a policy opens which was there before it waits until that goes, and is told', async () => {
    const before = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'before' },
      spec: { podSelector: { matchLabels: { app: 'later' } }, ingress: [{}] },
    }
    await api.apply([before], NAMESPACE)
    // Pods and policies are followed each by itself: of a policy that has just come it may be heard after its pod.
    await lead('companions: { gate: true }')
    const opens = 'NetworkPolicy before, which is not Outrigger'
    await make('later', NAMESPACE, { app: 'later' })
    await waitFor('both Events', async () => {
      const { body } = await api.get(`/api/v1/namespaces/${NAMESPACE}/events`)
      const said = list(body, 'items').map((one) => String(at(one, 'message')))
      return said.some((text) => text.startsWith(opens)) &&
        said.some((text) => text.includes('(rule network-policies)'))
        ? true
        : undefined
    })
    expect(await gates('later')).toEqual(GATE)
    await untilHeld(1)
    await kubectl.run('delete', 'networkpolicy', 'before', '-n', NAMESPACE)
    await untilGone('later')
  })

  test('where companions are switched off, those that wait are let go', async () => {
    await controller?.stop()
    controller = undefined
    await make('left')
    expect(await gates('left')).toEqual(GATE)
    await lead('')
    await untilGone('left')
  })
})
