// The controller's reconciler over an API server in memory, and a workload of one pod that a Deployment's ReplicaSet controls.

import { at, type JsonObject } from '../../shared/json.ts'
import { createLog } from '../../shared/log.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import type { Namespace } from '../../webhook/cluster/namespace.ts'
import type { Member } from '../../webhook/companions/member.ts'
import { Accounts } from '../../webhook/controller/accounts.ts'
import { Events } from '../../webhook/controller/events.ts'
import type { Members } from '../../webhook/controller/members.ts'
import { Owners } from '../../webhook/controller/owners.ts'
import type { Known } from '../../webhook/controller/known.ts'
import { Reconciler, type ReconcileOptions } from '../../webhook/controller/reconcile.ts'
import { standingOf, StandingStore } from '../../webhook/controller/standing.ts'
import type { FakeApi } from './companion-api.ts'
import { clusterConfig } from './cluster-config.ts'

export const KEY = 'team/deployment-a'
export const POLICY =
  '/apis/networking.k8s.io/v1/namespaces/team/networkpolicies/outrigger-deployment-a'
export const SERVICE = '/api/v1/namespaces/team/services/outrigger-deployment-a'
export const SET = '/apis/apps/v1/namespaces/team/replicasets/a-5f'

const DEPLOYMENT: JsonObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  name: 'a',
  uid: 'deployment',
  controller: true,
}
export const REPLICA_SET: JsonObject = {
  metadata: { name: 'a-5f', uid: 'set', ownerReferences: [DEPLOYMENT] },
}

export const member: Member = {
  namespace: 'team',
  name: 'a-5f-x',
  server: 'deployment-a',
  owner: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a-5f', uid: 'set' },
  ingressFrom: {},
  mesh: undefined,
  isEnding: false,
  needs: undefined,
  sidecar: 'x',
  isGated: false,
  hasOwnAccount: false,
  uid: 'pod',
  labels: {},
  ailments: [],
}
export const pod = { namespace: 'team', name: member.name, member }

export const configOf = (more: JsonObject): ClusterConfig =>
  clusterConfig({ sidecar: { image: 'x' }, ...more })

/** What stands, as it is followed: only what bears our label. */
const standingIn = (api: FakeApi, kind: string): StandingStore => {
  const store = new StandingStore()
  for (const object of api.objects.values()) {
    if (object['kind'] !== kind) continue
    if (at(object, 'metadata', 'labels', 'app.kubernetes.io/managed-by') !== 'outrigger') continue
    store.put(standingOf(kind, object))
  }
  return store
}

interface Parts
  extends
    Pick<Known, 'apiServer' | 'otherPolicies'>,
    Pick<ReconcileOptions, 'config' | 'foreign' | 'now' | 'opened'> {
  readonly api: FakeApi
  readonly members: Members
  readonly namespace: () => Namespace | undefined
  /** Of all workloads. */
  readonly isPartial: () => boolean
}

export const reconcilerOver = ({ api, members, isPartial, ...parts }: Parts): Reconciler => {
  const log = createLog({ level: 'error', write: () => undefined, now: () => 0 })
  const told = { wallMs: parts.now, randomName: () => 'r', identity: 'test' }
  return new Reconciler({
    ...parts,
    known: {
      namespace: parts.namespace,
      members: (key) => members.of(key),
      waiting: (key) => members.waiting(key),
      hasMembers: (name) => members.has(name),
      standing: (kind, place, name) => standingIn(api, kind).get(place, name),
      standingOf: (key) =>
        ['NetworkPolicy', 'Service'].flatMap((kind) => standingIn(api, kind).of(key)),
      servicesOf: () => [],
      everyService: () => [],
      otherPolicies: parts.otherPolicies,
      apiServer: parts.apiServer,
      isPartial: (key) => isPartial() || members.isPartial(key),
    },
    requests: api,
    owners: new Owners(api),
    accounts: new Accounts({ requests: api, now: parts.now, log }),
    events: new Events({ ...told, requests: api, log, now: parts.now }),
    log,
    leftoverMs: 1000,
    counted: () => undefined,
  })
}
