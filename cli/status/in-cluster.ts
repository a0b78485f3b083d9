// What a look at workloads reads of a cluster, as far as its user may: what he may not is told, and the rest goes on.

import type { JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import type { Objects } from '../../webhook/kube/objects.ts'
import { OWN_NAMESPACE } from '../command/namespace.ts'
import { readConfigIn } from '../survey/cluster-config.ts'
import {
  NAMESPACES,
  PODS,
  readCollections,
  WORKLOADS,
  type Collection,
} from '../survey/collections.ts'

const NEEDED: readonly Collection[] = [
  { ...PODS, without: 'which run with the sidecar, and what it was told,' },
  ...WORKLOADS.map(({ group, resource }) => ({
    group,
    resource,
    without: `which ${resource} there are`,
  })),
]

const BESIDE = 'which companions stand beside workloads'
/** What the controller keeps, where the configuration asks for it. */
const COMPANIONS: readonly Collection[] = [
  { group: '/apis/networking.k8s.io/v1', resource: 'networkpolicies', without: BESIDE },
  { group: '/api/v1', resource: 'services', without: BESIDE },
]

export interface Standing {
  readonly objects: readonly JsonObject[]
  /** Undefined where nobody asks for any, or not all of them could be read. */
  readonly companions: readonly JsonObject[] | undefined
  /** Undefined where it cannot be read. */
  readonly config: ClusterConfig | undefined
  /** What is not known, and why. */
  readonly notes: readonly string[]
  /** Whether all pods and workloads were read, and what their namespaces ask for. */
  readonly isWhole: boolean
}

const companionsIn = async (
  cluster: Objects,
  config: ClusterConfig | undefined,
  namespace: string | undefined,
): Promise<Pick<Standing, 'companions' | 'notes'>> => {
  if (!config?.companions) return { companions: undefined, notes: [] }
  const { objects, notes, whys } = await readCollections(cluster, COMPANIONS, namespace)
  return { companions: whys.length === 0 ? objects : undefined, notes }
}

/** One namespace's, or everybody's; the error is where nothing at all could be read, or there is no such namespace. */
export const readStanding = async (
  cluster: Objects,
  namespace: string | undefined,
): Promise<Result<Standing, readonly string[]>> => {
  const { notes, objects, whys } = await readCollections(cluster, NEEDED, namespace)
  if (whys.length === NEEDED.length) return fail([...new Set(whys)])
  const around = await readCollections(cluster, [NAMESPACES], namespace)
  if (around.errors.length > 0) return fail(around.errors)
  const config = await readConfigIn(cluster, OWN_NAMESPACE)
  const beside = await companionsIn(cluster, config.ok ? config.value : undefined, namespace)
  const unconfigured = config.ok
    ? []
    : [`whether sidecars are those of the configuration is not known: ${config.error}`]
  return ok({
    objects: [...objects, ...around.objects],
    config: config.ok ? config.value : undefined,
    companions: beside.companions,
    notes: [...notes, ...around.notes, ...unconfigured, ...beside.notes],
    isWhole: notes.length + around.notes.length === 0,
  })
}
