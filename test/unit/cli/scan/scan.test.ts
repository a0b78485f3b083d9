import { describe, expect, test } from '@jest/globals'
import { scanObjects } from '../../../../cli/scan/scan.ts'
import { signsOf } from '../../../../cli/scan/signs.ts'
import { isAllInside, scanJson, scanText } from '../../../../cli/scan/text.ts'
import { waysAmong } from '../../../../cli/scan/ways.ts'
import type { JsonObject } from '../../../../shared/json.ts'

const podOf = (container: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  metadata,
  spec: { containers: [{ name: 'c', image: 'example.com/app:1', ...container }] },
})

describe('looks like an MCP server', () => {
  test.each<[string, JsonObject, JsonObject | undefined, string]>([
    [
      'by its image',
      podOf({ image: 'mcp/memory:1' }),
      undefined,
      'image mcp/memory:1 (container c)',
    ],
    [
      'by its image behind a registry, tag and digest aside',
      podOf({ image: `ghcr.io:443/github/github-mcp-server:v1@sha256:${'0'.repeat(64)}` }),
      undefined,
      `image ghcr.io:443/github/github-mcp-server:v1@sha256:${'0'.repeat(64)} (container c)`,
    ],
    [
      'by the package that it starts',
      podOf({ command: ['npx', '-y', '@modelcontextprotocol/server-everything'] }),
      undefined,
      'command line with @modelcontextprotocol/server-everything (container c)',
    ],
    [
      'by an argument',
      podOf({ args: ['--stdio', 'uvx mcp-server-git'] }),
      undefined,
      'command line with uvx mcp-server-git (container c)',
    ],
    [
      'by the name of a port',
      podOf({ ports: [{ name: 'mcp', containerPort: 80 }] }),
      undefined,
      'port mcp (container c)',
    ],
    [
      'by the path of a probe',
      podOf({ livenessProbe: { httpGet: { path: '/sse', port: 80 } } }),
      undefined,
      'probe at /sse (container c)',
    ],
    [
      'by a variable',
      podOf({ env: [{ name: 'FASTMCP_PORT' }] }),
      undefined,
      'variable FASTMCP_PORT (container c)',
    ],
    [
      "by an operator's label",
      podOf({}, { labels: { toolhive: 'true' } }),
      undefined,
      'toolhive of ToolHive',
    ],
    [
      'by who has made its workload',
      podOf({}),
      { metadata: { ownerReferences: [{ kind: 'MCPServer', name: 'gh' }] } },
      'made by MCPServer gh',
    ],
    [
      'by the name of its workload',
      podOf({}),
      { metadata: { name: 'slack-mcp' } },
      'name slack-mcp',
    ],
  ])('%s', (_, pod, owner, sign) => {
    expect(signsOf(pod, owner)).toEqual([sign])
  })

  test.each<[string, JsonObject]>([
    ['a database', podOf({ image: 'postgres:16', ports: [{ name: 'postgres' }] })],
    ['a registry whose name has the word', podOf({ image: 'mcp.example.com/web/app:mcp' })],
    [
      'a client of such servers',
      podOf({ env: [{ name: 'MCP_SERVER_URL', value: 'http://x/mcp' }] }),
    ],
    ['a word that only holds the letters', podOf({ image: 'example.com/dmcpx' })],
    ['another value of a label', podOf({}, { labels: { toolhive: 'false' } })],
    ['words that are no text', podOf({ command: [1, null], args: 'mcp', ports: 'mcp' })],
  ])('%s does not', (_, pod) => {
    expect(signsOf(pod, undefined)).toEqual([])
  })

  test('tells of many signs a few, and of a long one its beginning', () => {
    const pod = podOf({
      image: 'mcp/a',
      command: [`mcp ${'x'.repeat(1000)}`],
      ports: [{ name: 'mcp' }],
      env: [{ name: 'MCP_TRANSPORT' }],
      livenessProbe: { httpGet: { path: '/mcp' } },
    })
    const signs = signsOf(pod, undefined)
    expect(signs).toHaveLength(4)
    expect(Math.max(...signs.map(({ length }) => length))).toBeLessThan(250)
  })
})

const LABELS = { app: 'gh' }
const service = (name: string, spec: JsonObject): JsonObject => ({
  kind: 'Service',
  metadata: { name, namespace: 'tools' },
  spec: { selector: LABELS, ports: [{ port: 80 }], ...spec },
})

describe('is reached', () => {
  const pod = podOf({}, { labels: LABELS })
  test.each<
    [string, JsonObject, { services: JsonObject[]; routes: JsonObject[] }, readonly string[]]
  >([
    ['by nothing that is known', pod, { services: [], routes: [] }, []],
    [
      'by a Service',
      pod,
      { services: [service('a', {})], routes: [] },
      ['cluster: Service a (ClusterIP)'],
    ],
    [
      'from the world first',
      pod,
      {
        services: [
          service('a', {}),
          service('b', { type: 'NodePort' }),
          service('c', { type: 'LoadBalancer' }),
        ],
        routes: [],
      },
      [
        'outside: Service c (LoadBalancer)',
        'nodes: Service b (NodePort)',
        'cluster: Service a (ClusterIP)',
      ],
    ],
    [
      'by addresses that are brought to the nodes',
      pod,
      { services: [service('a', { externalIPs: ['192.0.2.1'] })], routes: [] },
      ['outside: Service a (ClusterIP with externalIPs)'],
    ],
    [
      'by an Ingress',
      pod,
      {
        services: [service('a', {})],
        routes: [
          {
            kind: 'Ingress',
            metadata: { name: 'i' },
            spec: { rules: [{ http: { paths: [{ backend: { service: { name: 'a' } } }] } }] },
          },
        ],
      },
      ['outside: Ingress i', 'cluster: Service a (ClusterIP)'],
    ],
    [
      'by a route of the Gateway API, and by none to another Service',
      pod,
      {
        services: [service('a', {})],
        routes: [
          {
            kind: 'HTTPRoute',
            metadata: { name: 'r' },
            spec: { rules: [{ backendRefs: [{ name: 'a' }] }] },
          },
          {
            kind: 'HTTPRoute',
            metadata: { name: 's' },
            spec: { rules: [{ backendRefs: [{ name: 'z' }] }] },
          },
        ],
      },
      ['outside: HTTPRoute r', 'cluster: Service a (ClusterIP)'],
    ],
    [
      'by no Service of other pods',
      pod,
      {
        services: [service('a', { selector: { app: 'other' } }), service('b', { selector: {} })],
        routes: [],
      },
      [],
    ],
    [
      "by a port of its node's",
      podOf({ ports: [{ containerPort: 80, hostPort: 8080 }] }),
      { services: [], routes: [] },
      ['nodes: hostPort 8080'],
    ],
  ])('%s', (_, one, around, ways) => {
    expect(
      waysAmong(around.services, around.routes)(one).map(({ from, by }) => `${from}: ${by}`),
    ).toEqual(ways)
  })

  test("by its node's own network, which tells all", () => {
    const { spec, ...rest } = podOf({ ports: [{ hostPort: 1 }] })
    const one = { ...rest, spec: Object.assign({}, spec, { hostNetwork: true }) }
    expect(waysAmong([], [])(one).map(({ by }) => by)).toEqual([
      "the node's own network (hostNetwork)",
    ])
  })
})

const workload = (
  kind: string,
  name: string,
  more: JsonObject = {},
  annotations: JsonObject = {},
): JsonObject => {
  const template = podOf({ image: 'mcp/memory:1' }, { labels: LABELS, annotations })
  const spec = { selector: { matchLabels: LABELS }, template }
  return {
    apiVersion: kind === 'CronJob' || kind === 'Job' ? 'batch/v1' : 'apps/v1',
    kind,
    metadata: { name, namespace: 'tools', ...more },
    spec: kind === 'CronJob' ? { jobTemplate: { spec } } : spec,
  }
}

const running = (
  name: string,
  owner: JsonObject | undefined,
  more: JsonObject = {},
): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  ...podOf(
    { image: 'mcp/memory:1' },
    {
      name,
      namespace: 'tools',
      labels: LABELS,
      ...(owner ? { ownerReferences: [{ controller: true, ...owner }] } : {}),
    },
  ),
  status: { phase: 'Running' },
  ...more,
})

const IN = { 'outrigger.dev/inject': 'true' }
const injected = (name: string, owner: JsonObject): JsonObject => {
  const pod = running(name, owner)
  return { ...pod, spec: { initContainers: [{ name: 'outrigger-sidecar' }], containers: [] } }
}

const REPLICA_SET = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a-1' }

const replicaSet = workload('ReplicaSet', 'a-1', {
  ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'a', controller: true }],
})

describe('what is found of', () => {
  test.each<[string, readonly JsonObject[], readonly string[]]>([
    [
      'a Deployment: the line that opts it in',
      [workload('Deployment', 'a'), replicaSet, running('a-1-x', REPLICA_SET)],
      ['outside Deployment a: kubectl annotate -n tools deployment/a outrigger.dev/inject=true'],
    ],
    [
      'one that its workload opts in',
      [workload('Deployment', 'a', { annotations: IN })],
      ['inside Deployment a: undefined'],
    ],
    [
      'one that asks for it and looks like nothing',
      [{ ...workload('Deployment', 'web'), spec: { template: podOf({}, { annotations: IN }) } }],
      ['inside Deployment web: undefined'],
    ],
    [
      'one that its template opts in',
      [workload('StatefulSet', 'a', {}, IN)],
      ['inside StatefulSet a: undefined'],
    ],
    [
      'one whose namespace opts in',
      [
        {
          kind: 'Namespace',
          metadata: { name: 'tools', labels: { 'outrigger.dev/injection': 'enabled' } },
        },
        workload('Deployment', 'a'),
      ],
      ['inside Deployment a: undefined'],
    ],
    [
      'one that opts out of that',
      [
        {
          kind: 'Namespace',
          metadata: { name: 'tools', labels: { 'outrigger.dev/injection': 'enabled' } },
        },
        workload('Deployment', 'a', {}, { 'outrigger.dev/inject': 'false' }),
      ],
      ['outside Deployment a: kubectl annotate -n tools deployment/a outrigger.dev/inject=true'],
    ],
    [
      'one that is asked for, and whose pods were there before',
      [workload('Deployment', 'a', { annotations: IN }), replicaSet, running('a-1-x', REPLICA_SET)],
      ['stale Deployment a: kubectl rollout restart -n tools deployment/a'],
    ],
    [
      'one that is asked for, and whose pods have the sidecar or are over',
      [
        workload('Deployment', 'a', { annotations: IN }),
        replicaSet,
        injected('a-1-x', REPLICA_SET),
        running('a-1-y', REPLICA_SET, { status: { phase: 'Succeeded' } }),
      ],
      ['inside Deployment a: undefined'],
    ],
    [
      'a Job: it does not change any more',
      [workload('Job', 'a')],
      [
        'outside Job a: put the annotation outrigger.dev/inject: "true" into its manifest and create it anew: a Job that is there does not change',
      ],
    ],
    [
      'a CronJob, and not of the Jobs that it makes',
      [
        workload('CronJob', 'a'),
        workload('Job', 'a-1', {
          ownerReferences: [
            { apiVersion: 'batch/v1', kind: 'CronJob', name: 'a', controller: true },
          ],
        }),
      ],
      ['outside CronJob a: kubectl annotate -n tools cronjob/a outrigger.dev/inject=true'],
    ],
    [
      "an operator's Deployment: its operator writes it",
      [
        workload('Deployment', 'a', {
          ownerReferences: [{ kind: 'MCPServer', name: 'gh', controller: true }],
        }),
      ],
      [
        'outside Deployment a: MCPServer gh writes its pods: give them the annotation outrigger.dev/inject: "true" there, or run the server in a workload of its own',
      ],
    ],
    [
      'the pods of a controller that nobody here knows: once',
      [1, 2].map((number) => running(`r-${number}`, { kind: 'Rollout', name: 'r' })),
      [
        'outside Rollout r: Rollout r writes its pods: give them the annotation outrigger.dev/inject: "true" there, or run the server in a workload of its own',
      ],
    ],
    [
      'the pods of a kind that only has the name of a workload',
      [running('v-1', { apiVersion: 'batch.example.com/v1', kind: 'Job', name: 'v' })],
      [
        'outside Job v: Job v writes its pods: give them the annotation outrigger.dev/inject: "true" there, or run the server in a workload of its own',
      ],
    ],
    [
      'pods whose workload was not read: they are there all the same',
      [running('a-1-x', REPLICA_SET)],
      [
        'outside ReplicaSet a-1: ReplicaSet a-1 writes its pods: give them the annotation outrigger.dev/inject: "true" there, or run the server in a workload of its own',
      ],
    ],
    [
      'one whose selector has no labels, by whose pods it is owned',
      [
        {
          ...workload('Deployment', 'a', { annotations: IN }),
          spec: {
            selector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['gh'] }] },
            template: podOf({ image: 'mcp/memory:1' }, { labels: LABELS }),
          },
        },
        replicaSet,
        running('a-1-x', REPLICA_SET),
      ],
      ['stale Deployment a: kubectl rollout restart -n tools deployment/a'],
    ],
    [
      'several pods of one controller: the most urgent of them',
      [
        {
          kind: 'Namespace',
          metadata: { name: 'tools', labels: { 'outrigger.dev/injection': 'enabled' } },
        },
        injected('r-1', { kind: 'Rollout', name: 'r' }),
        running('r-2', { kind: 'Rollout', name: 'r' }),
      ],
      ['stale Rollout r: create it anew: its pods were there before it was asked for'],
    ],
    [
      'one whose name a shell would run: no line for a shell',
      [workload('Deployment', 'a;reboot')],
      [
        'outside Deployment a;reboot: put the annotation outrigger.dev/inject: "true" into its manifest and create it anew: a Deployment that is there does not change',
      ],
    ],
    [
      'a Pod of its own, as a List holds it',
      [{ kind: 'List', items: [running('p', undefined)] }],
      [
        'outside Pod p: put the annotation outrigger.dev/inject: "true" into its manifest and create it anew: a Pod that is there does not change',
      ],
    ],
    [
      'several: what the world reaches first, what is under Outrigger last',
      [
        workload('Deployment', 'a', { annotations: IN }),
        workload('Deployment', 'z', {}, {}),
        { ...workload('Deployment', 'b'), metadata: { name: 'b', namespace: 'other' } },
        service('s', { type: 'LoadBalancer' }),
      ],
      [
        'outside Deployment z: kubectl annotate -n tools deployment/z outrigger.dev/inject=true',
        'outside Deployment b: kubectl annotate -n other deployment/b outrigger.dev/inject=true',
        'inside Deployment a: undefined',
      ],
    ],
    [
      'a Service that says so, whose pods do not',
      [
        { ...workload('Deployment', 'web'), spec: { template: podOf({}, { labels: LABELS }) } },
        service('s', { ports: [{ port: 80, appProtocol: 'agentgateway.dev/mcp' }] }),
      ],
      [
        'outside Deployment web: kubectl annotate -n tools deployment/web outrigger.dev/inject=true',
      ],
    ],
  ])('%s', (_, objects, expected) => {
    const found = scanObjects(objects, 'default')
    expect(
      found.map(({ state, kind, name, advice }) => `${state} ${kind} ${name}: ${advice}`),
    ).toEqual(expected)
  })
})

test('a namespace with thousands of everything is scanned at once', () => {
  const many = Array.from({ length: 4000 }, (_, at) => at)
  const objects = [
    ...many.map((at) => ({
      ...workload('Deployment', `mcp-${at}`),
      spec: {
        selector: { matchLabels: { app: `a${at}` } },
        template: podOf({}, { labels: { app: `a${at}` }, annotations: IN }),
      },
    })),
    ...many.map((at) => service(`s${at}`, { selector: { app: `a${at}` } })),
    ...many.map((at) => ({
      kind: 'Ingress',
      metadata: { name: `i${at}`, namespace: 'tools' },
      spec: { defaultBackend: { service: { name: `s${at}` } } },
    })),
    ...many.map((at) => {
      return injected(`p${at}`, { apiVersion: 'apps/v1', kind: 'Deployment', name: `mcp-${at}` })
    }),
  ]
  const found = scanObjects(objects, 'default')
  expect(found).toHaveLength(4000)
  expect(found.every(({ ways }) => ways.length === 2)).toBe(true)
})

describe('is told', () => {
  const found = scanObjects(
    [
      workload('Deployment', 'a'),
      workload('StatefulSet', 'b', { annotations: IN }),
      service('s', {}),
    ],
    'default',
  )

  test('to people: a block for each that needs somebody, and how many there are', () => {
    expect(scanText(found)).toBe(`tools: Deployment a: not under Outrigger
  looks like an MCP server: image mcp/memory:1 (container c)
  reached by: Service s (ClusterIP), from within the cluster
  do: kubectl annotate -n tools deployment/a outrigger.dev/inject=true
2 workloads look like MCP servers: 1 not under Outrigger, 1 under Outrigger
look first: \`kubectl annotate --dry-run=server\` prints what their pods will be told, or denied for, and \`outrigger check -f FILE\` says it of a manifest
`)
    expect(isAllInside(found)).toBe(false)
  })

  test('to programs: all of them', () => {
    expect(JSON.parse(scanJson(found))).toMatchObject({
      outside: 1,
      stale: 0,
      inside: 1,
      found: [
        { name: 'a', ways: [{ from: 'cluster' }] },
        { name: 'b', state: 'inside' },
      ],
    })
  })

  test('where there is nothing', () => {
    expect(scanText([])).toBe('nothing here looks like an MCP server\n')
    expect(isAllInside([])).toBe(true)
  })

  test('without what steers a terminal', () => {
    const [one] = scanObjects([workload('Deployment', 'a\u001b[2J\nb')], 'default')
    expect(one && scanText([one])).not.toMatch(/\u001b|2J\n/)
  })
})
