// What is decided on a workload: its template is written, or it is left as it came, or it is
// refused. Codes are stable (metric label, audit annotation, test row).

import type { Deny } from '../inject/outcome.ts'
import type { Operation } from '../inject/patch.ts'

export interface Propagate {
  readonly kind: 'propagate'
  readonly patch: readonly Operation[]
  readonly warnings: readonly string[]
}

export interface Leave {
  readonly kind: 'skip'
  readonly reason:
    | 'unchanged'
    /** Another object controls it and writes its template. */
    | 'controlled'
    | 'being-deleted'
    /** The template of a Job that exists. */
    | 'immutable'
    | 'no-template'
    | 'system-namespace'
  readonly warnings: readonly string[]
}

export type WorkloadOutcome = Propagate | Leave | Deny
