// Which bundle of a trust domain may follow which: an older one, as who is behind may still have it, would bring back keys
// that have gone. The highest sequence counts as long as the process lives, whether a bundle of it still holds or not. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'
import type { SpiffeBundle } from '../../shared/spiffe-bundle.ts'

const REMEDY = 'where the trust domain has begun anew, begin this server anew, too'

export class BundleSequence {
  private highest: number | undefined

  /** The same, or why it is not taken. */
  follow(bundle: SpiffeBundle): Result<SpiffeBundle, string> {
    const { highest } = this
    const { sequence } = bundle
    if (highest !== undefined && sequence === undefined) {
      return fail(`it has no spiffe_sequence, and the one before had ${highest}; ${REMEDY}`)
    }
    if (highest !== undefined && sequence !== undefined && sequence < highest) {
      return fail(
        `it is older than one before (spiffe_sequence ${sequence}, not ${highest}); ${REMEDY}`,
      )
    }
    this.highest = sequence
    return ok(bundle)
  }
}
