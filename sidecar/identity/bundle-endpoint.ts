// A trust domain's bundle from an endpoint (SPIFFE Federation): asked for again and again, as often as the bundle itself says,
// whoever calls. While the endpoint is away the last bundle serves until its time; after that, and before there is one, nobody
// is believed by it but the endpoint itself, where that shows an SVID (https_spiffe).

import type { JsonObject } from '../../shared/json.ts'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import { fail, type Result } from '../../shared/result.ts'
import { bundleIn, type SpiffeBundle } from '../../shared/spiffe-bundle.ts'
import { BundleSequence } from './bundle-sequence.ts'

/** As often as is usual, and however often a bundle says, never more or less often. */
const USUAL_SECONDS = 300
const LEAST_SECONDS = 5
/** After a failure. */
const FAILING_MS = 5000
const LIFETIME_MS = 60 * 60_000

export interface BundleEndpointOptions {
  readonly name: string
  readonly url: string
  /** `standing`: the bundle that was had last, else the first one. */
  readonly fetch: (standing: SpiffeBundle | undefined) => Promise<Result<JsonObject, string>>
  /** What the endpoint is believed by before there is another; absent: it needs none. */
  readonly first?: SpiffeBundle | undefined
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly log: Log
}

interface Taken {
  readonly bundle: SpiffeBundle
  readonly atMs: number
}

export class BundleEndpoint {
  private readonly options: BundleEndpointOptions
  private readonly sequence = new BundleSequence()
  private taken: Taken | undefined
  /** Why the last fetch failed. */
  private fault: string | undefined
  private timer: NodeJS.Timeout | undefined
  private isClosed = false

  constructor(options: BundleEndpointOptions) {
    this.options = options
    // Nothing has gone before it, so that it is taken.
    if (options.first) this.sequence.follow(options.first)
  }

  current(): SpiffeBundle | undefined {
    const { taken } = this
    return taken && this.options.now() - taken.atMs < LIFETIME_MS ? taken.bundle : undefined
  }

  /** Asks for it; how long to wait until the next time. */
  async look(): Promise<number> {
    const standing = this.taken?.bundle ?? this.options.first
    const found = await this.options
      .fetch(standing)
      .catch((error: unknown) => fail(messageOf(error)))
    const read = found.ok ? bundleIn(found.value) : found
    const taken = read.ok ? this.take(read.value) : read
    this.tell(taken.ok ? undefined : this.faultOf(taken.error))
    if (!taken.ok) return FAILING_MS
    const { refreshSeconds = USUAL_SECONDS } = taken.value
    return Math.min(Math.max(refreshSeconds, LEAST_SECONDS), USUAL_SECONDS) * 1000
  }

  /** Looks now, then again and again, until `close`; hears of each look. */
  async follow(onLook: () => void): Promise<void> {
    const waitMs = await this.look()
    if (this.isClosed) return
    onLook()
    this.timer = setTimeout(() => void this.follow(onLook), waitMs)
    // Nothing is kept running by it.
    this.timer.unref()
  }

  close(): void {
    this.isClosed = true
    clearTimeout(this.timer)
  }

  private take(bundle: SpiffeBundle): Result<SpiffeBundle, string> {
    const next = this.sequence.follow(bundle)
    if (!next.ok) return next
    const before = this.current()
    this.taken = { bundle, atMs: this.options.now() }
    const { name, url, log } = this.options
    const isNew = before === undefined || JSON.stringify(before) !== JSON.stringify(bundle)
    if (isNew) {
      const { sequence, jwtKeys } = bundle
      log.info('a trust domain has a bundle that is new here', {
        trustDomain: name,
        url,
        sequence,
        jwtKeys: jwtKeys.length,
      })
    }
    return next
  }

  /** It is another when the last bundle's time has come. */
  private faultOf(why: string): string {
    const isOver = this.taken !== undefined && this.current() === undefined
    return isOver ? `${why}; the last one is too old, and nobody is let in by it` : why
  }

  /** A fault is told when it is new, and its end. */
  private tell(fault: string | undefined): void {
    const { name, url, log } = this.options
    if (fault !== undefined && fault !== this.fault) {
      log.warn('the bundle of a trust domain cannot be fetched; it is tried again', {
        trustDomain: name,
        url,
        why: fault,
      })
    } else if (fault === undefined && this.fault !== undefined) {
      log.info('the bundle of a trust domain can be fetched again', { trustDomain: name, url })
    }
    this.fault = fault
  }
}
