// Where an issuer's keys are (OpenID Connect Discovery 1.0; RFC 8414, section 3) and what they are. A document that names
// another issuer counts for nothing.

import { arrayAt, isObject, stringAt, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { FetchJson, IssuerHost } from './fetch-json.ts'

export interface Issuer {
  /** To the letter as tokens name it. */
  readonly url: string
  readonly hosts: readonly IssuerHost[]
}

const MAX_KEYS = 64

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

const keysUrl = async (
  { url, hosts }: Issuer,
  fetchJson: FetchJson,
): Promise<Result<string, string>> => {
  const faults: string[] = []
  for (const place of metadataUrls(url)) {
    // One after the other: the second is asked only where the first has nothing.
    // oxlint-disable-next-line no-await-in-loop
    const found = await fetchJson(place, hosts)
    if (!found.ok) {
      faults.push(`${place}: ${found.error.why}`)
      continue
    }
    const keys = stringAt(found.value, 'jwks_uri')
    if (stringAt(found.value, 'issuer') !== url) faults.push(`${place}: it names another issuer`)
    else if (keys === undefined) faults.push(`${place}: it names no jwks_uri`)
    else return ok(keys)
  }
  return fail(faults.join('; '))
}

/** The keys that an issuer publishes now, as they came. */
export const fetchKeys = async (
  issuer: Issuer,
  fetchJson: FetchJson,
): Promise<Result<readonly JsonObject[], string>> => {
  const place = await keysUrl(issuer, fetchJson)
  if (!place.ok) return place
  const document = await fetchJson(place.value, issuer.hosts)
  if (!document.ok) return fail(`${place.value.slice(0, 300)}: ${document.error.why}`)
  const keys = (arrayAt(document.value, 'keys') ?? []).filter(isObject)
  return keys.length === 0 ? fail(`${place.value}: it holds no keys`) : ok(keys.slice(0, MAX_KEYS))
}
