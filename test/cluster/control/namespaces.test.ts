// Namespaces as a whole, by kubectl before the real API server: what one is told who labels a namespace with running
// pods, what a team can and cannot do in its own and in others', and that whatever is deleted goes.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { at, createApi, list, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import type { Ended } from '../machine/run.ts'
import { waitFor } from '../machine/waiting.ts'
import { deploymentOf, INJECT, serverPod } from '../pods.ts'
import { roleFor } from '../role.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const OPT_IN = { 'outrigger.dev/injection': 'enabled' }
const STRICT = { 'outrigger.dev/enforce': 'strict' }
const ANN = ['--as=ann', '--as-group=devs', '--as-group=system:authenticated']
const PLATFORM = ['--as=pat', '--as-group=platform', '--as-group=system:authenticated']
// A user who is known, so that nobody chooses one and warns of it.
const PLAIN = serverPod('x', { annotations: {}, spec: { securityContext: { runAsUser: 1000 } } })

const templateFor = (pod: Json, more: Json = {}): Json => ({
  metadata: { labels: { app: 'x' } },
  spec: { ...Object(pod['spec']), ...more },
})
const job = (name: string, pod = PLAIN): Json => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name },
  spec: { template: templateFor(pod, { restartPolicy: 'Never' }) },
})
const setOf = (kind: string, name: string, pod = PLAIN): Json => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'x' } },
    template: templateFor(pod),
    ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
  },
})
const DATABASE = serverPod('db', {
  container: { command: undefined, ports: [{ containerPort: 5432 }] },
})

/** What a team has in its namespace: everything that a Role can give. */
const TEAM = roleFor(
  'team',
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'devs' },
)

const warningsIn = ({ stderr }: Ended): readonly string[] =>
  stderr
    .split('\n')
    .filter((line) => line.startsWith('Warning: '))
    .map((line) => line.slice('Warning: '.length))

const hasSidecar = (pod: unknown): boolean =>
  list(pod, 'spec', 'initContainers').some((item) => at(item, 'name') === 'outrigger-sidecar')

describeOwnCluster('control', 'namespaces', (target) => {
  const api = createApi(target.api)
  const kubectl = createKubectl(target)
  let webhook: WebhookProcess
  const podsOf = async (namespace: string): Promise<readonly unknown[]> =>
    list((await api.get(`/api/v1/namespaces/${namespace}/pods`)).body, 'items')
  const podBy = (namespace: string, prefix: string, isInjected: boolean) =>
    waitFor(`a pod ${prefix} of ${namespace}`, async () =>
      (await podsOf(namespace)).find(
        (pod) =>
          String(at(pod, 'metadata', 'name')).startsWith(prefix) && hasSidecar(pod) === isInjected,
      ),
    )
  const labelsOf = async (namespace: string): Promise<unknown> =>
    at((await api.get(`/api/v1/namespaces/${namespace}`)).body, 'metadata', 'labels')

  beforeAll(async () => {
    webhook = await startWebhook(target, '../test/cluster/overlays/teams')
    const binding = ['clusterrolebinding', 'test-platform']
    await kubectl.attempt('delete', ...binding)
    await kubectl.run('create', ...binding, '--clusterrole=cluster-admin', '--group=platform')
    for (const kind of ['clusterrolebinding', 'clusterrole']) {
      await kubectl.attempt('delete', kind, 'test-labeller')
    }
    const labeller = ['test-labeller', '--verb=get,patch', '--resource=namespaces']
    await kubectl.run('create', 'clusterrole', ...labeller)
    const user = ['test-labeller', '--clusterrole=test-labeller', '--user=lea']
    await kubectl.run('create', 'clusterrolebinding', ...user)
    await api.createNamespace('asked-first')
    await waitFor('the webhook to be asked', async () => {
      const change = ['label', 'namespace', 'asked-first', 'outrigger.dev/injection=yes']
      const { stderr } = await kubectl.attempt(...change, '--dry-run=server')
      return stderr.includes('opts nothing in') ? true : undefined
    })
  })
  afterAll(async () => {
    await kubectl.attempt('delete', 'clusterrolebinding', 'test-platform', 'test-labeller')
    await kubectl.attempt('delete', 'clusterrole', 'test-labeller')
    await webhook.close()
  })

  describe('kubectl label namespace', () => {
    const OPT = ['label', 'namespace', 'labelled', 'outrigger.dev/injection=enabled']
    const RESTART = 'kubectl -n labelled rollout restart deployment/web'
    const expected = [
      'namespace labelled: 3 running pods stay as they are until they are made anew:',
      RESTART,
      'pods of no workload, which nobody makes anew but who made them: alone',
      'they run to their end as they are: job/once',
      expect.stringMatching(
        /^statefulset\/store: its pods will be denied when they are made anew: container server: taken for no MCP server, since by its ports it speaks PostgreSQL/,
      ),
    ]

    beforeAll(async () => {
      await api.createNamespace('labelled')
      const objects = [
        deploymentOf(PLAIN, 'web'),
        setOf('StatefulSet', 'store', DATABASE),
        job('once'),
        { ...PLAIN, metadata: { name: 'alone' } },
      ]
      await api.apply(objects, 'labelled')
      for (const prefix of ['web-', 'store-', 'once-']) await podBy('labelled', prefix, false)
    })

    test('says in a dry run what it would mean, and does nothing', async () => {
      const said = await kubectl.attempt(...OPT, '--dry-run=server')
      expect([said.code, warningsIn(said).length]).toEqual([0, expected.length])
      expect(warningsIn(said)).toEqual(expect.arrayContaining(expected))
      expect(await labelsOf('labelled')).not.toMatchObject(OPT_IN)
    })

    test('says how many pods, and not which, to who may not list them', async () => {
      const said = await waitFor('the rights of whoever labels', async () => {
        const ended = await kubectl.attempt('--as=lea', ...OPT, '--dry-run=server')
        return ended.code === 0 ? ended : undefined
      })
      expect(warningsIn(said)).toEqual([
        'namespace labelled: running pods that stay as they are until they are made anew: 3',
        'namespace labelled: running pods that will be denied when they are made anew: 1',
        'which pods these are is told to whoever may list them: kubectl -n labelled auth can-i list pods',
      ])
    })

    test('names the pods that stay as they are, and the line that it prints brings them anew', async () => {
      const said = await kubectl.attempt(...OPT)
      expect([said.code, warningsIn(said).length]).toEqual([0, expected.length])
      expect(warningsIn(said)).toEqual(expect.arrayContaining(expected))
      const line = warningsIn(said).find((each) => each.startsWith('kubectl ')) ?? ''
      await waitFor('a pod with its sidecar', async () => {
        await kubectl.run(...line.split(' ').slice(1))
        return (await podsOf('labelled')).some(hasSidecar) ? true : undefined
      })
      const again = await kubectl.attempt('label', 'namespace', 'labelled', 'team=blue')
      expect(again).toMatchObject({ code: 0, stderr: '' })
    })

    test('from then on pods of every kind of workload come with a sidecar', async () => {
      await api.apply([setOf('ReplicaSet', 'set'), job('later')], 'labelled')
      await podBy('labelled', 'set-', true)
      await podBy('labelled', 'later-', true)
      const text = JSON.stringify({ ...PLAIN, metadata: { name: 'applied' } })
      await kubectl.apply(text, '-n', 'labelled', '--server-side')
      expect(hasSidecar(await podBy('labelled', 'applied', true))).toBe(true)
    })

    test('and what an annotation changes is told of those, too', async () => {
      const change = ['annotate', 'namespace', 'labelled', 'outrigger.dev/request-timeout=10s']
      const said = await kubectl.attempt(...change)
      expect(said.code).toBe(0)
      expect(warningsIn(said).join('\n')).toContain(RESTART)
    })
  })

  describe('a team', () => {
    const says = { 'outrigger.dev/request-timeout': '30s', 'outrigger.dev/rate-limit': '10/m' }
    const merge = (metadata: Json): string => JSON.stringify({ metadata })
    const asAnn = (...args: readonly string[]) => kubectl.attempt(...ANN, ...args)

    beforeAll(async () => {
      await api.createNamespace('team-a', { ...OPT_IN, ...STRICT })
      await api.createNamespace('team-b', OPT_IN)
      await api.patch('/api/v1/namespaces/team-a', { metadata: { annotations: says } })
      await api.apply(TEAM, 'team-a')
      await api.apply(
        [
          deploymentOf(PLAIN, 'web'),
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'policy' } },
        ],
        'team-b',
      )
      await waitFor('the rights of the team', async () => {
        const { code } = await asAnn('get', 'namespace', 'team-a')
        return code === 0 ? true : undefined
      })
    })

    const label = ['label', '--overwrite', 'namespace', 'team-a']
    const annotate = ['annotate', '--overwrite', 'namespace', 'team-a']
    const patch = ['patch', 'namespace', 'team-a', '--type=merge', '-p']
    const IS_TAKEN = 'label outrigger.dev/injection: "enabled" is taken off'
    test.each<readonly [string, readonly string[], readonly string[]]>([
      ['take the label off', [...label, 'outrigger.dev/injection-'], [IS_TAKEN]],
      ['say something else there', [...label, 'outrigger.dev/injection=no'], [IS_TAKEN]],
      [
        'lower its level',
        [...label, 'outrigger.dev/enforce=baseline'],
        ['label outrigger.dev/enforce: strict becomes baseline'],
      ],
      [
        'raise a limit',
        [...annotate, 'outrigger.dev/request-timeout=10m'],
        ['annotation outrigger.dev/request-timeout: "30s" becomes "10m"'],
      ],
      [
        'take off all of it at once',
        [
          ...patch,
          merge({
            labels: { 'outrigger.dev/injection': null, 'outrigger.dev/enforce': null },
            annotations: null,
          }),
        ],
        [
          '4 reasons:',
          IS_TAKEN,
          'label outrigger.dev/enforce: strict becomes baseline',
          '"30s" is taken off',
          '"10/m" is taken off',
        ],
      ],
      [
        'do so by its status',
        ['--subresource=status', ...patch, merge({ labels: { 'outrigger.dev/injection': null } })],
        [IS_TAKEN],
      ],
    ])('cannot %s', async (_name, args, told) => {
      for (const dry of [['--dry-run=server'], []]) {
        const { code, stderr } = await asAnn(...args, ...dry)
        expect(code).toBe(1)
        expect(stderr).toContain('"guard.validate.outrigger.dev" denied the request')
        for (const text of told) expect(stderr).toContain(text)
      }
      expect(await labelsOf('team-a')).toMatchObject({ ...OPT_IN, ...STRICT })
    })

    test('nor can whoever may finalize it, outside of the floor’s groups', async () => {
      const path = '/api/v1/namespaces/team-a'
      const { body } = await api.get(path)
      const { labels: _labels, ...metadata } = Object(body['metadata'])
      const reply = await api.request('PUT', `${path}/finalize`, { ...body, metadata })
      expect([reply.status, String(reply.body['message'])]).toEqual([
        403,
        expect.stringContaining(IS_TAKEN),
      ])
    })

    test('can label what is its own, and ask for more', async () => {
      for (const args of [
        [...label, 'team=blue'],
        [...annotate, 'outrigger.dev/rate-limit=5/m'],
        [...label, 'outrigger.dev/warn=strict'],
      ]) {
        expect(await asAnn(...args)).toMatchObject({ code: 0 })
      }
    })

    test('opts no pod out of what its namespace asks', async () => {
      const pod = serverPod('out', { annotations: { 'outrigger.dev/inject': 'false' } })
      const { status, body } = await api.create(pod, 'team-a')
      expect([status, String(body['message'])]).toEqual([
        403,
        expect.stringContaining('outrigger.dev/inject: `false` is forbidden'),
      ])
    })

    test.each<readonly [string, readonly string[]]>([
      ['workloads', ['annotate', 'deployment', 'web', 'outrigger.dev/inject=true']],
      ['policies and locks', ['patch', 'configmap', 'policy', '-p', '{"data":{"policy.yaml":""}}']],
      ['pods', ['delete', 'pods', '--all']],
      ['labels', ['label', 'namespace', 'team-b', 'outrigger.dev/injection-']],
    ])('has no word in another’s %s', async (_name, args) => {
      const { code, stderr } = await asAnn('-n', 'team-b', ...args)
      expect([code, stderr]).toEqual([1, expect.stringContaining('ann')])
      expect(stderr).toMatch(/cannot (get|patch|list)/)
    })

    test('names no policy of another’s', async () => {
      const pod = serverPod('borrows', {
        annotations: { ...INJECT, 'outrigger.dev/tool-policy': 'team-b/policy' },
      })
      const { status, body } = await api.create(pod, 'team-a')
      expect([status, String(body['message'])]).toEqual([
        403,
        expect.stringContaining('outrigger.dev/tool-policy'),
      ])
    })

    test('is freed by the platform team alone, which is told what that means', async () => {
      const freed = await kubectl.attempt(...PLATFORM, ...label, 'outrigger.dev/injection-')
      expect(freed).toMatchObject({ code: 0 })
      expect(await labelsOf('team-a')).not.toMatchObject(OPT_IN)
    })
  })

  describe('what is deleted goes', () => {
    /** A namespace with all that is ours in it, and as many annotations as fit, over which conditions are asked. */
    const fill = async (name: string): Promise<void> => {
      await api.createNamespace(name, OPT_IN)
      await api.apply([deploymentOf(PLAIN, 'web'), job('once')], name)
      await podBy(name, 'web-', true)
      await podBy(name, 'once-', true)
      const annotations = Object.fromEntries(
        Array.from({ length: 40_000 }, (_, index) => [`k${index}`, '']),
      )
      const path = `/api/v1/namespaces/${name}`
      expect((await api.patch(path, { metadata: { annotations } })).status).toBe(200)
    }
    const gone = async (name: string): Promise<void> => {
      for (const args of [
        ['-n', name, 'delete', 'job', 'once', '--timeout=60s'],
        ['-n', name, 'delete', 'pods', '--all', '--timeout=60s'],
        ['delete', 'namespace', name, '--timeout=60s'],
      ]) {
        const { code, stderr } = await kubectl.attempt(...args)
        expect([...args, code, stderr]).toEqual([...args, 0, expect.anything()])
      }
      expect((await api.get(`/api/v1/namespaces/${name}`)).status).toBe(404)
    }

    test('with the webhook there', async () => {
      await fill('going')
      await gone('going')
    })

    test('and with the webhook down', async () => {
      await fill('going-alone')
      await webhook.stop()
      try {
        await gone('going-alone')
      } finally {
        await webhook.start()
      }
    })
  })
})
