// What one rendering is about: the pod as it came, its surroundings and its resolved settings.

import type { ClusterConfig } from '../cluster/config.ts'
import type { JsonObject } from '../../shared/json.ts'
import type { Namespace } from '../cluster/namespace.ts'
import type { Resolution } from '../settings/resolve.ts'

/** The workload that a pod belongs to, where the caller knows it. */
export interface Workload {
  readonly kind: string
  readonly name: string
}

export interface Subject {
  readonly pod: JsonObject
  readonly namespace: Namespace
  readonly config: ClusterConfig
  readonly workload: Workload | undefined
  readonly resolution: Resolution
}
