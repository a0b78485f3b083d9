// The pods of a cluster, read live where a decision needs one: nothing of them is kept.

import type { JsonObject } from '../../shared/json.ts'
import type { Asker } from './asker.ts'

export interface RunningPods {
  /** Those of a namespace, as the API server pages them, as long as somebody waits; fails where they are too much to read. */
  list(namespace: string, signal: AbortSignal): AsyncIterable<JsonObject>
  /** Whether somebody could list those of a namespace himself. */
  mayList(namespace: string, asker: Asker): Promise<boolean>
  /** Undefined: there is none of that name; fails where it is too much to read. */
  get(namespace: string, name: string): Promise<JsonObject | undefined>
}
