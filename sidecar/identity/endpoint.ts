// An endpoint of an issuer's that is asked by a form, by whoever has credentials there (RFC 6749, section 2.3.1).

import type { JsonObject } from '../../shared/json.ts'
import { fail, type Result } from '../../shared/result.ts'
import type { FetchJson, FetchRules } from './fetch-json.ts'

export interface Endpoint extends Pick<FetchRules, 'hosts' | 'ca'> {
  readonly url: string
  readonly fetchJson: FetchJson
  /** By what the issuer knows who asks, or why that cannot be had. */
  readonly authorization: () => Promise<Result<string, string>>
}

/** What it answers; the error says nothing of the form. */
export const askEndpoint = async (
  { url, hosts, ca, fetchJson, authorization }: Endpoint,
  form: string,
  maxBytes: number,
): Promise<Result<JsonObject, string>> => {
  const credentials = await authorization()
  if (!credentials.ok) return credentials
  // It has a time of its own for each document.
  const { signal } = new AbortController()
  const rules = { hosts, ca, signal, authorization: credentials.value, form, maxBytes }
  const found = await fetchJson(url, rules)
  return found.ok ? found : fail(`${url}: ${found.error}`)
}
