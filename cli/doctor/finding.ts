// What a check has come to.

import type { Result } from '../../shared/result.ts'
import type { Unlisted } from '../../webhook/kube/objects.ts'

/** `unread`: what it is about could not be read, so that nothing is known of it. */
export const VERDICTS = ['fault', 'unread', 'warning', 'ok'] as const
export type Verdict = (typeof VERDICTS)[number]

export interface Finding {
  readonly check: string
  readonly verdict: Verdict
  readonly what: string
  /** What to do; undefined where nothing is to be done. */
  readonly advice?: string
}

/** An object or a collection as it was read, or why it was not. */
export type Read<T> = Result<T, Unlisted>

const WITHOUT_RIGHTS = 'ask as somebody who may read it, or have the right granted'

/** A check's findings under its name. */
export const namedBy = (check: string) => ({
  ok: (what: string): Finding => ({ check, verdict: 'ok', what }),
  fault: (what: string, advice: string): Finding => ({ check, verdict: 'fault', what, advice }),
  warning: (what: string, advice: string): Finding => ({ check, verdict: 'warning', what, advice }),
  unread: (what: string, why: string, advice = WITHOUT_RIGHTS): Finding => ({
    check,
    verdict: 'unread',
    what: `${what} cannot be read: ${why}`,
    advice,
  }),
})
