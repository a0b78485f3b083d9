// The pods of a cluster, read live where a decision needs one: nothing of them is kept.

import type { JsonObject } from '../../shared/json.ts'

export interface RunningPods {
  /** Those of a namespace, as the API server pages them. */
  list(namespace: string): AsyncIterable<JsonObject>
  /** Undefined: there is none of that name. */
  get(namespace: string, name: string): Promise<JsonObject | undefined>
}
