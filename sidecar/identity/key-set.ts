// Keys that verify tokens, as somebody has published them together, and which of them is meant by a token.

import type { JsonObject } from '../../shared/json.ts'
import { keyKindOf } from './algorithms.ts'
import { importKey } from './jose.ts'
import type { UnverifiedToken } from './token.ts'
import type { Result } from '../../shared/result.ts'
import type { Unserved, WhenGone } from './waiting.ts'

export type PublicKey = NonNullable<Awaited<ReturnType<typeof importKey>>>

export interface KeySet {
  readonly jwks: readonly JsonObject[]
  /** By algorithm and place in the list. */
  readonly imported: Map<string, Promise<PublicKey | undefined>>
}

export interface FoundKey {
  readonly key: PublicKey
  /** What was verified by it is believed while this set is the current one. */
  readonly set: KeySet
}

/** `unavailable`: it cannot be told now; `unknown`: nobody has published such a key. */
export type NoKey =
  | { readonly kind: 'unavailable'; readonly retryMs: number }
  | { readonly kind: 'unknown' }
  | Unserved

/** How a token names its key. */
export type KeyName = Pick<UnverifiedToken, 'alg' | 'kid'>

/** Who has keys, and says which of them serve now. */
export interface Keys {
  find(token: KeyName, whenGone: WhenGone): Promise<Result<FoundKey, NoKey>>
  /** Whether a set is the one that serves (still); `nowMs`: monotonic. */
  serves(set: KeySet, nowMs: number): boolean
}

/** `use`: what a key is for; one that does not say is for `sig`. */
const isFor = (jwk: JsonObject, { alg, kid }: KeyName, use: string): boolean => {
  const { kty, crv } = keyKindOf(alg)
  return (
    jwk['kty'] === kty &&
    (crv === undefined || jwk['crv'] === crv) &&
    (jwk['use'] ?? 'sig') === use &&
    (jwk['alg'] ?? alg) === alg &&
    (kid === undefined || jwk['kid'] === kid)
  )
}

export const keyAmong = async (
  set: KeySet,
  token: KeyName,
  use = 'sig',
): Promise<FoundKey | undefined> => {
  const right = set.jwks.flatMap((jwk, index) => (isFor(jwk, token, use) ? [index] : []))
  const [index] = right
  // Without a name only one can be meant.
  if (index === undefined || right.length > 1) return undefined
  const name = `${token.alg} ${index}`
  const importing = set.imported.get(name) ?? importKey(set.jwks[index] ?? {}, token.alg)
  set.imported.set(name, importing)
  const key = await importing
  return key && { key, set }
}

/** What they are, in whatever order: some list the same keys now in this order, now in that. */
export const textOf = (jwks: readonly JsonObject[]): string =>
  JSON.stringify(jwks.map((jwk) => JSON.stringify(jwk)).toSorted())
