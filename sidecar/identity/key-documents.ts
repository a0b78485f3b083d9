// Where an issuer's keys are (OpenID Connect Discovery 1.0; RFC 8414, section 3) and what they are. A document that names
// another issuer counts for nothing.

import { stringAt, type JsonObject } from '../../shared/json.ts'
import { keysIn } from '../../shared/json-web-keys.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { FetchJson, FetchRules, AllowedHost } from './fetch-json.ts'

export interface Issuer {
  /** To the letter as tokens name it. */
  readonly url: string
  readonly hosts: readonly AllowedHost[]
  /** The authorities of its certificates; absent: the usual ones. */
  readonly ca?: string | undefined
}

/** So long the place of the keys is believed; it is asked for anew after a failure, too. */
const PLACE_MS = 5 * 60_000
/** For all documents of one fetch together. */
const DEADLINE_MS = 8000
const MAX_TOLD = 300

/** Where an issuer may describe itself, in the order in which that is asked. */
export const metadataUrls = (issuer: string): readonly string[] => {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
    ...(path === '' ? [] : [`${origin}/.well-known/openid-configuration${path}`]),
  ]
}

export interface KeyDocumentsOptions {
  readonly issuer: Issuer
  readonly fetchJson: FetchJson
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export class KeyDocuments {
  private readonly options: KeyDocumentsOptions
  private place: { readonly url: string; readonly foundMs: number } | undefined

  constructor(options: KeyDocumentsOptions) {
    this.options = options
  }

  /** The keys that the issuer publishes now: what of them is read. */
  async fetch(): Promise<Result<readonly JsonObject[], string>> {
    const { issuer, fetchJson } = this.options
    const { hosts, ca } = issuer
    const rules = { hosts, ca, signal: AbortSignal.timeout(DEADLINE_MS) }
    const place = await this.placeNow(rules)
    if (!place.ok) return place
    const document = await fetchJson(place.value, rules)
    const keys = document.ok ? keysIn(document.value) : []
    if (keys.length > 0) return ok(keys)
    this.place = undefined
    const why = document.ok ? 'it holds no keys' : document.error
    return fail(`${place.value.slice(0, MAX_TOLD)}: ${why}`)
  }

  private async placeNow(rules: FetchRules): Promise<Result<string, string>> {
    const { now } = this.options
    if (this.place && now() - this.place.foundMs < PLACE_MS) return ok(this.place.url)
    const found = await this.find(rules)
    if (found.ok) this.place = { url: found.value, foundMs: now() }
    return found
  }

  private async find(rules: FetchRules): Promise<Result<string, string>> {
    const { issuer, fetchJson } = this.options
    const faults: string[] = []
    for (const url of metadataUrls(issuer.url)) {
      // One after the other: the second is asked only where the first has nothing.
      // oxlint-disable-next-line no-await-in-loop
      const document = await fetchJson(url, rules)
      const place = document.ok ? placeIn(document.value, issuer) : document
      if (place.ok) return place
      faults.push(`${url}: ${place.error}`)
    }
    return fail(faults.join('; '))
  }
}

/** Where the keys are, by a document that is the issuer's own. */
const placeIn = (document: JsonObject, { url }: Issuer): Result<string, string> => {
  const place = stringAt(document, 'jwks_uri')
  if (stringAt(document, 'issuer') !== url) return fail('it names another issuer')
  return place === undefined ? fail('it names no jwks_uri') : ok(place)
}
