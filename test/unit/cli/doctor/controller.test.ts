// What a doctor makes of the controller of companions, and which rights it asks after.

import { describe, expect, test } from '@jest/globals'
import {
  examineController,
  neededRights,
  type ControllerSeen,
} from '../../../../cli/doctor/controller-in-cluster.ts'
import { judgeController } from '../../../../cli/doctor/controller.ts'
import type { Read } from '../../../../cli/doctor/finding.ts'
import { at, type JsonObject } from '../../../../shared/json.ts'
import { fail, ok, type Result } from '../../../../shared/result.ts'
import type { ClusterConfig } from '../../../../webhook/cluster/config.ts'
import type { Objects } from '../../../../webhook/kube/objects.ts'
import { row } from '../../../support/workload-row.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const MISSING = fail({ isMissing: true, why: 'the API server answered 404' })
const FORBIDDEN = fail({ isMissing: false, why: 'the API server answered 403: no' })
const NOW = new Date('2026-11-30T12:00:00Z')

const configured = (more: JsonObject): ClusterConfig =>
  clusterConfig({ sidecar: { image: 'x' }, ...more })
const ASKED = configured({ companions: {} })
const UNASKED = configured({})
const LOOKING = configured({ floor: { resolveImages: true } })

const deployment = (replicas: number, readyReplicas: number): Read<JsonObject> =>
  ok({ spec: { replicas }, status: { readyReplicas } })
const lease = (spec: JsonObject): Read<JsonObject> => ok({ spec })
const LED = lease({
  holderIdentity: 'controller-0_1',
  leaseDurationSeconds: 15,
  renewTime: '2026-11-30T11:59:58.000000Z',
})

const WELL: ControllerSeen = {
  deployment: deployment(2, 2),
  lease: LED,
  lacking: ok([]),
  absent: ok([]),
  workloads: 2,
}

const told = (
  seen: Partial<ControllerSeen>,
  config: Result<ClusterConfig, string> = ok(ASKED),
): readonly string[] =>
  judgeController({ ...WELL, ...seen }, [], { namespace: 'ours', config, now: NOW }).map(
    ({ verdict, what, advice }) =>
      `${verdict}: ${what}${advice === undefined ? '' : ` / ${advice}`}`,
  )

describe('the controller', () => {
  test('that is not there while pods wait for it', () => {
    const gated = configured({ companions: { gate: true } })
    const seen = { deployment: MISSING, lacking: undefined, absent: undefined }
    expect(told(seen, ok(gated))[0]).toContain(
      'nobody keeps them, or lets go of the pods that wait for them (companions.gate): apply',
    )
  })

  test('that is well', () => {
    expect(told({})).toEqual([
      'ok: 2 of 2 replicas are ready',
      'ok: controller-0_1 leads',
      'ok: it has the rights that its manifests give it',
      'ok: 2 workloads, each with its companions',
    ])
  })

  const logs = 'see the logs of its pods: kubectl -n ours logs -l app.kubernetes.io/name='
  const apply = 'apply its manifests (kubectl apply -k manifests/base/companions, or'
  test.each<[string, Partial<ControllerSeen>, string]>([
    [
      'is asked for and not there',
      { deployment: MISSING, lacking: undefined, absent: undefined },
      `fault: there is no Deployment ours/outrigger-controller / the cluster configuration asks for companions, and nobody keeps them: ${apply}`,
    ],
    [
      'does not run',
      { deployment: deployment(2, 0) },
      'fault: 0 of 2 replicas are ready / see why',
    ],
    [
      'is alone',
      { deployment: deployment(1, 1) },
      'warning: 1 of 1 replicas are ready / while that one is away companions stay as they are',
    ],
    ['has no Lease', { lease: MISSING }, `fault: there is no Lease ours/outrigger-controller, by which one replica leads: none does / ${apply}`], // prettier-ignore
    ['may not be asked for it', { lease: FORBIDDEN }, 'unread: Lease ours/outrigger-controller cannot be read'], // prettier-ignore
    ['leads by nobody', { lease: lease({}) }, `fault: nobody holds the Lease ours/outrigger-controller: no companion is kept / ${logs}`], // prettier-ignore
    [
      'has let go of it',
      { lease: lease({ holderIdentity: '', renewTime: '2026-11-30T11:59:58Z' }) },
      'fault: nobody holds the Lease',
    ],
    [
      'renews no more',
      { lease: lease({ holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-11-30T11:58:00Z' }) }, // prettier-ignore
      `fault: a leads no more: it has not renewed the Lease ours/outrigger-controller for 120 s, and no other has taken it / ${logs}`,
    ],
    [
      'renewed within what clocks differ by',
      { lease: lease({ holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-11-30T11:58:50Z' }) }, // prettier-ignore
      'ok: a leads',
    ],
    [
      'does not say when',
      { lease: lease({ holderIdentity: 'a', renewTime: 'today' }) },
      'fault: a holds the Lease ours/outrigger-controller, and does not say since when',
    ],
    [
      'renews no more, by a Lease that says it lasts for years',
      { lease: lease({ holderIdentity: 'a', leaseDurationSeconds: 2_000_000_000, renewTime: '2026-11-30T11:50:00Z' }) }, // prettier-ignore
      'fault: a leads no more: it has not renewed the Lease ours/outrigger-controller for 600 s',
    ],
    [
      'renewed in what is the future here',
      { lease: lease({ holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-11-30T12:10:00Z' }) }, // prettier-ignore
      'warning: a has renewed the Lease ours/outrigger-controller 600 s from now, by the clock of this machine / see which clock',
    ],
    [
      'leads by a name without an end',
      { lease: lease({ holderIdentity: 'a'.repeat(100_000), renewTime: '2026-11-30T11:59:58Z' }) },
      `ok: ${'a'.repeat(128)}… leads`,
    ],
    [
      'lacks rights',
      { lacking: ok(['create events', 'patch services']) },
      `fault: it lacks rights: create events, patch services / ${apply}`,
    ],
    ['whose rights nobody says', { lacking: FORBIDDEN }, 'unread: what it may cannot be read'],
    [
      'has not made all',
      { absent: ok(['NetworkPolicy/outrigger-deployment-files in tools']) },
      "warning: not there, or somebody else's: NetworkPolicy/outrigger-deployment-files in tools / where that stays so",
    ],
    [
      'whose objects may not be read',
      { absent: FORBIDDEN },
      'unread: what stands beside workloads',
    ],
  ])('that %s', (_name, seen, words) => {
    expect(told(seen)).toContainEqual(expect.stringContaining(words))
  })

  test.each<[string, Read<JsonObject>, string]>([
    ['and is not there', MISSING, 'ok: nobody asks for one'],
    [
      'and runs',
      deployment(2, 2),
      'warning: it runs, and the cluster configuration has no `companions`',
    ],
    ['and may not be read', FORBIDDEN, 'unread: Deployment ours/outrigger-controller'],
  ])('that nobody asks for %s', (_name, read, words) => {
    expect(told({ deployment: read }, ok(UNASKED))).toEqual([expect.stringContaining(words)])
  })

  test('that is asked for look-ups alone is asked for', () => {
    const absent = { absent: undefined }
    expect(told(absent, ok(LOOKING))).toContain('ok: controller-0_1 leads')
    expect(told({ ...absent, deployment: MISSING }, ok(LOOKING))).toContainEqual(
      expect.stringContaining('says floor.resolveImages, and nobody looks images up'),
    )
    expect(told({ ...absent, lacking: ok(['patch configmaps']) }, ok(LOOKING))).toContainEqual(
      expect.stringContaining('kubectl apply -k manifests/base/resolve-images'),
    )
  })

  test('that is asked for accounts needs rights for them', () => {
    const asking = configured({ companions: {}, floor: { ownServiceAccounts: ['*'] } })
    const right = { group: '', resource: 'serviceaccounts', verb: 'create' }
    expect(neededRights(asking)).toContainEqual(right)
    expect(neededRights(ASKED)).not.toContainEqual(right)
    const known = { group: '', resource: 'serviceaccounts', verb: 'get', name: 'default' }
    expect(neededRights(asking)).toContainEqual({ ...known, account: 'outrigger-webhook' })
    expect(told({ lacking: ok(['create serviceaccounts']) }, ok(asking))).toContainEqual(
      expect.stringContaining('kubectl apply -k manifests/base/own-accounts'),
    )
  })

  test('is not judged by a configuration that cannot be read', () => {
    expect(told({}, fail('it is gone'))).toEqual([
      expect.stringContaining('unread: the cluster configuration cannot be read: it is gone'),
    ])
  })
})

describe('a look at it', () => {
  const asked: JsonObject[] = []
  const cluster: Objects = {
    namespace: 'default',
    list: () => Promise.resolve(FORBIDDEN),
    get: () => Promise.resolve(ok({})),
    tryCreate: (_path, object) => {
      asked.push(object)
      return Promise.resolve(
        ok({ status: { allowed: !JSON.stringify(object).includes('events') } }),
      )
    },
    text: () => Promise.resolve(FORBIDDEN),
  }

  test('asks the authorizers after each right, as the controller itself', async () => {
    const seen = await examineController(cluster, ASKED, ok([]))
    expect(seen.lacking).toEqual(ok(['create events']))
    expect(asked).toHaveLength(neededRights(ASKED).length)
    expect(asked).toContainEqual(
      expect.objectContaining({
        spec: {
          user: 'system:serviceaccount:outrigger-system:outrigger-controller',
          groups: [
            'system:serviceaccounts',
            'system:serviceaccounts:outrigger-system',
            'system:authenticated',
          ],
          resourceAttributes: {
            group: 'coordination.k8s.io',
            resource: 'leases',
            verb: 'update',
            name: 'outrigger-controller',
            namespace: 'outrigger-system',
          },
        },
      }),
    )
  })

  test('asks after what the webhook needs to know accounts as the webhook', async () => {
    asked.length = 0
    const asking = configured({ companions: {}, floor: { ownServiceAccounts: ['*'] } })
    const user = 'system:serviceaccount:outrigger-system:outrigger-webhook'
    const denying: Objects = {
      ...cluster,
      tryCreate: (_path, object) =>
        Promise.resolve(ok({ status: { allowed: at(object, 'spec', 'user') !== user } })),
    }
    const { lacking } = await examineController(denying, asking, ok([]))
    expect(lacking).toEqual(
      ok(
        ['get', 'list', 'watch'].map(
          (verb) => `${verb} serviceaccounts default (outrigger-webhook)`,
        ),
      ),
    )
  })

  test('the rights are all that its manifests give it', () => {
    expect(neededRights(undefined)).toEqual(neededRights(ASKED))
    expect(neededRights(ASKED)).toEqual(
      expect.arrayContaining([
        { group: '', resource: 'pods', verb: 'watch' },
        { group: 'networking.k8s.io', resource: 'networkpolicies', verb: 'delete' },
        {
          group: 'discovery.k8s.io',
          resource: 'endpointslices',
          verb: 'get',
          name: 'kubernetes',
        },
      ]),
    )
  })

  test('and where the floor asks for look-ups those for these, too', () => {
    const index = { group: '', resource: 'configmaps', name: 'outrigger-images' }
    const place = { namespace: 'outrigger-system' }
    expect(neededRights(LOOKING)).toEqual(
      expect.arrayContaining([
        ...neededRights(ASKED),
        { ...index, verb: 'patch', ...place },
        { group: '', resource: 'events', verb: 'watch' },
      ]),
    )
    expect(JSON.stringify(neededRights(ASKED))).not.toContain('configmaps')
  })

  test('tells of what is to stand beside pods that run, and does not', async () => {
    const rows = [row('a', []), row('b', ['NetworkPolicy/outrigger-b', 'Service/outrigger-b']), row('c')] // prettier-ignore
    expect(await examineController(cluster, ASKED, ok(rows))).toMatchObject({
      workloads: 2,
      absent: ok(['NetworkPolicy/outrigger-b in tools', 'Service/outrigger-b in tools']),
    })
  })

  test('asks after nothing where nobody has it', async () => {
    asked.length = 0
    const none = { ...cluster, get: () => Promise.resolve(MISSING) }
    expect(await examineController(none, ASKED, ok([]))).toMatchObject({
      lacking: undefined,
      absent: undefined,
    })
    expect(asked).toEqual([])
  })

  test('does not say that all is there where pods are not known', async () => {
    expect(await examineController(cluster, ASKED, FORBIDDEN)).toMatchObject({ absent: FORBIDDEN })
  })
})
