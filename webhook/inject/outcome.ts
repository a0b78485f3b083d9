// What render decides: inject, skip or deny. Codes are stable (metric label, audit annotation,
// test row); messages may change.

import type { Violation } from '../settings/violation.ts'
import type { Operation } from './patch.ts'
import type { JsonObject } from '../../shared/json.ts'

/** Why a pod is left alone: code to sentence. */
export const SKIP_REASONS = {
  'not-opted-in':
    'nothing opts this pod in: set the annotation outrigger.dev/inject: "true" on it, or the label outrigger.dev/injection=enabled on its namespace',
  'opted-out': 'outrigger.dev/inject is "false"',
  'system-namespace': 'the namespace belongs to the system or to Outrigger itself',
  'mirror-pod': 'a mirror of a static pod cannot be changed',
  'no-server': 'the namespace opts in, but no MCP server can be found in this pod',
} as const
export type SkipReason = keyof typeof SKIP_REASONS

export interface Inject {
  readonly kind: 'inject'
  readonly pod: JsonObject
  /** Name of the server's container. */
  readonly server: string
  /** The server may have a token for the Kubernetes API. */
  readonly mayHaveToken: boolean
  /** The Secret of the certificate that the server shows itself, where it speaks TLS. */
  readonly ownCertificate: string | undefined
  /** The server is kept to its `egress`. */
  readonly isEgressEnforced: boolean
  /** What makes it of the pod that came; none where nothing is to be written. */
  readonly patch: readonly Operation[]
  readonly warnings: readonly string[]
}
export interface Skip {
  readonly kind: 'skip'
  readonly reason: SkipReason
  readonly warnings: readonly string[]
}
export interface Deny {
  readonly kind: 'deny'
  /** The pod with what injection fills in, whatever else is wrong with it; undefined where it cannot be read. */
  readonly filled?: JsonObject
  readonly violations: readonly Violation[]
  readonly warnings: readonly string[]
}
export type Outcome = Inject | Skip | Deny
