// Which pods hand calls to each other, and what they are given for it.

import { describe, expect, test } from '@jest/globals'
import { at, isObject, objectsAt, stringAt, withAt, type JsonObject } from '../../../shared/json.ts'
import type { ClusterConfig } from '../../../webhook/cluster/config.ts'
import { memberOf } from '../../../webhook/companions/member.ts'
import { members, ownSidecar } from '../../../webhook/inject/pod.ts'
import { render } from '../../../webhook/inject/render.ts'
import { replicasIn } from '../../../webhook/inject/replicas.ts'
import { documentOf } from '../../../webhook/inject/stand-ins.ts'
import { differences } from '../../../webhook/validation/own-parts.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const configOf = (companions: JsonObject | undefined): ClusterConfig =>
  clusterConfig({
    sidecar: { image: 'x' },
    settings: { auth: 'none' },
    floor: { allowAnonymous: true, allowAdvisoryEgress: true },
    ...(companions ? { companions } : {}),
  })
const ON = configOf({})
const OFF = configOf({ replicas: false })
const NAMESPACE = { name: 'team', labels: {}, annotations: {} }

const podOf = (kind: string | undefined, name = 'a', spec: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: `${name}-0`,
    namespace: 'team',
    uid: 'u',
    annotations: { 'outrigger.dev/inject': 'true' },
    ...(kind === undefined
      ? {}
      : { ownerReferences: [{ apiVersion: 'x/v1', kind, name, uid: 'o', controller: true }] }),
  },
  spec: { containers: [{ name: 'c', image: 'i', command: ['serve'] }], ...spec },
})

const injected = (pod: JsonObject, config = ON) => {
  const outcome = render(pod, NAMESPACE, config)
  if (outcome.kind !== 'inject') throw new Error(JSON.stringify(outcome))
  return outcome
}
const toldIn = (pod: JsonObject) => documentOf(ownSidecar(pod))?.replicas
const volumeIn = (pod: JsonObject): JsonObject | undefined =>
  objectsAt(pod, 'spec', 'volumes').find((one) => stringAt(one, 'name') === 'outrigger-replicas')

const ONE_OF_SEVERAL = {
  service: 'outrigger-statefulset-a-headless.team.svc',
  keys: '/outrigger/replicas',
}

describe('a pod', () => {
  test.each<[string, string | undefined, ClusterConfig, boolean]>([
    ['of a StatefulSet', 'StatefulSet', ON, true],
    ['of a Deployment', 'ReplicaSet', ON, true],
    ['of a DaemonSet', 'DaemonSet', ON, true],
    ['of a ReplicationController', 'ReplicationController', ON, true],
    ['of a Job', 'Job', ON, false],
    ['of nobody', undefined, ON, false],
    ['of something else', 'Notebook', ON, false],
    ['where it is switched off', 'StatefulSet', OFF, false],
    ['where there are no companions', 'StatefulSet', configOf(undefined), false],
  ])('%s', (_name, kind, config, isTold) => {
    const { pod } = injected(podOf(kind), config)
    expect([toldIn(pod) !== undefined, volumeIn(pod) !== undefined]).toEqual([isTold, isTold])
    const ports = objectsAt(ownSidecar(pod), 'ports').map((port) => port['containerPort'])
    expect(ports.includes(15_204)).toBe(isTold)
    const variables = objectsAt(ownSidecar(pod), 'env').map((entry) => entry['name'])
    expect(variables.includes('OUTRIGGER_POD_IPS')).toBe(isTold)
    const member = memberOf(pod)
    expect(member?.needs?.hasReplicas).toBe(isTold)
    expect(member?.needs?.ports).toEqual([15_200])
  })

  test('is told the Service that names all of them, whatever its workload is called', () => {
    expect(toldIn(injected(podOf('StatefulSet')).pod)).toEqual(ONE_OF_SEVERAL)
    const long = toldIn(injected(podOf('StatefulSet', `${'a.'.repeat(30)}b`)).pod)
    expect(long?.service).toMatch(/^outrigger-statefulset-a-[-a-z0-9]{1,63}\.team\.svc$/)
  })

  test('brings the Secret to its sidecar alone, and starts without it', () => {
    const { pod } = injected(podOf('StatefulSet'))
    expect(volumeIn(pod)).toEqual({
      name: 'outrigger-replicas',
      secret: {
        secretName: 'outrigger-replicas-statefulset-a',
        items: ['tls.crt', 'tls.key', 'id.key'].map((key) => ({ key, path: key })),
        defaultMode: 0o644,
        optional: true,
      },
    })
    const mounting = members(pod).flatMap(({ name, container }) =>
      objectsAt(container, 'volumeMounts')
        .filter((mount) => stringAt(mount, 'name') === 'outrigger-replicas')
        .map((mount) => [name, mount]),
    )
    expect(mounting).toEqual([
      [
        'outrigger-sidecar',
        { name: 'outrigger-replicas', mountPath: '/outrigger/replicas', readOnly: true },
      ],
    ])
  })

  test('that was rendered while it was on has everything of it taken off where it is off', () => {
    const before = injected(podOf('StatefulSet')).pod
    expect(injected(before, OFF).pod).toEqual(injected(podOf('StatefulSet'), OFF).pod)
    expect(injected(before).patch).toEqual([])
  })

  test('on the node’s own network has none', () => {
    const parts = { workload: undefined, label: 'statefulset-a', namespace: 'team', config: ON }
    expect(replicasIn({ ...parts, pod: podOf('StatefulSet') })).toEqual({
      replicas: ONE_OF_SEVERAL,
    })
    const onHost = podOf('StatefulSet', 'a', { hostNetwork: true })
    expect(replicasIn({ ...parts, pod: onHost })).toEqual({})
  })

  const changed = (change: (volume: JsonObject) => JsonObject) => {
    const whole = injected(podOf('StatefulSet'))
    const volumes = objectsAt(whole.pod, 'spec', 'volumes').map((volume) =>
      stringAt(volume, 'name') === 'outrigger-replicas' ? change(volume) : volume,
    )
    const stored = withAt(whole.pod, ['spec', 'volumes'], volumes)
    return differences(stored, whole, ON.floor).map(({ found }) => found)
  }
  test.each<[string, (volume: JsonObject) => JsonObject]>([
    [
      'brings another workload’s',
      (volume) => withAt(volume, ['secret', 'secretName'], 'outrigger-replicas-statefulset-b'),
    ],
    ['would not start without it', (volume) => withAt(volume, ['secret', 'optional'], undefined)],
    ['brings a directory in its place', ({ name }) => ({ name: name ?? '', emptyDir: {} })],
  ])('is not stored where its volume %s', (_name, change) => {
    expect(changed(change)).toEqual(['its volumes named outrigger-… not as Outrigger renders it'])
  })

  test('is stored as it is rendered', () => {
    expect(changed((volume) => volume)).toEqual([])
  })

  test('whose own port has our name keeps it, beside ours', () => {
    const ports = [{ name: 'outrigger-hop', containerPort: 8080 }]
    const annotations = { 'outrigger.dev/inject': 'true', 'outrigger.dev/transport': 'http' }
    const container = { name: 'c', image: 'i', command: ['serve'], ports }
    const pod = withAt(podOf('StatefulSet', 'a', { containers: [container] }), ['metadata', 'annotations'], annotations) // prettier-ignore
    const { pod: after } = injected(pod, { ...ON, findsSidecarPorts: true })
    const names = objectsAt(ownSidecar(after), 'ports').map((port) => at(port, 'name'))
    expect(names).toEqual([...new Set(names)])
    expect(names).toContain('outrigger-hop')
    expect(isObject(after) && at(objectsAt(after, 'spec', 'containers')[0], 'ports')).toEqual(ports)
  })
})
