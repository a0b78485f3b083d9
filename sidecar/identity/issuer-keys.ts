// The keys of one issuer: fetched when they are first needed, fetched again in the background while they serve, and at
// once for a key that nobody has seen. One fetch at a time, the next no sooner than a pause after the last: who needs a
// new key meanwhile waits for it and is not refused. While an issuer is away its last keys serve until their time.

import type { JsonObject } from '../../shared/json.ts'
import type { Log } from '../../shared/log.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { FetchJson } from './fetch-json.ts'
import { importKey } from './jose.ts'
import { fetchKeys, type Issuer } from './key-documents.ts'
import type { UnverifiedToken } from './token.ts'

const REFRESH_MS = 5 * 60_000
const LIFETIME_MS = 60 * 60_000
const PAUSE_MS = 2000
/** Who waits for a fetch beyond this number is told to come again. */
const MAX_WAITING = 256

export type PublicKey = NonNullable<Awaited<ReturnType<typeof importKey>>>

export interface IssuerKeysOptions {
  readonly issuer: Issuer
  readonly fetchJson: FetchJson
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<unknown>
  readonly log: Log
}

interface KeySet {
  readonly jwks: readonly JsonObject[]
  fetchedMs: number
  /** By algorithm and place in the list. */
  readonly imported: Map<string, Promise<PublicKey | undefined>>
}

/** `unavailable`: it cannot be told now; `unknown`: the issuer has no such key. */
export type NoKey = 'unavailable' | 'unknown'

const KINDS: Readonly<Record<string, string>> = { R: 'RSA', P: 'RSA', E: 'EC' }

const isFor = (jwk: JsonObject, { alg, kid }: UnverifiedToken): boolean => {
  const kind = alg.startsWith('Ed') ? 'OKP' : KINDS[alg.slice(0, 1)]
  return (
    jwk['kty'] === kind &&
    (jwk['use'] ?? 'sig') === 'sig' &&
    (jwk['alg'] ?? alg) === alg &&
    (kid === undefined || jwk['kid'] === kid)
  )
}

export class IssuerKeys {
  private readonly options: IssuerKeysOptions
  private keys: KeySet | undefined
  private triedMs = -Infinity
  private fetching: Promise<void> | undefined
  private isReachable = true
  private waiting = 0

  constructor(options: IssuerKeysOptions) {
    this.options = options
  }

  /** The set that serves now; what was verified by a key of another is not believed any more. */
  get current(): object | undefined {
    return this.living
  }

  /** Asks for the keys anew where it is time, without anybody waiting. */
  refresh(): void {
    const { now } = this.options
    if (this.living && now() - this.living.fetchedMs > REFRESH_MS) void this.fetch()
  }

  async find(token: UnverifiedToken): Promise<Result<PublicKey, NoKey>> {
    this.refresh()
    const known = await this.among(this.living, token)
    if (known) return ok(known)
    if (this.waiting >= MAX_WAITING) return fail('unavailable')
    this.waiting++
    try {
      await this.fetch()
    } finally {
      this.waiting--
    }
    const found = await this.among(this.living, token)
    if (found) return ok(found)
    return fail(this.isReachable ? 'unknown' : 'unavailable')
  }

  private get living(): KeySet | undefined {
    const { keys } = this
    return keys && this.options.now() - keys.fetchedMs < LIFETIME_MS ? keys : undefined
  }

  private among(
    keys: KeySet | undefined,
    token: UnverifiedToken,
  ): Promise<PublicKey | undefined> | undefined {
    const right = (keys?.jwks ?? []).flatMap((jwk, index) => (isFor(jwk, token) ? [index] : []))
    const [index] = right
    // Without a name only one can be meant.
    if (!keys || index === undefined || right.length > 1) return undefined
    const name = `${token.alg} ${index}`
    const key = keys.imported.get(name) ?? importKey(keys.jwks[index] ?? {}, token.alg)
    keys.imported.set(name, key)
    return key
  }

  private fetch(): Promise<void> {
    this.fetching ??= this.fetchOnce().finally(() => {
      this.fetching = undefined
    })
    return this.fetching
  }

  private async fetchOnce(): Promise<void> {
    const { issuer, fetchJson, now, sleep, log } = this.options
    const pauseMs = this.triedMs + PAUSE_MS - now()
    if (pauseMs > 0) await sleep(pauseMs)
    this.triedMs = now()
    const found = await fetchKeys(issuer, fetchJson)
    this.isReachable = found.ok
    if (found.ok) this.take(found.value)
    else
      log.warn('the keys of an issuer cannot be fetched', { issuer: issuer.url, why: found.error })
  }

  private take(jwks: readonly JsonObject[]): void {
    const fetchedMs = this.options.now()
    const isSame = this.keys && JSON.stringify(this.keys.jwks) === JSON.stringify(jwks)
    if (this.keys && isSame) this.keys.fetchedMs = fetchedMs
    else this.keys = { jwks, fetchedMs, imported: new Map() }
  }
}
