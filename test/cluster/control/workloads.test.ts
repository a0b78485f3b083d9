// Annotations on workloads themselves, by the tools that people have: kubectl annotate, apply on
// either side, replace, rollout undo. What the API server, its controllers and the webhook make of
// every order of these.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { at, createApi, list, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { deploymentOf, INJECT, serverPod } from '../pods.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const NAMESPACE = 'workloads'
const RECORD = 'outrigger.dev/workload'
// Its user is known, so that nothing is chosen for it and warned about.
const PLAIN = serverPod('x', { annotations: {}, spec: { securityContext: { runAsUser: 1000 } } })
const ASKED = Object.entries(INJECT).map(([key, value]) => `${key}=${value}`)
const TAKEN = Object.keys(INJECT).map((key) => `${key}-`)
const COPIED = {
  ...INJECT,
  [RECORD]: JSON.stringify({ version: 1, copied: { inject: 'true', auth: 'none' } }),
}

const PATHS: Readonly<Record<string, string>> = {
  deployment: 'apis/apps/v1',
  statefulset: 'apis/apps/v1',
  daemonset: 'apis/apps/v1',
  replicaset: 'apis/apps/v1',
  job: 'apis/batch/v1',
  cronjob: 'apis/batch/v1',
  replicationcontroller: 'api/v1',
  podtemplate: 'api/v1',
}

const templateOf = (object: unknown): unknown =>
  at(object, 'template') ??
  at(object, 'spec', 'template') ??
  at(object, 'spec', 'jobTemplate', 'spec', 'template')

const copiesIn = (object: unknown): unknown => {
  const annotations = at(templateOf(object), 'metadata', 'annotations')
  return annotations ?? {}
}

/** A workload of any kind around the plain pod. */
const workload = (kind: string, name: string, annotations: Json = {}): Json => {
  const deployment = deploymentOf(PLAIN, name)
  const { selector, template, replicas } = Object(deployment['spec'])
  const jobTemplate = { ...template, spec: { ...template.spec, restartPolicy: 'Never' } }
  const specs: Readonly<Record<string, Json>> = {
    Deployment: { spec: { replicas, selector, template } },
    StatefulSet: { spec: { replicas, selector, template, serviceName: name } },
    DaemonSet: { spec: { selector, template } },
    ReplicaSet: { spec: { replicas, selector, template } },
    Job: { spec: { template: jobTemplate } },
    CronJob: {
      spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: jobTemplate } } },
    },
    ReplicationController: { spec: { replicas, selector: { app: name }, template } },
    PodTemplate: { template },
  }
  const api = PATHS[kind.toLowerCase()] ?? ''
  return {
    apiVersion: api.replace(/^apis?\//, ''),
    kind,
    metadata: { name, annotations },
    ...specs[kind],
  }
}

describeOwnCluster('control', 'workloads', (target) => {
  const api = createApi(target.api)
  const kubectl = createKubectl(target)
  let webhook: WebhookProcess
  const inNamespace = (...args: readonly string[]) => kubectl.attempt('-n', NAMESPACE, ...args)
  const pathOf = (kind: string, name: string, namespace = NAMESPACE): string =>
    `/${PATHS[kind] ?? ''}/namespaces/${namespace}/${kind}s/${name}`
  const get = async (kind: string, name: string): Promise<Json> =>
    (await api.get(pathOf(kind, name))).body
  const podsOf = async (name: string): Promise<readonly unknown[]> => {
    const query = `labelSelector=app%3D${name}`
    const { body } = await api.get(`/api/v1/namespaces/${NAMESPACE}/pods?${query}`)
    return list(body, 'items').filter(
      (pod) => at(pod, 'metadata', 'deletionTimestamp') === undefined,
    )
  }
  const hasSidecar = (pod: unknown): boolean =>
    list(pod, 'spec', 'initContainers').some((item) => at(item, 'name') === 'outrigger-sidecar')
  const waitForPod = (name: string, isInjected: boolean): Promise<unknown> =>
    waitFor(`a pod of ${name}`, async () =>
      (await podsOf(name)).find((pod) => hasSidecar(pod) === isInjected),
    )
  /** Waits until the controller has seen the newest template and recorded a revision for it. */
  const waitForRevision = (kind: string, name: string): Promise<true> =>
    waitFor(`the revision of ${name}`, async () => {
      const object = await get(kind, name)
      const isSeen =
        at(object, 'status', 'observedGeneration') === at(object, 'metadata', 'generation')
      return isSeen ? true : undefined
    })

  beforeAll(async () => {
    webhook = await startWebhook(target, 'overlays/dev')
    await api.createNamespace(NAMESPACE)
    await api.createNamespace('workloads-in', { 'outrigger.dev/injection': 'enabled' })
    await waitFor('the webhook to be called for workloads', async () => {
      const probe = workload('Deployment', 'probe', INJECT)
      const { body } = await api.create(probe, NAMESPACE, '?dryRun=All')
      return at(copiesIn(body), RECORD) === undefined ? undefined : true
    })
  })
  afterAll(() => webhook.close())

  test.each([
    'Deployment',
    'StatefulSet',
    'DaemonSet',
    'ReplicaSet',
    'CronJob',
    'ReplicationController',
    'PodTemplate',
  ])('kubectl annotate %s is all it takes, and taking it off all that undoes it', async (kind) => {
    const name = `annotated-${kind.toLowerCase()}`
    await api.apply([workload(kind, name)], NAMESPACE)
    const before = templateOf(await get(kind.toLowerCase(), name))
    const asked = await inNamespace('annotate', kind, name, ...ASKED)
    expect(asked).toMatchObject({ code: 0, stderr: '' })
    expect(copiesIn(await get(kind.toLowerCase(), name))).toEqual(COPIED)
    const taken = await inNamespace('annotate', kind, name, ...TAKEN)
    expect(taken).toMatchObject({ code: 0, stderr: '' })
    expect(templateOf(await get(kind.toLowerCase(), name))).toEqual(before)
  })

  test("a Deployment's pods come injected, and its ReplicaSets are nobody's to write", async () => {
    await api.apply([workload('Deployment', 'rolled')], NAMESPACE)
    await waitForPod('rolled', false)
    await kubectl.run('-n', NAMESPACE, 'annotate', 'deployment', 'rolled', ...ASKED)
    const pod = await waitForPod('rolled', true)
    expect(at(pod, 'metadata', 'labels', 'outrigger.dev/server')).toBe('deployment-rolled')
    const [owner] = list(pod, 'metadata', 'ownerReferences')
    const replicaSet = await get('replicaset', String(at(owner, 'name')))
    // The Deployment's controller copies annotations to its ReplicaSets; ours do no harm there.
    expect(at(replicaSet, 'metadata', 'annotations')).toMatchObject(INJECT)
    const name = String(at(owner, 'name'))
    const reviews = await webhook.reviewsOf('ReplicaSet', name)
    const path = pathOf('replicaset', name)
    const patched = await api.patch(path, {
      metadata: { annotations: { 'outrigger.dev/inject': 'false' } },
    })
    expect(patched.status).toBe(200)
    expect(copiesIn(patched.body)).toEqual(COPIED)
    expect(await webhook.reviewsOf('ReplicaSet', name)).toBe(reviews)
  })

  test('a Job that is created is copied into; one that exists says that it is too late', async () => {
    const { body } = await api.create(workload('Job', 'early', INJECT), NAMESPACE, '?dryRun=All')
    expect(copiesIn(body)).toEqual(COPIED)
    await api.apply([workload('Job', 'late')], NAMESPACE)
    const { code, stderr } = await inNamespace('annotate', 'job', 'late', ...ASKED)
    expect(code).toBe(0)
    expect(stderr).toMatch(/^Warning: Job late: too late for outrigger.dev\/inject/)
    expect(copiesIn(await get('job', 'late'))).toEqual({})
  })

  test('a Job of an annotated CronJob runs injected', async () => {
    await api.apply([workload('CronJob', 'nightly', INJECT)], NAMESPACE)
    const created = await inNamespace('create', 'job', '--from=cronjob/nightly', 'now')
    expect(created).toMatchObject({ code: 0, stderr: '' })
    expect(copiesIn(await get('job', 'now'))).toEqual(COPIED)
    await waitForPod('nightly', true)
  })

  describe('apply, again and again', () => {
    const text = (name: string, annotations: Json, template: Json = {}): string => {
      const object = workload('Deployment', name, annotations)
      const { template: pod, ...spec } = Object(object['spec'])
      const metadata = { ...pod.metadata, annotations: template }
      return JSON.stringify({ ...object, spec: { ...spec, template: { ...pod, metadata } } })
    }
    /** Counts the changes that would roll pods out, and those of the object itself. */
    const generation = async (name: string): Promise<unknown> =>
      at(await get('deployment', name), 'metadata', 'generation')
    const settled = async (name: string): Promise<unknown> => {
      await waitForPod(name, true)
      await waitForRevision('deployment', name)
      return await generation(name)
    }

    test.each([
      { side: 'client', flags: [] },
      { side: 'server', flags: ['--server-side', '--field-manager=gitops'] },
    ])(
      'on the $side side: the same file changes nothing, a word taken out is gone',
      async ({ side, flags }) => {
        const name = `applied-${side}`
        await kubectl.apply(text(name, INJECT), '-n', NAMESPACE, ...flags)
        const first = await settled(name)
        await kubectl.apply(text(name, INJECT), '-n', NAMESPACE, ...flags)
        expect(await generation(name)).toBe(first)
        await kubectl.apply(
          text(name, { ...INJECT, 'outrigger.dev/log-level': 'warn' }),
          '-n',
          NAMESPACE,
          ...flags,
        )
        expect(copiesIn(await get('deployment', name))).toMatchObject({
          'outrigger.dev/log-level': 'warn',
        })
        await kubectl.apply(text(name, INJECT), '-n', NAMESPACE, ...flags)
        expect(copiesIn(await get('deployment', name))).toEqual(COPIED)
        // The author's own word, over the copy, and then not any more.
        const own = { 'outrigger.dev/auth': 'oidc' }
        await kubectl.apply(text(name, INJECT, own), '-n', NAMESPACE, ...flags)
        expect(copiesIn(await get('deployment', name))).toMatchObject({
          'outrigger.dev/auth': 'oidc',
        })
        await kubectl.apply(text(name, INJECT), '-n', NAMESPACE, ...flags)
        expect(copiesIn(await get('deployment', name))).toEqual(COPIED)
        await kubectl.apply(text(name, {}), '-n', NAMESPACE, ...flags)
        expect(copiesIn(await get('deployment', name))).toEqual({})
      },
    )

    test('two managers on the server side: nobody owns the copies, nobody is in conflict', async () => {
      const name = 'two-managers'
      const apply = (manager: string, file: string) =>
        kubectl.apply(file, '-n', NAMESPACE, '--server-side', `--field-manager=${manager}`)
      await apply('gitops', text(name, {}))
      await kubectl.run('-n', NAMESPACE, 'annotate', 'deployment', name, ...ASKED)
      const annotated = await settled(name)
      await apply('gitops', text(name, {}))
      expect(await generation(name)).toBe(annotated)
      expect(copiesIn(await get('deployment', name))).toEqual(COPIED)
      await apply('gitops', text(name, {}, { 'outrigger.dev/auth': 'oidc' }))
      expect(copiesIn(await get('deployment', name))).toMatchObject({
        'outrigger.dev/auth': 'oidc',
      })
    })

    test('an object that is replaced by its file is told of the copies, and rolls nothing out', async () => {
      const name = 'replaced'
      await api.apply([workload('Deployment', name, INJECT)], NAMESPACE)
      await waitForPod(name, true)
      const template = templateOf(await get('deployment', name))
      const file = workload('Deployment', name, INJECT)
      const replaced = await api.request('PUT', pathOf('deployment', name), file)
      expect(replaced.status).toBe(200)
      expect(replaced.warnings).toEqual([
        expect.stringMatching(/put back into the template: outrigger.dev\/inject/),
      ])
      expect(templateOf(replaced.body)).toEqual(template)
    })
  })

  describe('rollout undo', () => {
    const undo = (kind: string, name: string) => inNamespace('rollout', 'undo', kind, name)

    test('of a Deployment takes its annotations back with the template, and brings both again', async () => {
      await api.apply([workload('Deployment', 'undone')], NAMESPACE)
      await waitForPod('undone', false)
      await kubectl.run('-n', NAMESPACE, 'annotate', 'deployment', 'undone', ...ASKED)
      await waitForPod('undone', true)
      await waitForRevision('deployment', 'undone')
      const back = await undo('deployment', 'undone')
      expect(back).toMatchObject({ code: 0, stderr: '' })
      expect(copiesIn(await get('deployment', 'undone'))).toEqual({})
      await waitForPod('undone', false)
      await waitForRevision('deployment', 'undone')
      const again = await undo('deployment', 'undone')
      expect(again).toMatchObject({ code: 0, stderr: '' })
      const object = await get('deployment', 'undone')
      expect(at(object, 'metadata', 'annotations')).toMatchObject(INJECT)
      expect(copiesIn(object)).toEqual(COPIED)
    })

    test.each(['StatefulSet', 'DaemonSet'])(
      'of a %s brings the template alone: what it says itself holds, and kubectl says so',
      async (kind) => {
        const [resource, name] = [kind.toLowerCase(), `undone-${kind.toLowerCase()}`]
        await api.apply([workload(kind, name)], NAMESPACE)
        await waitForRevision(resource, name)
        await kubectl.run('-n', NAMESPACE, 'annotate', resource, name, ...ASKED)
        await waitForRevision(resource, name)
        const back = await undo(resource, name)
        expect(back.code).toBe(0)
        expect(back.stderr).toMatch(/put back into the template: outrigger.dev\/inject/)
        expect(copiesIn(await get(resource, name))).toEqual(COPIED)
        await kubectl.run('-n', NAMESPACE, 'annotate', resource, name, ...TAKEN)
        await waitForRevision(resource, name)
        const again = await undo(resource, name)
        expect(again.stderr).toMatch(/taken out of the template: outrigger.dev\/inject/)
        expect(copiesIn(await get(resource, name))).toEqual({})
      },
    )
  })

  describe('whoever writes a workload learns what becomes of its pods', () => {
    const UNBUILT = { 'outrigger.dev/auth': 'oidc' }
    // In two lines, as it is longer than the API server lets one be.
    const WHAT_BECOMES = [
      expect.stringMatching(
        /^pods of Deployment denied will be denied: outrigger.dev\/auth: oidc: the cluster configuration lists no issuer/,
      ),
      'pods of Deployment denied will be denied: … none (anybody may call) where floor.allowAnonymous is on',
    ]
    const denied = (namespace: string, annotations: Json): Promise<readonly string[]> =>
      api
        .create(workload('Deployment', 'denied', annotations), namespace, '?dryRun=All')
        .then(({ status, warnings }) => {
          expect(status).toBe(201)
          return warnings
        })

    test('one that is annotated', async () => {
      const annotations = { 'outrigger.dev/inject': 'true', ...UNBUILT }
      expect(await denied(NAMESPACE, annotations)).toEqual(WHAT_BECOMES)
    })
    test('one whose namespace opts in', async () => {
      expect(await denied('workloads-in', UNBUILT)).toEqual(WHAT_BECOMES)
    })
    test('as many annotations as fit cost nobody the write who bears no key of ours', async () => {
      const many = Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`k${i}`, '']))
      const object = workload('PodTemplate', 'many', many)
      const template = { ...Object(object['template']), metadata: { annotations: many } }
      const both = { ...object, template }
      const { status, body } = await api.create(both, NAMESPACE, '?dryRun=All')
      expect({ status, message: body['message'] }).toEqual({ status: 201 })
    })
    test('a mistyped key', async () => {
      expect(await denied(NAMESPACE, { 'outrigger.dev/injct': 'true' })).toEqual([
        expect.stringMatching(
          /^Deployment denied: outrigger.dev\/injct .* outrigger.dev\/inject\?$/,
        ),
      ])
    })
  })

  test('who bears no key of ours, scaling, status and what is being deleted never reach us', async () => {
    const finalizers = ['test.example.com/held']
    const held = workload('Deployment', 'held', INJECT)
    const metadata = { ...Object(held['metadata']), finalizers }
    await api.apply([{ ...held, metadata }, workload('Deployment', 'nobody')], NAMESPACE)
    const reviewed = () =>
      Promise.all(['held', 'nobody'].map((name) => webhook.reviewsOf('Deployment', name)))
    const before = await reviewed()
    expect(before[0]).toBeGreaterThan(0)
    await kubectl.run('-n', NAMESPACE, 'annotate', 'deployment', 'nobody', 'team=blue')
    await kubectl.run('-n', NAMESPACE, 'scale', 'deployment', 'held', '--replicas=0')
    await waitForRevision('deployment', 'held')
    expect((await api.remove(pathOf('deployment', 'held'))).status).toBe(200)
    const freed = await api.patch(pathOf('deployment', 'held'), { metadata: { finalizers: null } })
    expect(freed.status).toBe(200)
    await waitFor('its pods to be gone', async () =>
      (await podsOf('held')).length === 0 ? true : undefined,
    )
    expect((await webhook.reviews())['propagate']).toBeGreaterThan(0)
    expect(await reviewed()).toEqual(before)
  })

  describe('with the webhook down', () => {
    beforeEach(() => webhook.stop())
    afterAll(() => webhook.start())

    test('refuses annotated workloads, and lets all others through', async () => {
      const create = (namespace: string, annotations: Json) =>
        api.create(workload('Deployment', 'down', annotations), namespace, '?dryRun=All')
      await expect(create(NAMESPACE, INJECT)).resolves.toMatchObject({
        status: 500,
        body: {
          message: expect.stringMatching(/failed calling webhook "workload\.inject\.outrigger/),
        },
      })
      expect((await create(NAMESPACE, {})).status).toBe(201)
      expect((await create('workloads-in', {})).status).toBe(201)
      expect((await api.remove(pathOf('deployment', 'rolled'))).status).toBe(200)
    })
  })
})
