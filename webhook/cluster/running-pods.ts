// The pods of a cluster, read live where a decision needs one: nothing of them is kept.

import type { JsonObject } from '../../shared/json.ts'

export interface RunningPods {
  /** Those of a namespace, as the API server pages them, as long as somebody waits; fails where they are too much to read. */
  list(namespace: string, signal: AbortSignal): AsyncIterable<JsonObject>
  /** Undefined: there is none of that name; fails where it is too much to read. */
  get(namespace: string, name: string): Promise<JsonObject | undefined>
}
