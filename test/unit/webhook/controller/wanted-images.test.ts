import { describe, expect, test } from '@jest/globals'
import { withAt, type JsonObject } from '../../../../shared/json.ts'
import { wantedBy, type WantedImages } from '../../../../webhook/controller/wanted-images.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const config = clusterConfig({
  sidecar: { image: 'x' },
  settings: { auth: 'none' },
  floor: { allowAnonymous: true, egressMode: 'observe' },
  systemNamespaces: ['kube-system'],
})

const TEMPLATE = ['spec', 'template'] as const
const CONTAINERS = [...TEMPLATE, 'spec', 'containers'] as const

const set = (container: JsonObject = {}, spec: JsonObject = {}): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'a-5f', namespace: 'team' },
  spec: {
    template: {
      metadata: { annotations: { 'outrigger.dev/inject': 'true' } },
      spec: {
        containers: [
          {
            name: 'c',
            image: 'r.example/app:1',
            resources: { limits: { memory: '1Gi' } },
            ...container,
          },
        ],
        ...spec,
      },
    },
  },
})

const wanted = (object: JsonObject, namespace = 'team'): WantedImages =>
  wantedBy(object, { name: namespace, labels: {}, annotations: {} }, config)

describe('an image is wanted', () => {
  test('where a pod is denied for it, with the Secrets that it is pulled by', () => {
    const imagePullSecrets = [{ name: 'one' }, { name: '../x' }, { name: 'two' }]
    expect(wanted(set({}, { imagePullSecrets }))).toEqual({
      images: ['r.example/app:1'],
      pullSecrets: ['one', 'two'],
    })
  })

  test.each<[string, JsonObject, string | undefined]>([
    ['the Secrets of its namespace’s account', {}, 'default'],
    ['those of the account that it names', { serviceAccountName: 'mine' }, 'mine'],
    ['those of one by its old name', { serviceAccountName: '', serviceAccount: 'mine' }, 'mine'],
    ['no account’s, where it names one that is none', { serviceAccountName: '../x' }, undefined],
    ['no account’s, where it names Secrets', { imagePullSecrets: [{ name: 'one' }] }, undefined],
  ])('pulled by %s', (_name, spec, account) => {
    expect(wanted(set({}, spec)).account).toBe(account)
  })

  test('where a server over HTTP is denied, since nobody could confine it', () => {
    const annotations = {
      'outrigger.dev/inject': 'true',
      'outrigger.dev/transport': 'http',
      'outrigger.dev/port': '8080',
      'outrigger.dev/egress-mode': 'enforce',
    }
    const object = withAt(set(), [...TEMPLATE, 'metadata', 'annotations'], annotations)
    expect(wanted(object).images).toEqual(['r.example/app:1'])
    expect(wanted(withAt(object, [...CONTAINERS], [{ name: 'c', image: 'r.example/app:1', command: ['serve'] }])).images).toEqual([]) // prettier-ignore
  })

  test('of a CronJob’s Job as of any other', () => {
    expect(wanted({ ...set(), apiVersion: 'batch/v1', kind: 'Job' }).images).toEqual([
      'r.example/app:1',
    ])
  })

  test.each<[string, JsonObject, string]>([
    ['names its command', set({ command: ['serve'] }), 'team'],
    ['only sleeps', set({ command: ['sleep', 'infinity'] }), 'team'],
    ['asks for nothing', withAt(set(), [...TEMPLATE, 'metadata'], {}), 'team'],
    ['is the system’s', set(), 'kube-system'],
    ['is scaled to nothing', withAt(set(), ['spec', 'replicas'], 0), 'team'],
    [
      'is suspended',
      { ...withAt(set(), ['spec', 'suspend'], true), apiVersion: 'batch/v1', kind: 'Job' },
      'team',
    ],
    ['has no container', withAt(set(), CONTAINERS, []), 'team'],
    ['is of a kind that makes no pods', { ...set(), kind: 'Service', apiVersion: 'v1' }, 'team'],
  ])('and not of what %s', (_name, object, namespace) => {
    expect(wanted(object, namespace)).toMatchObject({ images: [], pullSecrets: [] })
  })
})
