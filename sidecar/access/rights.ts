// What a caller may beyond making the call at hand: asked while its session lives, of the policy that holds then.

import type { Result } from '../../shared/result.ts'

/** An answer without what its caller may not use; the error is why it cannot be told apart. */
export type Filter = (answer: string) => Result<string, string>

export interface Rights {
  /** Whether the server may ask this caller's client for something. */
  readonly mayBeAsked: (method: string) => boolean
  /** Whether the caller may hear of a resource that it has subscribed to. */
  readonly mayRead: (uri: string) => boolean
  /** For answers that say what there is; undefined for the others. */
  readonly filterOf: (method: string) => Filter | undefined
  /** The rule that denies this caller everything. */
  readonly blockedBy: () => string | undefined
}
