// What a doctor reads of the controller of companions: its Deployment, its Lease, what stands beside workloads, and which of
// the rights that our manifests give it, or the webhook for its sake, the API server's authorizers deny them.

import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import {
  arrayAt,
  isObject,
  objectAt,
  objectsAt,
  stringAt,
  type JsonObject,
} from '../../shared/json.ts'
import { ok } from '../../shared/result.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import type { Objects } from '../../webhook/kube/objects.ts'
import { OWN_NAMESPACE } from '../command/namespace.ts'
import type { Row } from '../status/status.ts'
import type { Read } from './finding.ts'

export const CONTROLLER = 'outrigger-controller'
const WEBHOOK = 'outrigger-webhook'
const RIGHTS = 'companions/rbac.yaml'
const TO_LOOK_UP = 'resolve-images/rbac.yaml'
const TO_MAKE_ACCOUNTS = 'own-accounts/rbac.yaml'
const TO_KNOW_ACCOUNTS = 'own-accounts/webhook-rbac.yaml'
const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

/** As `resourceAttributes` of a review names it. */
export interface Right {
  readonly group: string
  readonly resource: string
  readonly verb: string
  readonly name?: string
  readonly namespace?: string
}

/** Absent `account`: the controller's. */
interface Needed extends Right {
  readonly account?: typeof CONTROLLER | typeof WEBHOOK
}

export interface ControllerSeen {
  readonly deployment: Read<JsonObject>
  readonly lease: Read<JsonObject>
  /** Of its rights those that it lacks; undefined where it is not there to have any. */
  readonly lacking: Read<readonly string[]> | undefined
  /** What is to stand beside pods that run, and does not; undefined where none are kept. */
  readonly absent: Read<readonly string[]> | undefined
  /** How many workloads have companions to stand beside them. */
  readonly workloads: number
}

const textsAt = (rule: JsonObject, member: string): readonly string[] =>
  (arrayAt(rule, member) ?? []).map(String)

const rightsIn = (role: JsonObject, whose: Pick<Needed, 'account'>): readonly Needed[] => {
  const place = stringAt(role, 'kind') === 'Role' ? { namespace: OWN_NAMESPACE } : {}
  const around = { ...place, ...whose }
  const found: Needed[] = []
  for (const rule of objectsAt(role, 'rules')) {
    const names = textsAt(rule, 'resourceNames').map((name) => ({ name }))
    for (const group of textsAt(rule, 'apiGroups')) {
      for (const resource of textsAt(rule, 'resources')) {
        for (const verb of textsAt(rule, 'verbs')) {
          for (const named of names.length > 0 ? names : [{}]) {
            found.push({ group, resource, verb, ...named, ...around })
          }
        }
      }
    }
  }
  return found
}

/** Whether it is to make accounts of servers. */
export const makesAccounts = ({ companions, floor }: ClusterConfig): boolean =>
  companions !== undefined && floor.ownServiceAccounts.length > 0

/** By a file below manifests/base. */
const rightsBy = (file: string, whose: Pick<Needed, 'account'> = {}): readonly Needed[] =>
  parseAllDocuments(readFileSync(new URL(`../../manifests/base/${file}`, import.meta.url), 'utf8'))
    .map((document): unknown => document.toJS())
    .filter(isObject)
    .flatMap((role) => rightsIn(role, whose))

/** What the manifests of this version give it: what it needs, and no more; for accounts also the webhook. */
export const neededRights = (config: ClusterConfig | undefined): readonly Needed[] => [
  ...rightsBy(RIGHTS),
  ...(config?.floor.resolveImages ? rightsBy(TO_LOOK_UP) : []),
  ...(config && makesAccounts(config)
    ? [...rightsBy(TO_MAKE_ACCOUNTS), ...rightsBy(TO_KNOW_ACCOUNTS, { account: WEBHOOK })]
    : []),
]

const reviewOf = ({ account = CONTROLLER, ...right }: Needed): JsonObject => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  spec: {
    user: `system:serviceaccount:${OWN_NAMESPACE}:${account}`,
    groups: [
      'system:serviceaccounts',
      `system:serviceaccounts:${OWN_NAMESPACE}`,
      'system:authenticated',
    ],
    resourceAttributes: { ...right },
  },
})

const toldOf = ({ group, resource, verb, name, account }: Needed): string =>
  [
    `${verb} ${resource}${group === '' ? '' : `.${group}`}`,
    ...(name === undefined ? [] : [name]),
    ...(account === undefined ? [] : [`(${account})`]),
  ].join(' ')

/** One review a right: the authorizers decide, whoever has granted it. */
const lackingIn = async (
  cluster: Objects,
  config: ClusterConfig | undefined,
): Promise<Read<readonly string[]>> => {
  const lacking: string[] = []
  for (const right of neededRights(config)) {
    const review = await cluster.tryCreate(REVIEWS, reviewOf(right))
    if (!review.ok) return review
    if (objectAt(review.value, 'status')['allowed'] !== true) lacking.push(toldOf(right))
  }
  return ok(lacking)
}

/** Of a look at all workloads. */
const besideIn = (rows: Read<readonly Row[]>): Pick<ControllerSeen, 'absent' | 'workloads'> => {
  if (!rows.ok) return { absent: rows, workloads: 0 }
  const kept = rows.value.filter(({ missingCompanions }) => missingCompanions !== undefined)
  const absent = kept.flatMap(({ namespace, missingCompanions = [] }) =>
    missingCompanions.map((one) => `${one} in ${namespace}`),
  )
  return { absent: ok(absent), workloads: kept.length }
}

/** `rows`: why not, where workloads or what stands beside them cannot be read. */
export const examineController = async (
  cluster: Objects,
  config: ClusterConfig | undefined,
  rows: Read<readonly Row[]>,
): Promise<ControllerSeen> => {
  const own = `namespaces/${OWN_NAMESPACE}`
  const deployment = await cluster.get(`/apis/apps/v1/${own}/deployments/${CONTROLLER}`)
  const lease = await cluster.get(`/apis/coordination.k8s.io/v1/${own}/leases/${CONTROLLER}`)
  const lacking = deployment.ok ? await lackingIn(cluster, config) : undefined
  const beside =
    config?.companions && deployment.ok ? besideIn(rows) : { absent: undefined, workloads: 0 }
  return { deployment, lease, lacking, ...beside }
}
