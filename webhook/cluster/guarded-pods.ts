// What somebody's NetworkPolicy is held against, read live where one is written: nothing of it is kept.

import type { JsonObject } from '../../shared/json.ts'

export interface GuardedPods {
  /** Whoever looks at both holds a turn meanwhile: there is one at a time, by turns between namespaces. */
  readonly turn: (namespace: string, signal: AbortSignal) => Promise<() => void>
  /** The injected ones of a namespace, as long as somebody waits; fails where they are too much to read. */
  readonly pods: (namespace: string, signal: AbortSignal) => AsyncIterable<JsonObject>
  /** The NetworkPolicies there that bear our label, in the same way. */
  readonly policies: (namespace: string, signal: AbortSignal) => AsyncIterable<JsonObject>
}
