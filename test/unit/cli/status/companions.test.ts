// Which companions a workload lacks, and who is told.

import { describe, expect, test } from '@jest/globals'
import { missingFor, standingAmong } from '../../../../cli/status/companions.ts'
import { readStanding } from '../../../../cli/status/in-cluster.ts'
import { statusOf } from '../../../../cli/status/status.ts'
import { statusJson, statusText } from '../../../../cli/status/text.ts'
import { withAt, type JsonObject } from '../../../../shared/json.ts'
import { fail, ok } from '../../../../shared/result.ts'
import type { Objects } from '../../../../webhook/kube/objects.ts'
import { row } from '../../../support/workload-row.ts'

const pod = (server: string, metadata: JsonObject = {}): JsonObject => ({
  kind: 'Pod',
  metadata: {
    name: server,
    namespace: 'tools',
    uid: server,
    labels: { 'outrigger.dev/injected': 'true', 'outrigger.dev/server': server },
    ...metadata,
  },
  spec: { containers: [] },
})

const OURS = { 'app.kubernetes.io/managed-by': 'outrigger' }
const standing = (kind: string, name: string, labels: JsonObject = OURS, namespace = 'tools') => ({
  kind,
  metadata: { name, namespace, labels },
})
const THREE = [
  standing('NetworkPolicy', 'outrigger-a'),
  standing('Service', 'outrigger-a'),
  standing('Service', 'outrigger-a-headless'),
]
const ALL = ['NetworkPolicy/outrigger-a', 'Service/outrigger-a', 'Service/outrigger-a-headless']

describe('what is missing', () => {
  test.each<[string, readonly JsonObject[], readonly JsonObject[], readonly string[] | undefined]>([
    ['nothing, where all three stand', [pod('a')], THREE, []],
    ['all, where none does', [pod('a')], [], ALL],
    ['each once, however many pods there are', [pod('a'), pod('a', { uid: 'b' })], [], ALL],
    [
      'what is somebody else’s, whatever its name is',
      [pod('a')],
      [standing('NetworkPolicy', 'outrigger-a', {}), ...THREE.slice(1)],
      ['NetworkPolicy/outrigger-a'],
    ],
    [
      'what stands in another namespace',
      [pod('a')],
      [standing('NetworkPolicy', 'outrigger-a', OURS, 'other'), ...THREE.slice(1)],
      ['NetworkPolicy/outrigger-a'],
    ],
    [
      'nothing is to stand beside a pod that is not injected',
      [pod('a', { labels: {} })],
      [],
      undefined,
    ],
    [
      'nothing is made anew for one that goes',
      [pod('a', { deletionTimestamp: '2026-11-30T12:00:00Z' })],
      [],
      undefined,
    ],
    ['nothing is to stand beside no pods', [], THREE, undefined],
  ])('%s', (_name, pods, objects, missing) => {
    expect(missingFor(pods, standingAmong(objects))).toEqual(missing)
  })
})

describe('a table of workloads', () => {
  test('has a column of companions where somebody asks for them', () => {
    const lines = statusText([row('a', []), row('b', ALL), row('c')]).split('\n')
    const shown = lines.map((line) => line.replaceAll(/ {2,}/g, '  '))
    expect(shown[0]).toContain('  EGRESS  COMPANIONS  ACCOUNT  SERVER IMAGE  ')
    expect(shown[1]).toContain('  -  yes  default  -')
    expect(shown[2]).toContain('  -  lacks NetworkPolicy/outrigger-a (+2)  default  -')
    expect(shown[3]).toContain('  -  -  default  -')
  })

  test('and none where nobody does', () => {
    expect(statusText([row('a')])).not.toContain('COMPANIONS')
  })

  test('as JSON has them all', () => {
    expect(JSON.parse(statusJson([row('b', ALL), row('c')]))).toMatchObject({
      workloads: [{ missingCompanions: ALL }, { name: 'c' }],
    })
  })
})

describe('pods that wait for their policy', () => {
  const spec = {
    initContainers: [{ name: 'outrigger-sidecar', image: 'x' }],
    schedulingGates: [{ name: 'outrigger.dev/policy' }],
  }
  const owner = [{ apiVersion: 'example.com/v1', controller: true, kind: 'Rollout', name: 'a' }]
  const held = (name: string): JsonObject => ({
    apiVersion: 'v1',
    ...pod('a', { name, uid: name, ownerReferences: owner }),
    spec: { containers: [], ...spec },
    status: { phase: 'Pending' },
  })
  const told = (...pods: readonly JsonObject[]): string =>
    statusText(statusOf(pods, { namespace: 'tools', config: undefined }))

  test('are counted, with what lets go of them', () => {
    expect(told(held('a-0'), held('a-1'))).toContain(
      `tools: Rollout a: 2 pods of it wait for their NetworkPolicy (outrigger.dev/policy)
  do: the controller lets go of them: \`outrigger doctor\` says whether one is there,`,
    )
    expect(told(held('a-0'))).toContain('1 pod of it waits for its NetworkPolicy')
  })

  test('are no others', () => {
    const free = withAt(held('a-0'), ['spec', 'schedulingGates'], [{ name: 'example.com/theirs' }])
    expect(told(free)).toMatch(/^1 workload under Outrigger/m)
    expect(told(free)).not.toContain('wait')
  })
})

describe('a look at a cluster', () => {
  const REFUSED = fail({ isMissing: false, why: 'the API server answered 403: no' })
  const lookAt = async (config: string, mayRead: boolean) => {
    const asked: string[] = []
    const cluster: Objects = {
      namespace: 'default',
      list: (path) => {
        asked.push(path)
        return Promise.resolve(path.endsWith('/networkpolicies') && !mayRead ? REFUSED : ok([]))
      },
      get: (path) =>
        Promise.resolve(
          path.endsWith('/outrigger-config') ? ok({ data: { 'config.yaml': config } }) : ok({}),
        ),
      tryCreate: () => Promise.resolve(REFUSED),
      text: () => Promise.resolve(REFUSED),
    }
    const read = await readStanding(cluster, 'tools')
    if (!read.ok) throw new Error(read.error.join())
    return { ...read.value, asked }
  }

  test('reads what stands beside workloads, of their namespace', async () => {
    const { companions, notes, asked } = await lookAt(
      'sidecar: { image: x }\ncompanions: {}\n',
      true,
    )
    expect([companions, notes]).toEqual([[], []])
    expect(asked).toContain('/apis/networking.k8s.io/v1/namespaces/tools/networkpolicies')
    expect(asked).toContain('/api/v1/namespaces/tools/services')
  })

  test('does not, where nobody asks for companions', async () => {
    const { companions, notes, asked } = await lookAt('sidecar: { image: x }\n', false)
    expect([companions, notes]).toEqual([undefined, []])
    expect(asked.filter((path) => /networkpolicies|services/.test(path))).toEqual([])
  })

  test('says what is not known where they may not be read, and all else is whole', async () => {
    const { companions, notes, isWhole } = await lookAt(
      'sidecar: { image: x }\ncompanions: {}\n',
      false,
    )
    expect([companions, isWhole]).toEqual([undefined, true])
    expect(notes).toEqual([
      'networkpolicies cannot be listed, so which companions stand beside workloads is not known: the API server answered 403: no',
    ])
  })
})
