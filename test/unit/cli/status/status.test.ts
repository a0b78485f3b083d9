// How workloads stand, from pods as injection has rendered them.

import { describe, expect, test } from '@jest/globals'
import { parseBackend } from '../../../../cli/status/backend.ts'
import { readCluster } from '../../../../cli/scan/in-cluster.ts'
import { readStanding } from '../../../../cli/status/in-cluster.ts'
import { reachedBy } from '../../../../cli/status/reached.ts'
import { statusOf, type Row } from '../../../../cli/status/status.ts'
import { isAllWell, reachingText, statusJson, statusText } from '../../../../cli/status/text.ts'
import { withAt, type JsonObject } from '../../../../shared/json.ts'
import { SIDECAR_CONTAINER } from '../../../../shared/names.ts'
import { fail, ok } from '../../../../shared/result.ts'
import { bareNamespace } from '../../../../webhook/cluster/namespace.ts'
import { render } from '../../../../webhook/inject/render.ts'
import type { Objects } from '../../../../webhook/kube/objects.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const SIDECAR = 'example.com/sidecar:2'
const IN = { 'outrigger.dev/inject': 'true', 'outrigger.dev/auth': 'none' }
const FLOOR = {
  allowAnonymous: true,
  unresolvable: 'deny',
  enforce: 'baseline',
  egress: {
    '*': [
      '*:443',
      '*:5432',
      '0.0.0.0/0:5432',
      '*.svc:5432',
      '*.svc.corp.example:5432',
      '[::/0]:443',
    ],
  },
}

const configured = (image: string, floor: JsonObject = {}) =>
  clusterConfig({ sidecar: { image }, floor: { ...FLOOR, ...floor } })

interface Given {
  readonly annotations?: JsonObject
  readonly sidecar?: string
  readonly floor?: JsonObject
  readonly owner?: JsonObject
}

const SPEC = { containers: [{ name: 'c', image: 'mcp/memory:1', command: ['node', 'x.js'] }] }

/** As admission would leave it, and the kubelet. */
const injected = (
  name: string,
  { annotations = {}, sidecar = SIDECAR, floor, owner }: Given = {},
): JsonObject => {
  const metadata = {
    name,
    namespace: 'tools',
    annotations: { ...IN, ...annotations },
    ...(owner && { ownerReferences: [owner] }),
  }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: SPEC }
  const outcome = render(pod, bareNamespace('tools'), configured(sidecar, floor))
  if (outcome.kind !== 'inject') throw new Error(JSON.stringify(outcome))
  return withAt(outcome.pod, ['status', 'phase'], 'Running')
}

const owner = (kind: string, name: string): JsonObject => ({
  apiVersion: 'apps/v1',
  kind,
  name,
  controller: true,
})

const bare = (name: string): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'tools', annotations: IN },
  spec: SPEC,
  status: { phase: 'Running' },
})

const ownedBy = (kind: string, name: string, pod: JsonObject): JsonObject =>
  withAt(pod, ['metadata', 'ownerReferences'], [owner(kind, name)])

const workload = (kind: string, name: string, more: JsonObject = {}): JsonObject => ({
  apiVersion: kind === 'CronJob' ? 'batch/v1' : 'apps/v1',
  kind,
  metadata: { name, namespace: 'tools' },
  spec:
    kind === 'CronJob'
      ? { jobTemplate: { spec: { template: { metadata: { annotations: IN }, spec: SPEC } } } }
      : { replicas: 2, template: { metadata: { annotations: IN }, spec: SPEC } },
  ...more,
})

const rowsOf = (objects: readonly JsonObject[]): readonly Row[] =>
  statusOf(objects, {
    namespace: 'default',
    config: { ...configured(SIDECAR), systemNamespaces: ['kube-system'] },
  })

describe('a workload', () => {
  test.each<[string, readonly JsonObject[], readonly string[]]>([
    [
      'whose pods have the sidecar, counted by its controller',
      [
        workload('StatefulSet', 'a', { status: { readyReplicas: 1 } }),
        injected('a-0', { owner: owner('StatefulSet', 'a') }),
        injected('a-1', { owner: owner('StatefulSet', 'a') }),
      ],
      ['inside StatefulSet/a 1/2 bare 0 by example.com/sidecar:2 x2: undefined'],
    ],
    [
      'one of whose pods has none',
      [
        workload('StatefulSet', 'a'),
        ownedBy('StatefulSet', 'a', injected('a-0')),
        ownedBy('StatefulSet', 'a', bare('a-1')),
      ],
      [
        'bare StatefulSet/a 0/2 bare 1 by example.com/sidecar:2 x1: kubectl rollout restart -n tools statefulset/a',
      ],
    ],
    [
      'with another sidecar than the configuration names',
      [
        workload('DaemonSet', 'a', { status: { numberReady: 1, desiredNumberScheduled: 1 } }),
        ownedBy('DaemonSet', 'a', injected('a-x', { sidecar: 'example.com/sidecar:1' })),
      ],
      [
        'other DaemonSet/a 1/1 bare 0 by example.com/sidecar:1 x1: kubectl rollout restart -n tools daemonset/a',
      ],
    ],
    [
      'that has no pod now',
      [workload('CronJob', 'a')],
      ['absent CronJob/a 0/0 bare 0 by : undefined'],
    ],
    [
      'that has no pod but one that is over',
      [
        workload('StatefulSet', 'a'),
        withAt(ownedBy('StatefulSet', 'a', bare('a-0')), ['status', 'phase'], 'Succeeded'),
      ],
      ['absent StatefulSet/a 0/2 bare 0 by : undefined'],
    ],
    [
      'a Pod that nothing makes anew',
      [bare('alone')],
      [
        'bare Pod/alone 0/1 bare 1 by : create it anew: its pods were there before it was asked for',
      ],
    ],
    [
      'the pods of a controller that nobody here knows: as one',
      [1, 2].map((number) => injected(`r-${number}`, { owner: owner('Rollout', 'r') })),
      ['inside Rollout/r 0/2 bare 0 by example.com/sidecar:2 x2: undefined'],
    ],
    [
      'that asks for nothing any more and runs with the sidecar',
      [
        workload('StatefulSet', 'a', { spec: { template: { spec: SPEC } } }),
        ownedBy('StatefulSet', 'a', injected('a-0')),
      ],
      ['inside StatefulSet/a 0/1 bare 0 by example.com/sidecar:2 x1: undefined'],
    ],
    [
      'that asks for nothing, or stands in a namespace of the system: none of ours',
      [
        workload('StatefulSet', 'a', { spec: { template: { spec: SPEC } } }),
        withAt(bare('b'), ['metadata', 'namespace'], 'kube-system'),
      ],
      [],
    ],
  ])('%s', (_, objects, expected) => {
    expect(
      rowsOf(objects).map(
        ({ state, kind, name, ready, desired, bare: missing, sidecars, advice }) =>
          `${state} ${kind}/${name} ${ready}/${desired} bare ${missing} by ${sidecars.map(({ image, pods }) => `${image} x${pods}`).join(' ')}: ${advice}`,
      ),
    ).toEqual(expected)
  })

  test('where nobody knows the configuration no sidecar is another', () => {
    const given = { namespace: 'default', config: undefined }
    expect(statusOf([injected('a', { sidecar: 'example.com/any' })], given)).toMatchObject([
      { state: 'inside' },
    ])
  })

  test('a namespace with thousands of workloads and pods is gone through at once', () => {
    const pods = Array.from({ length: 3000 }, (_, index) =>
      ownedBy('StatefulSet', `a${index % 1000}`, bare(`p${index}`)),
    )
    const sets = Array.from({ length: 1000 }, (_, index) => workload('StatefulSet', `a${index}`))
    const rows = rowsOf([...sets, ...pods])
    expect([rows.length, rows.every(({ bare: many }) => many === 3)]).toEqual([1000, true])
  })
})

const reaching = (objects: readonly JsonObject[], text: string): readonly string[] => {
  const backend = parseBackend(text, false)
  if (!backend.ok) throw new Error(backend.error)
  return rowsOf(objects)
    .flatMap((row) => reachedBy(backend.value, row))
    .map(({ how, by }) => `${how}: ${by}`)
}

const declaring = (egress: string, floor: JsonObject = {}): readonly JsonObject[] => [
  injected('a', {
    annotations: { 'outrigger.dev/egress-mode': 'enforce', 'outrigger.dev/egress': egress },
    floor,
  }),
]

describe('a backend may be reached', () => {
  const floor = { allowAdvisoryEgress: true }
  test.each<[string, readonly JsonObject[], string, readonly string[]]>([
    ['by its name', declaring('db.example:5432'), 'db.example:5432', ['declared: db.example:5432']],
    [
      'by its name at any port',
      declaring('db.example:5432'),
      'DB.example.',
      ['declared: db.example:5432'],
    ],
    ['not at another port', declaring('db.example:5432'), 'db.example:5433', []],
    ['not by another name', declaring('db.example:5432'), 'example', []],
    ['by a pattern', declaring('*.example:443'), 'a.b.example', ['declared: *.example:443']],
    [
      'by a forward',
      declaring('1234=db.example:5432'),
      'db.example',
      ['declared: 1234=db.example:5432'],
    ],
    [
      "by a Service's name without its namespace",
      declaring('db:5432'),
      'db.tools.svc.cluster.local:5432',
      ['declared: db:5432'],
    ],
    [
      'as a Service of the own namespace',
      declaring('db.tools.svc:5432'),
      'db',
      ['declared: db.tools.svc:5432'],
    ],
    ["not by another namespace's", declaring('db.other.svc:5432'), 'db', []],
    [
      'by a Service that is named with another domain than the usual one',
      declaring('db.tools.svc.corp.example:5432'),
      'db:5432',
      ['declared: db.tools.svc.corp.example:5432'],
    ],
    ['by a range', declaring('10.0.0.0/8:5432'), '10.1.2.3', ['declared: 10.0.0.0/8:5432']],
    [
      'perhaps by a range, where it is asked for by its name',
      declaring('10.0.0.0/8:5432'),
      'db.example:5432',
      ['perhaps: 10.0.0.0/8:5432, where it has such an address'],
    ],
    [
      'perhaps by a name, where it is asked for by a public address',
      declaring('api.example:443'),
      '192.0.2.200:443',
      [],
    ],
    [
      'perhaps by a name, where it is asked for by an address of the internet',
      declaring('api.example:443'),
      '8.8.8.8:443',
      ['perhaps: api.example:443, where such a name leads to it'],
    ],
    [
      'perhaps by a Service, where it is asked for by a private address, and by no other name',
      declaring('db:5432,corp.example:5432'),
      '10.1.2.3',
      ['perhaps: db:5432, where such a name leads to it'],
    ],
    [
      'perhaps by a star, where it is a Service',
      declaring('*:5432'),
      'db.tools.svc',
      ['perhaps: *:5432, where it leads to the internet'],
    ],
    [
      'by IPv6',
      declaring('[2606:4700::1]:443'),
      '[2606:4700::1]:443',
      ['declared: [2606:4700::1]:443'],
    ],
    ['by nothing that is declared', declaring('none'), 'db.example', []],
    [
      'where nothing holds the server',
      [injected('a', { annotations: { 'outrigger.dev/egress-mode': 'observe' } })],
      'db.example',
      ['free: egress-mode: observe'],
    ],
    [
      'perhaps, where its node may not confine it',
      declaring('db.example:443', floor),
      'other.example',
      ['perhaps: anything, where its node cannot confine it'],
    ],
    [
      'where the sidecar is missing',
      [bare('a')],
      'db',
      ['free: a pod of it runs without the sidecar'],
    ],
    [
      'perhaps, where no pod is there',
      [workload('CronJob', 'a')],
      'db',
      ['perhaps: no pod of it is there, so what its sidecar is told is not known'],
    ],
    [
      'perhaps, where what the sidecar was told cannot be read',
      [
        {
          ...bare('a'),
          spec: { ...SPEC, initContainers: [{ name: SIDECAR_CONTAINER, image: SIDECAR }] },
        },
      ],
      'db',
      ['perhaps: what its sidecar was told cannot be read by this version'],
    ],
  ])('%s', (_, objects, text, expected) => {
    expect(reaching(objects, text)).toEqual(expected)
  })

  test('is found among as many destinations and domains as there may be, at once', () => {
    const declared = Array.from({ length: 255 }, (_, at) => `a.svc.d${at}.example:${at + 1}`)
    const backend = parseBackend('b.example', false)
    const [row] = rowsOf(declaring('a.example:443'))
    const [sidecar] = row?.sidecars ?? []
    if (!backend.ok || !row || !sidecar?.config) throw new Error('there is no row')
    const settings = { ...sidecar.config.settings, egress: [...declared, 'b.example:443'] }
    const many = { ...sidecar, config: { ...sidecar.config, settings } }
    const start = process.cpuUsage()
    for (let round = 0; round < 10; round++) {
      expect(reachedBy(backend.value, { ...row, sidecars: [many] })).toMatchObject([
        { how: 'declared', by: 'b.example:443' },
      ])
    }
    expect(process.cpuUsage(start).user).toBeLessThan(5_000_000)
  })

  test('by any pod of a workload, not by its newest alone', () => {
    const pods = [
      ...declaring('db.example:5432').map((pod) =>
        withAt(pod, ['metadata', 'creationTimestamp'], '2026-01-01T00:00:00Z'),
      ),
      ...declaring('none').map((pod) =>
        withAt(pod, ['metadata', 'creationTimestamp'], '2026-02-01T00:00:00Z'),
      ),
    ].map((pod, index) =>
      ownedBy('StatefulSet', 'a', withAt(pod, ['metadata', 'name'], `a-${index}`)),
    )
    const objects = [workload('StatefulSet', 'a'), ...pods]
    expect(reaching(objects, 'db.example')).toEqual(['declared: db.example:5432'])
    expect(statusText(rowsOf(objects))).toContain('enforce: nothing')
  })

  test.each([
    ['a URL', 'https://db.example', false, 'use HOST or HOST:PORT'],
    ['nothing', '', false, 'use HOST or HOST:PORT'],
    ['a port that is none', 'db.example:0', false, 'the port is none from 1 to 65535'],
    ['a pattern', '*.example', false, 'use HOST or HOST:PORT'],
    ["everybody's Service of one name", 'db', true, 'db.NAMESPACE.svc'],
  ])('is not %s', (_, text, isWhole, words) => {
    const backend = parseBackend(text, isWhole)
    expect(backend.ok ? '' : backend.error).toContain(words)
  })
})

describe('is told', () => {
  const rows = rowsOf([
    workload('StatefulSet', 'a', { status: { readyReplicas: 1 } }),
    ownedBy(
      'StatefulSet',
      'a',
      injected('a-0', {
        annotations: {
          'outrigger.dev/egress-mode': 'enforce',
          'outrigger.dev/egress': 'a.example:443,b.example:443',
        },
      }),
    ),
    workload('DaemonSet', 'b'),
    ownedBy('DaemonSet', 'b', bare('b-x')),
  ])

  test('as a table, and what is to be done', () => {
    expect(statusText(rows))
      .toBe(`NAMESPACE  WORKLOAD       SIDECAR  READY  AUTH  POLICY  EGRESS                       ACCOUNT  SERVER IMAGE  SIDECAR IMAGE
tools      StatefulSet/a  yes      1/2    none  none    enforce: a.example:443 (+1)  default  mcp/memory:1  example.com/sidecar:2
tools      DaemonSet/b    MISSING  0/0    -     -       -                            default  -             -
tools: DaemonSet b: 1 pod of it runs without the sidecar that it asks for
  do: kubectl rollout restart -n tools daemonset/b
2 workloads under Outrigger: 1 without the sidecar that it asks for, 1 as they are to be
`)
    expect(isAllWell(rows)).toBe(false)
  })

  test('to programs, without what the sidecar holds besides', () => {
    expect(JSON.parse(statusJson(rows))).toMatchObject({
      workloads: [
        {
          name: 'a',
          state: 'inside',
          accounts: ['default'],
          sidecars: [
            {
              auth: 'none',
              egress: {
                mode: 'enforce',
                isConfined: true,
                destinations: ['a.example:443', 'b.example:443'],
              },
            },
          ],
        },
        { name: 'b', state: 'bare', bare: 1, sidecars: [] },
      ],
    })
    expect(statusJson(rows)).not.toContain('runDir')
  })

  test('where there is none', () => {
    expect(statusText([])).toContain('nothing here is under Outrigger')
    expect(reachingText([], 'db.example')).toContain(
      'none under Outrigger here may reach db.example\n',
    )
  })

  test('without what steers a terminal', () => {
    const text = statusText(rowsOf([bare('a\u001b[2J\nb')]))
    expect(text).not.toMatch(/\u001b|2J\n/)
  })
})

const OPTED_IN = { 'outrigger.dev/injection': 'enabled' }

const refusing = (...refused: readonly string[]): Objects => ({
  namespace: 'tools',
  list: (path) =>
    Promise.resolve(
      refused.some((resource) => path.endsWith(resource))
        ? fail({ isMissing: false, why: `cannot list ${path}` })
        : ok([]),
    ),
  get: (path) =>
    Promise.resolve(
      path === '/api/v1/namespaces/tools' && !refused.includes('namespaces')
        ? ok({ kind: 'Namespace', metadata: { name: 'tools', labels: OPTED_IN } })
        : fail({ isMissing: false, why: `cannot get ${path}` }),
    ),
  tryCreate: (path) => Promise.resolve(fail({ isMissing: false, why: `cannot create ${path}` })),
  text: () => Promise.resolve(fail({ isMissing: true, why: '' })),
})

describe('a look at a cluster', () => {
  test('goes on where something may not be read, and says what', async () => {
    const read = await readStanding(refusing('pods'), 'tools')
    expect(read).toMatchObject({
      ok: true,
      value: {
        isWhole: false,
        notes: [
          'pods cannot be listed, so which run with the sidecar, and what it was told, is not known: cannot list /api/v1/namespaces/tools/pods',
          expect.stringContaining(
            'cannot get /api/v1/namespaces/outrigger-system/configmaps/outrigger-config',
          ),
        ],
      },
    })
  })

  test('is whole without the configuration', async () => {
    expect(await readStanding(refusing(), 'tools')).toMatchObject({
      ok: true,
      value: { isWhole: true },
    })
  })

  test.each([
    [
      'tools',
      "namespace tools cannot be read, so who is under Outrigger by a namespace's label is not known: cannot get /api/v1/namespaces/tools",
    ],
    [
      undefined,
      "namespaces cannot be listed, so who is under Outrigger by a namespace's label is not known: cannot list /api/v1/namespaces",
    ],
  ])('is not whole where nobody may say who opts in: of %s', async (namespace, note) => {
    const read = await readStanding(refusing('namespaces'), namespace)
    expect(read).toMatchObject({
      ok: true,
      value: { isWhole: false, notes: [note, expect.anything()] },
    })
  })

  test('of a namespace that is not there says so', async () => {
    const cluster: Objects = {
      ...refusing(),
      get: (path) => Promise.resolve(fail({ isMissing: true, why: `no ${path}` })),
    }
    const told = fail(['there is no namespace toools'])
    expect(await readStanding(cluster, 'toools')).toEqual(told)
    expect(await readCluster(cluster, 'toools')).toEqual(told)
  })

  test('of one namespace asks for that namespace alone', async () => {
    const cluster = refusing('/api/v1/namespaces')
    const read = await readStanding(cluster, 'tools')
    if (!read.ok) throw new Error(read.error.join())
    expect(read.value.isWhole).toBe(true)
    const pod = withAt(bare('plain'), ['metadata', 'annotations'], {})
    expect(rowsOf([...read.value.objects, pod])).toMatchObject([{ name: 'plain', state: 'bare' }])
  })

  test('says nothing where nothing may be read', async () => {
    const all = [
      'pods',
      'deployments',
      'statefulsets',
      'daemonsets',
      'replicasets',
      'jobs',
      'cronjobs',
    ]
    const read = await readStanding(refusing(...all), undefined)
    expect(read.ok ? [] : read.error).toHaveLength(7)
  })
})
