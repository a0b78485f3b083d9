// The keys of a trust domain's JWT-SVIDs, as its bundle has them now. Somebody else follows the bundle: no token makes it be
// asked for, so that nobody who floods us with unknown keys delays anybody.

import type { SpiffeBundle } from '../../shared/spiffe-bundle.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import {
  keyAmong,
  textOf,
  type FoundKey,
  type KeyName,
  type Keys,
  type KeySet,
  type NoKey,
} from './key-set.ts'

/** Where there is no bundle yet, or no more: it is asked for again and again. */
const RETRY_MS = 5000

export class BundleKeys implements Keys {
  private readonly bundle: () => SpiffeBundle | undefined
  private seen: SpiffeBundle | undefined
  private set: KeySet | undefined

  constructor(bundle: () => SpiffeBundle | undefined) {
    this.bundle = bundle
  }

  async find(token: KeyName): Promise<Result<FoundKey, NoKey>> {
    const { current: set } = this
    if (!set) return fail({ kind: 'unavailable', retryMs: RETRY_MS })
    const found = await keyAmong(set, token, 'jwt-svid')
    return found ? ok(found) : fail({ kind: 'unknown' })
  }

  serves(set: KeySet): boolean {
    return set === this.current
  }

  /** What was verified by a key is believed on where a new bundle has the same keys. */
  private get current(): KeySet | undefined {
    const bundle = this.bundle()
    if (bundle === this.seen) return this.set
    this.seen = bundle
    const jwks = bundle?.jwtKeys
    if (!jwks) this.set = undefined
    else if (!this.set || textOf(this.set.jwks) !== textOf(jwks)) {
      this.set = { jwks, imported: new Map() }
    }
    return this.set
  }
}
