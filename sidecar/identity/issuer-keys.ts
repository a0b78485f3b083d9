// The keys of one issuer: fetched when they are first needed, fetched again in the background while they serve, and at
// once for a key that nobody has seen. One fetch at a time, the next after a pause, which grows while nothing new comes of
// it: who needs a new key meanwhile waits for it and is not refused. While an issuer is away its last keys serve until
// their time.

import type { JsonObject } from '../../shared/json.ts'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
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
import { Waiting, type Room, type WhenGone } from './waiting.ts'

const REFRESH_MS = 5 * 60_000
const LIFETIME_MS = 60 * 60_000
/** Between two fetches: at least, and at most. Whoever floods us with unknown keys makes who has a new one wait so long, and us ask six times a minute. */
const PAUSE_MS = 2000
const MAX_PAUSE_MS = 10_000
/** After so long without a fetch the next one's pause is the least again; a pause that ends late is none of that. */
const CALM_MS = 2 * MAX_PAUSE_MS

export interface IssuerKeysOptions {
  readonly issuer: string
  /** What the issuer publishes now, or why that cannot be had. */
  readonly fetch: () => Promise<Result<readonly JsonObject[], string>>
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<unknown>
  readonly log: Log
  /** Bounds who waits for keys. */
  readonly crowd: Room
}

interface DatedKeys extends KeySet {
  fetchedMs: number
}

export class IssuerKeys implements Keys {
  private readonly options: IssuerKeysOptions
  private keys: DatedKeys | undefined
  private triedMs = -Infinity
  private pauseMs = PAUSE_MS
  private fetching: Promise<void> | undefined
  /** The running fetch has left us: what the issuer publishes from now on it may miss. */
  private isOnWire = false
  /** Why the last fetch failed. */
  private fault: string | undefined
  private readonly waiting: Waiting

  constructor(options: IssuerKeysOptions) {
    this.options = options
    this.waiting = new Waiting(options.crowd)
  }

  /** The set that serves now. */
  get current(): KeySet | undefined {
    return this.currentAt(this.options.now())
  }

  /** Whether a set is the one that serves (still); asks for the keys anew where it is time, without anybody waiting. */
  serves(set: KeySet, nowMs: number): boolean {
    this.refresh(nowMs)
    return set === this.currentAt(nowMs)
  }

  async find(token: KeyName, whenGone: WhenGone): Promise<Result<FoundKey, NoKey>> {
    this.refresh(this.options.now())
    const known = await this.among(token)
    if (known) return ok(known)
    const { isOnWire } = this
    const found = await this.afterFetch(token, whenGone)
    const isAgain = isOnWire && !found.ok && found.error.kind === 'unknown'
    return isAgain ? this.afterFetch(token, whenGone) : found
  }

  private currentAt(nowMs: number): DatedKeys | undefined {
    const { keys } = this
    return keys && nowMs - keys.fetchedMs < LIFETIME_MS ? keys : undefined
  }

  private refresh(nowMs: number): void {
    const { keys } = this
    const isOld = keys !== undefined && nowMs - keys.fetchedMs > REFRESH_MS
    if (isOld && this.pauseLeftMs <= 0) void this.fetch()
  }

  private get pauseLeftMs(): number {
    return this.triedMs + this.pauseMs - this.options.now()
  }

  private unavailable(): Result<never, NoKey> {
    return fail({ kind: 'unavailable', retryMs: Math.max(this.pauseLeftMs, 1000) })
  }

  private async afterFetch(token: KeyName, whenGone: WhenGone): Promise<Result<FoundKey, NoKey>> {
    const waiting = this.waiting.wait(whenGone)
    void this.fetch()
    const waited = await waiting
    if (waited !== 'woken') return fail({ kind: waited })
    const found = await this.among(token)
    if (found) return ok(found)
    return this.fault === undefined ? fail({ kind: 'unknown' }) : this.unavailable()
  }

  private async among(token: KeyName): Promise<FoundKey | undefined> {
    const { current: set } = this
    return set && keyAmong(set, token)
  }

  private fetch(): Promise<void> {
    this.fetching ??= this.fetchOnce()
    return this.fetching
  }

  private async fetchOnce(): Promise<void> {
    const { now, sleep, fetch } = this.options
    const { pauseLeftMs } = this
    if (pauseLeftMs > 0) await sleep(pauseLeftMs)
    const isCalm = now() - this.triedMs > CALM_MS
    this.triedMs = now()
    this.isOnWire = true
    // Whoever waits must be woken, whatever happens.
    const found = await fetch().catch((error: unknown) => fail(messageOf(error)))
    this.isOnWire = false
    const isNew = found.ok && this.take(found.value)
    this.pauseMs = isNew || isCalm ? PAUSE_MS : Math.min(this.pauseMs * 2, MAX_PAUSE_MS)
    this.tell(found.ok ? undefined : found.error)
    this.fetching = undefined
    this.waiting.wakeAll()
  }

  /** Whether they are not those that we had. */
  private take(jwks: readonly JsonObject[]): boolean {
    const fetchedMs = this.options.now()
    if (this.keys && textOf(this.keys.jwks) === textOf(jwks)) {
      this.keys.fetchedMs = fetchedMs
      return false
    }
    this.keys = { jwks, fetchedMs, imported: new Map() }
    const { issuer, log } = this.options
    log.info('an issuer has keys that are new here', { issuer, keys: jwks.length })
    return true
  }

  /** A fault is told when it is new, and its end. */
  private tell(fault: string | undefined): void {
    const { issuer, log } = this.options
    if (fault !== undefined && fault !== this.fault) {
      log.warn('the keys of an issuer cannot be fetched; it is tried again', { issuer, why: fault })
    } else if (fault === undefined && this.fault !== undefined) {
      log.info('the keys of an issuer can be fetched again', { issuer })
    }
    this.fault = fault
  }
}
