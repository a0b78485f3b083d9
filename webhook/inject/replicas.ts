// Whether the pods of a workload hand calls to each other, each to the one that holds their session: those that may be several, where
// the controller keeps a Service that names them and the Secret by which they know each other. Pure.

import { REPLICAS_DIR } from '../../shared/names.ts'
import { at, type JsonObject } from '../../shared/json.ts'
import type { SidecarDocument } from '../../shared/sidecar-config.ts'
import { companionName, HEADLESS } from '../cluster/companion-name.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { workloadOf } from './server-label.ts'
import type { Workload } from './subject.ts'

/** A Job's pods end with their work, and a pod of nobody's is alone. */
const OF_SEVERAL: ReadonlySet<string> = new Set([
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'ReplicationController',
])

export interface ReplicaParts {
  readonly pod: JsonObject
  readonly workload: Workload | undefined
  readonly label: string
  /** Of the pod's namespace. */
  readonly namespace: string
  readonly config: Pick<ClusterConfig, 'companions'>
}

/** What the sidecar is told of it. On the node's own network a pod has no companions. */
export const replicasIn = ({
  pod,
  workload,
  label,
  namespace,
  config: { companions },
}: ReplicaParts): Pick<SidecarDocument, 'replicas'> => {
  const isAlone =
    !OF_SEVERAL.has(workloadOf(pod, workload).kind) || at(pod, 'spec', 'hostNetwork') === true
  if (isAlone || companions?.replicas !== true) return {}
  const service = `${companionName(label, HEADLESS)}.${namespace}.svc`
  return { replicas: { service, keys: REPLICAS_DIR } }
}
