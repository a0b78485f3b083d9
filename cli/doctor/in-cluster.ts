// What a doctor reads of a cluster. What cannot be read is told by the check that wanted it.

import { fail, ok, type Result } from '../../shared/result.ts'
import { stringAt, type JsonObject } from '../../shared/json.ts'
import { ADMIN_PORT } from '../../shared/names.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { isSystem } from '../../webhook/cluster/namespace.ts'
import { ownSidecar } from '../../webhook/inject/pod.ts'
import type { Objects } from '../../webhook/kube/objects.ts'
import { readCertificates } from '../certs/in-cluster.ts'
import { inspect, type Inspection } from '../certs/inspection.ts'
import { OWN_NAMESPACE } from '../command/namespace.ts'
import { readStanding } from '../status/in-cluster.ts'
import { statusOf, type Row } from '../status/status.ts'
import { readConfigIn } from '../survey/cluster-config.ts'
import { once } from '../survey/once.ts'
import { examineController, type ControllerSeen } from './controller-in-cluster.ts'
import type { Read } from './finding.ts'
import { POLICIES, type Policy, type ReadPolicy } from './own-objects.ts'
import { trialPod } from './trial.ts'
import type { Enforcement } from './workloads.ts'

const ADMISSION = '/apis/admissionregistration.k8s.io/v1'
/** One sidecar of each is asked. */
const MAX_NODES = 20

export interface Seen {
  /** By the clock of this machine. */
  readonly now: Date
  readonly version: Read<JsonObject>
  readonly nodes: Read<readonly JsonObject[]>
  readonly config: Result<ClusterConfig, string>
  readonly mutating: Read<JsonObject>
  readonly validating: Read<JsonObject>
  readonly policies: ReadonlyMap<Policy, ReadPolicy>
  readonly deployment: Read<JsonObject>
  readonly ownPods: readonly JsonObject[]
  readonly certificates: {
    readonly inspection: Result<Inspection, string>
    readonly notes: readonly string[]
  }
  readonly controller: ControllerSeen
  readonly tried: Read<JsonObject>
  readonly namespaces: Read<readonly JsonObject[]>
  readonly rows: Read<readonly Row[]>
  readonly daemonSets: Read<readonly JsonObject[]>
  readonly enforcement: Read<readonly Enforcement[]>
}

const policiesIn = async (cluster: Objects): Promise<Seen['policies']> => {
  const found = new Map<Policy, ReadPolicy>()
  for (const name of POLICIES) {
    const policy = await cluster.get(`${ADMISSION}/validatingadmissionpolicies/${name}`)
    const binding = await cluster.get(`${ADMISSION}/validatingadmissionpolicybindings/${name}`)
    found.set(name, { policy, binding })
  }
  return found
}

const certificatesIn = async (cluster: Objects, now: Date): Promise<Seen['certificates']> => {
  const read = await readCertificates(cluster, OWN_NAMESPACE)
  if (!read.ok) return { inspection: read, notes: [] }
  const { found, notes } = read.value
  const kubectl = `kubectl -n ${OWN_NAMESPACE}`
  return { inspection: ok(inspect({ ...found, now, kubectl })), notes }
}

/** Of each node one pod whose sidecar serves. */
const onePerNode = (pods: readonly JsonObject[]): ReadonlyMap<string, JsonObject> =>
  new Map(
    pods
      .filter(
        (pod) =>
          stringAt(pod, 'kind') === 'Pod' &&
          stringAt(pod, 'status', 'phase') === 'Running' &&
          ownSidecar(pod) !== undefined,
      )
      .flatMap((pod) => {
        const node = stringAt(pod, 'spec', 'nodeName')
        return node === undefined ? [] : [[node, pod] as const]
      }),
  )

const enforcementIn = async (
  cluster: Objects,
  objects: readonly JsonObject[],
): Promise<readonly Enforcement[]> => {
  const told: Enforcement[] = []
  for (const [node, pod] of [...onePerNode(objects)].slice(0, MAX_NODES)) {
    const [namespace, name] = (['namespace', 'name'] as const).map((member) =>
      encodeURIComponent(stringAt(pod, 'metadata', member) ?? ''),
    )
    const ready = await cluster.text(
      `/api/v1/namespaces/${namespace}/pods/${name}:${ADMIN_PORT}/proxy/readyz`,
    )
    const [, state] =
      /egress_enforcement="(enforced|observed|advisory)"/.exec(ready.ok ? ready.value : '') ?? []
    told.push({ node, state })
  }
  return told
}

type Standing = Pick<Seen, 'rows' | 'enforcement'> & {
  /** The same rows, where it is known what stands beside them. */
  readonly beside: Read<readonly Row[]>
}

const standingIn = async (
  cluster: Objects,
  config: ClusterConfig | undefined,
): Promise<Standing> => {
  const read = await readStanding(cluster, undefined)
  const notes = read.ok ? read.value.notes : read.error
  if (!read.ok || !read.value.isWhole) {
    const unread = fail({ isMissing: false, why: notes[0] ?? '' })
    return { rows: unread, enforcement: unread, beside: unread }
  }
  const { objects, companions } = read.value
  const rows = ok(statusOf(objects, { namespace: 'default', config, companions }))
  const beside = companions ? rows : fail({ isMissing: false, why: notes.at(-1) ?? '' })
  return { rows, enforcement: ok(await enforcementIn(cluster, objects)), beside }
}

/** Several checks want the same: it is asked for once, so that none goes by another state of it than the rest. */
const askingOnce = (cluster: Objects): Objects => ({
  namespace: cluster.namespace,
  list: once((path) => cluster.list(path)),
  get: once((path) => cluster.get(path)),
  tryCreate: (path, object) => cluster.tryCreate(path, object),
  text: (path) => cluster.text(path),
})

/** All of it; the error is where the API server does not answer at all, or where a pod shows nothing. */
export const examine = async (
  objects: Objects,
  namespace: string,
  now: Date,
): Promise<Result<Seen, string>> => {
  const cluster = askingOnce(objects)
  const version = await cluster.get('/version')
  if (!version.ok && !version.error.why.startsWith('the API server answered')) {
    return fail(version.error.why)
  }
  const config = await readConfigIn(cluster, OWN_NAMESPACE)
  const known = config.ok ? config.value : undefined
  if (known && isSystem({ name: namespace }, known)) {
    return fail(
      `nothing is injected in namespace ${namespace}, by systemNamespaces of the configuration: name another by -n`,
    )
  }
  const { beside, rows, enforcement } = await standingIn(cluster, known)
  const own = `/api/v1/namespaces/${OWN_NAMESPACE}/pods`
  const ownPods = await cluster.list(own)
  const trials = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`
  return ok({
    now,
    version,
    nodes: await cluster.list('/api/v1/nodes'),
    config,
    mutating: await cluster.get(`${ADMISSION}/mutatingwebhookconfigurations/outrigger`),
    validating: await cluster.get(`${ADMISSION}/validatingwebhookconfigurations/outrigger`),
    policies: await policiesIn(cluster),
    deployment: await cluster.get(
      `/apis/apps/v1/namespaces/${OWN_NAMESPACE}/deployments/outrigger-webhook`,
    ),
    ownPods: ownPods.ok ? ownPods.value : [],
    certificates: await certificatesIn(cluster, now),
    controller: await examineController(cluster, known, beside),
    tried: await cluster.tryCreate(trials, trialPod(namespace, known)),
    namespaces: await cluster.list('/api/v1/namespaces'),
    rows,
    enforcement,
    daemonSets: await cluster.list('/apis/apps/v1/daemonsets'),
  })
}
