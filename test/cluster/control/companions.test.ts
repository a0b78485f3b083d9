// The controller beside a real API server: what it makes, what it puts right, what it leaves alone, who leads, and what it may
// not do. Whether the network keeps to the policies is no matter here.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { accountKubeconfig } from '../account-kubeconfig.ts'
import { at, createApi, list, type Json } from '../api.ts'
import { startController, type ControllerProcess } from '../controller-process.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { deploymentOf, serverPod } from '../pods.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const NAMESPACE = 'beside'
const ACCOUNT = 'outrigger-controller'
const MANIFESTS = join(import.meta.dirname, '../../../manifests')
const POLICIES = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies`
const SERVICES = `/api/v1/namespaces/${NAMESPACE}/services`
const PORTS = [18_081, 18_082]
/** Whose pods were there before it opted in. */
const EARLIER = 'beside-earlier'

describeOwnCluster('control', 'companions', (target) => {
  const api = createApi(target.api)
  const kubectl = createKubectl(target)
  let webhook: WebhookProcess
  let kubeconfig = ''
  let config = ''
  const running: ControllerProcess[] = []

  const configure = (companions: string): void => {
    const dev = readFileSync(join(MANIFESTS, 'overlays/dev/config.yaml'), 'utf8')
    writeFileSync(config, `${dev}\n${companions}\n`)
  }
  const start = async (index: 0 | 1): Promise<ControllerProcess> => {
    const port = PORTS[index] ?? 0
    const controller = await startController(target, { kubeconfig, config, port })
    running.push(controller)
    return controller
  }
  const until = (what: string, path: string, is: (body: Json, status: number) => boolean) =>
    waitFor(what, async () => {
      const { status, body } = await api.get(path)
      return is(body, status) ? body : undefined
    })
  const untilThere = (path: string): Promise<Json> =>
    until(path, path, (_body, status) => status === 200)
  const untilGone = (path: string): Promise<Json> =>
    until(`no ${path}`, path, (_body, status) => status === 404)
  const eventsOf = async (name: string, namespace: string): Promise<readonly unknown[]> => {
    const { body } = await api.get(`/api/v1/namespaces/${namespace}/events`)
    return list(body, 'items').filter((event) => at(event, 'involvedObject', 'name') === name)
  }
  const events = async (name: string): Promise<readonly string[]> =>
    (await eventsOf(name, NAMESPACE)).map((event) => String(at(event, 'reason')))
  const messageOf = (what: string, name: string, namespace: string): Promise<string> =>
    waitFor(`${what} of ${name}`, async () => {
      const found = (await eventsOf(name, namespace)).find((one) => at(one, 'reason') === what)
      return found === undefined ? undefined : String(at(found, 'message'))
    })
  const reaches = (metric: string, count: number): Promise<true> =>
    waitFor(`${metric} is ${count}`, async () =>
      (await running[0]?.metrics())?.get(metric) === count ? true : undefined,
    )
  /** What is there before the controller is, which looks for it when it begins to lead. */
  const makeEarlier = async (): Promise<void> => {
    await api.createNamespace(EARLIER)
    const plain = { annotations: {} }
    await api.apply([deploymentOf(serverPod('x', plain), 'unguarded')], EARLIER)
    await waitFor('its pod', async () => {
      const { body } = await api.get(`/api/v1/namespaces/${EARLIER}/pods`)
      return list(body, 'items').length > 0 ? true : undefined
    })
    await api.patch(`/api/v1/namespaces/${EARLIER}`, {
      metadata: { labels: { 'outrigger.dev/injection': 'enabled' } },
    })
    const commandless = serverPod('x', { container: { command: undefined } })
    await api.apply([deploymentOf(commandless, 'commandless')], EARLIER)
    const path = `/apis/apps/v1/namespaces/${EARLIER}/deployments/commandless`
    await until('its pods are denied', path, (body) =>
      list(body, 'status', 'conditions').some((one) => at(one, 'type') === 'ReplicaFailure'),
    )
  }
  const submit = async (pod: Json): Promise<void> => {
    expect((await api.create(pod, NAMESPACE)).status).toBe(201)
  }

  beforeAll(async () => {
    webhook = await startWebhook(target, 'overlays/dev')
    await kubectl.run('apply', '-k', join(MANIFESTS, 'base/companions'))
    kubeconfig = await accountKubeconfig(target, { namespace: 'outrigger-system', name: ACCOUNT })
    config = join(target.own.dir, 'controller-config.yaml')
    configure('companions: {}')
    await api.createNamespace(NAMESPACE)
    await makeEarlier()
    await start(0)
  })
  afterAll(async () => {
    for (const controller of running) await controller.stop()
    await kubectl.run('delete', '--ignore-not-found', '-k', join(MANIFESTS, 'base/companions'))
    for (const name of [NAMESPACE, EARLIER]) await api.remove(`/api/v1/namespaces/${name}`)
    await webhook.close()
  })

  test('a pod that is injected has a policy and two Services, owned by it', async () => {
    await submit(serverPod('alone'))
    const policy = await untilThere(`${POLICIES}/outrigger-pod-alone`)
    expect(list(policy, 'metadata', 'ownerReferences')).toMatchObject([
      { kind: 'Pod', name: 'alone' },
    ])
    expect(at(policy, 'spec', 'podSelector')).toEqual({
      matchLabels: { 'outrigger.dev/injected': 'true', 'outrigger.dev/server': 'pod-alone' },
    })
    const service = await untilThere(`${SERVICES}/outrigger-pod-alone`)
    expect(service).toMatchObject({
      spec: { sessionAffinity: 'ClientIP', ports: [{ port: 15_200, appProtocol: 'http' }] },
    })
    expect(await untilThere(`${SERVICES}/outrigger-pod-alone-headless`)).toMatchObject({
      spec: { clusterIP: 'None', publishNotReadyAddresses: true },
    })
  })

  test('its namespace has a policy for those that have none yet', async () => {
    const policy = await untilThere(`${POLICIES}/outrigger-default`)
    expect(at(policy, 'spec', 'ingress')).toBeUndefined()
  })

  test('a namespace that opts in has it before any pod', async () => {
    const name = 'beside-in'
    await api.createNamespace(name, { 'outrigger.dev/injection': 'enabled' })
    const path = `/apis/networking.k8s.io/v1/namespaces/${name}/networkpolicies/outrigger-default`
    await untilThere(path)
    await api.patch(`/api/v1/namespaces/${name}`, {
      metadata: { labels: { 'outrigger.dev/injection': null } },
    })
    await untilGone(path)
    await api.remove(`/api/v1/namespaces/${name}`)
  })

  test('who names no callers is told that everybody may come', async () => {
    await waitFor('the Event', async () =>
      (await events('alone')).includes('IngressOpen') ? true : undefined,
    )
  })

  test('a pod that was there before its namespace opted in is counted, and told with its line', async () => {
    expect(await messageOf('SidecarMissing', 'unguarded', EARLIER)).toMatch(
      /: kubectl rollout restart -n beside-earlier deployment\/unguarded$/,
    )
    // It tells of one before it counts.
    await reaches('outrigger_controller_bare_pods', 1)
    await reaches('outrigger_controller_other_sidecars', 0)
  })

  test('a Deployment whose pods are denied for want of a command is told which annotation says it', async () => {
    expect(await messageOf('PodsDenied', 'commandless', EARLIER)).toContain('outrigger.dev/command')
    await reaches('outrigger_controller_denied_deployments', 1)
  })

  test('what its kubelet says of an image that runs as root is told with what puts it right', async () => {
    const message = 'container has runAsNonRoot and image will run as root (pod: "alone")'
    const state = { waiting: { reason: 'CreateContainerConfigError', message } }
    const status = { name: 'server', image: 'x', imageID: '', ready: false, restartCount: 0, state }
    const path = `/api/v1/namespaces/${NAMESPACE}/pods/alone/status`
    expect((await api.patch(path, { status: { containerStatuses: [status] } })).status).toBe(200)
    await waitFor('the Event', async () =>
      (await events('alone')).includes('ImageRunsAsRoot') ? true : undefined,
    )
  })

  test('somebody else’s policy that opens what ours closes is told, and counted while it stands', async () => {
    const wide = (name: string, spec: Json): Json => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name },
      spec: { podSelector: {}, ...spec },
    })
    const closed = wide('all-closed', { policyTypes: ['Ingress', 'Egress'] })
    await api.apply(
      [closed, wide('wide-open', { egress: [{}], policyTypes: ['Egress'] })],
      NAMESPACE,
    )
    expect(await messageOf('PolicyOpens', 'alone', NAMESPACE)).toMatch(
      /^NetworkPolicy wide-open, .* opens egress /,
    )
    await reaches('outrigger_controller_open_policies', 1)
    await api.remove(`${POLICIES}/wide-open`)
    await reaches('outrigger_controller_open_policies', 0)
  })

  test('those of a Deployment are the Deployment’s, by way of its ReplicaSet', async () => {
    const parts = {
      annotations: { 'outrigger.dev/inject': 'true', 'outrigger.dev/ingress-from': 'agents' },
    }
    await api.apply([deploymentOf(serverPod('x', parts), 'deployed')], NAMESPACE)
    const { body } = await api.get(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/deployed`)
    const uid = String(at(body, 'metadata', 'uid'))
    const policy = await untilThere(`${POLICIES}/outrigger-deployment-deployed`)
    expect(list(policy, 'metadata', 'ownerReferences')).toMatchObject([{ kind: 'Deployment', uid }])
    expect(at(policy, 'spec', 'ingress', 0, 'from')).toEqual([
      { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'agents' } } },
    ])
    expect(await events('deployed')).not.toContain('IngressOpen')
  })

  const DRIFTS: readonly (readonly [string, string, Json])[] = [
    [
      'an opened policy',
      `${POLICIES}/outrigger-pod-alone`,
      { spec: { egress: [{}], ingress: [{}] } },
    ],
    [
      'callers narrowed by hand',
      `${POLICIES}/outrigger-pod-alone`,
      { spec: { ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 15_200 }] }] } },
    ],
    ['a policy about other pods', `${POLICIES}/outrigger-pod-alone`, { spec: { podSelector: {} } }],
    [
      'our label taken off',
      `${POLICIES}/outrigger-pod-alone`,
      { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } },
    ],
    ['another owner', `${SERVICES}/outrigger-pod-alone`, { metadata: { ownerReferences: [] } }],
    [
      'a port more',
      `${SERVICES}/outrigger-pod-alone`,
      {
        spec: {
          ports: [
            { name: 'mcp', port: 15_200 },
            { name: 'in', port: 80, targetPort: 8080 },
          ],
        },
      },
    ],
    ['another selector', `${SERVICES}/outrigger-pod-alone`, { spec: { selector: { app: 'x' } } }],
  ]
  test.each(DRIFTS)('drift is put right: %s', async (_name, path, change) => {
    const before = (await api.get(path)).body
    expect((await api.patch(path, change)).status).toBe(200)
    await until('as it was', path, (body) => {
      const same = (...where: readonly string[]): boolean =>
        JSON.stringify(at(body, ...where)) === JSON.stringify(at(before, ...where))
      return same('spec') && same('metadata', 'labels') && same('metadata', 'ownerReferences')
    })
  })

  test('one that is deleted comes again', async () => {
    const path = `${POLICIES}/outrigger-pod-alone`
    const { body } = await api.get(path)
    await api.remove(path)
    await until(
      'another',
      path,
      (now, status) => status === 200 && at(now, 'metadata', 'uid') !== at(body, 'metadata', 'uid'),
    )
  })

  const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`
  const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`
  const deployed = async (name: string): Promise<unknown> => {
    await api.apply([deploymentOf(serverPod('x'), name)], NAMESPACE)
    return at((await api.get(`${DEPLOYMENTS}/${name}`)).body, 'metadata', 'uid')
  }
  const ownersOf = (policy: Json): readonly unknown[] =>
    list(policy, 'metadata', 'ownerReferences').map((owner) => at(owner, 'uid'))
  const someSeconds = () => new Promise((resolve) => setTimeout(resolve, 5000))

  test('of a Deployment that takes over another’s ReplicaSet they stay', async () => {
    const path = `${POLICIES}/outrigger-deployment-taking-over`
    const old = await deployed('taking-over')
    await until('one of the first', path, (policy) => ownersOf(policy).includes(old))
    await kubectl.run('delete', 'deployment', 'taking-over', '-n', NAMESPACE, '--cascade=orphan')
    await deployed('taking-over')
    const isAnothers = (policy: Json): boolean => {
      const owners = ownersOf(policy)
      return owners.length > 0 && !owners.includes(old)
    }
    const policy = await until('one of the second', path, isAnothers)
    await someSeconds()
    const after = (await api.get(path)).body
    expect(at(after, 'metadata', 'uid')).toBe(at(policy, 'metadata', 'uid'))
    expect(isAnothers(after)).toBe(true)
  })

  test('they go with a Deployment whose pods take long to end, once', async () => {
    const path = `${POLICIES}/outrigger-deployment-slow`
    await deployed('slow')
    await untilThere(path)
    const { body } = await api.get(`${PODS}?labelSelector=app%3Dslow`)
    const names = list(body, 'items').map((pod) => String(at(pod, 'metadata', 'name')))
    expect(names).toHaveLength(1)
    const pod = `${PODS}/${names[0]}`
    await api.patch(pod, { metadata: { finalizers: ['outrigger.dev/test'] } })
    await api.remove(`${DEPLOYMENTS}/slow`)
    await until(
      'the pod ends',
      pod,
      (now) => at(now, 'metadata', 'deletionTimestamp') !== undefined,
    )
    await untilGone(path)
    // One may have been written while the pod had not heard of it yet; none is again and again.
    const again = new Set<unknown>()
    for (let goneAt = Date.now(); again.size < 2 && Date.now() < goneAt + 5000;) {
      const { status, body: now } = await api.get(path)
      if (status === 404) continue
      again.add(at(now, 'metadata', 'uid'))
      goneAt = Date.now()
    }
    await api.patch(pod, { metadata: { finalizers: null } })
    expect(again.size).toBeLessThan(2)
  })

  test('an object of a companion’s name that is somebody else’s is left alone, and told', async () => {
    const theirs = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'outrigger-pod-taken', labels: { mine: 'yes' } },
      spec: { podSelector: { matchLabels: { app: 'mine' } }, policyTypes: ['Egress'] },
    }
    await api.apply([theirs], NAMESPACE)
    const before = (await api.get(`${POLICIES}/outrigger-pod-taken`)).body
    await submit(serverPod('taken'))
    await untilThere(`${SERVICES}/outrigger-pod-taken`)
    await waitFor('the Event', async () =>
      (await events('taken')).includes('CompanionTaken') ? true : undefined,
    )
    expect((await api.get(`${POLICIES}/outrigger-pod-taken`)).body).toEqual(before)
    await reaches('outrigger_controller_foreign', 1)
    await reaches('outrigger_watch_listed{resource="pods"}', 1)
  })

  test('nothing is written while everything is right', async () => {
    const path = `${SERVICES}/outrigger-pod-alone`
    const versionOf = async (): Promise<unknown> =>
      at((await api.get(path)).body, 'metadata', 'resourceVersion')
    const before = await versionOf()
    // A Service more has everything looked at.
    await api.apply(
      [
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'more' },
          spec: { ports: [{ port: 1 }] },
        },
      ],
      NAMESPACE,
    )
    await new Promise((resolve) => setTimeout(resolve, 7000))
    expect(await versionOf()).toBe(before)
  })

  test('one of two leads; when it goes, the other does, and goes on', async () => {
    const second = await start(1)
    const leading = async (
      controller: ControllerProcess | undefined,
    ): Promise<number | undefined> =>
      (await controller?.metrics())?.get('outrigger_controller_leading')
    expect([await leading(running[0]), await leading(second)]).toEqual([1, 0])
    await running[0]?.stop()
    running.splice(0, 1)
    await reaches('outrigger_controller_leading', 1)
    await submit(serverPod('later'))
    await untilThere(`${POLICIES}/outrigger-pod-later`)
  })

  describe('its rights', () => {
    const can = async (...what: readonly string[]): Promise<string> => {
      const as = `--as=system:serviceaccount:outrigger-system:${ACCOUNT}`
      const { stdout } = await kubectl.attempt('auth', 'can-i', as, ...what)
      return stdout.trim()
    }
    test.each([
      ['get', 'secrets', '-A'],
      ['list', 'secrets', '-A'],
      ['watch', 'secrets', '-A'],
      ['update', 'secrets', '-A'],
      ['patch', 'secrets', '-A'],
      ['delete', 'secrets', '-A'],
      ['list', 'configmaps', '-A'],
      ['create', 'pods', '-A'],
      ['delete', 'pods', '-A'],
      ['patch', 'deployments.apps', '-A'],
      ['watch', 'deployments.apps', '-A'],
      ['list', 'replicasets.apps', '-A'],
      ['create', 'leases.coordination.k8s.io', '-n', 'outrigger-system'],
      ['update', 'leases.coordination.k8s.io/kube-scheduler', '-n', 'kube-system'],
      ['update', 'leases.coordination.k8s.io/other', '-n', 'outrigger-system'],
      ['get', 'endpointslices.discovery.k8s.io/other', '-n', 'default'],
      ['patch', 'namespaces'],
      ['patch', 'mutatingwebhookconfigurations.admissionregistration.k8s.io'],
      ['escalate', 'clusterroles.rbac.authorization.k8s.io'],
      ['get', 'events', '-A'],
    ])('%s %s %s %s: no', async (...what) => {
      expect(await can(...what)).toBe('no')
    })
    test.each([
      ['update', `leases.coordination.k8s.io/${ACCOUNT}`, '-n', 'outrigger-system'],
      ['patch', 'networkpolicies.networking.k8s.io', '-A'],
      ['create', 'secrets', '-A'],
    ])('%s %s %s %s: yes', async (...what) => {
      expect(await can(...what)).toBe('yes')
    })
  })

  test('without companions in the configuration nothing of ours is left, and theirs is', async () => {
    configure('')
    for (const kind of ['networkpolicies', 'services']) {
      await waitFor(`no ${kind} of ours`, async () => {
        const found = await kubectl.run(
          'get',
          kind,
          '-A',
          '-o',
          'name',
          '-l',
          'app.kubernetes.io/managed-by=outrigger',
        )
        return found.trim() === '' ? true : undefined
      })
    }
    expect((await api.get(`${POLICIES}/outrigger-pod-taken`)).status).toBe(200)
  })
})
