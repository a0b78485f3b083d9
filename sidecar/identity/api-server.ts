// The keys of the cluster's own issuer, as the API server publishes them (ServiceAccount issuer discovery): asked there
// alone, whatever address its document names for them, with the token and the authority of the sidecar's own mount. The
// role for it is bound to every ServiceAccount by default.

import { join } from 'node:path'
import { stringAt, type JsonObject } from '../../shared/json.ts'
import { keysIn } from '../../shared/json-web-keys.ts'
import { CA_KEY, TOKEN_KEY } from '../../shared/names.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { FetchJson, FetchRules } from './fetch-json.ts'
import { mountedText } from './mounted-text.ts'

const MAX_TOKEN_BYTES = 16 * 1024
const MAX_CA_BYTES = 256 * 1024
/** For both documents together. */
const DEADLINE_MS = 8000

export interface ApiServerOptions {
  /** To the letter as tokens name the cluster's own issuer. */
  readonly issuer: string
  readonly url: string
  /** Where the token and the authority are mounted. */
  readonly dir: string
  readonly fetchJson: FetchJson
}

const rulesFor = async ({ url, dir }: ApiServerOptions): Promise<Result<FetchRules, string>> => {
  const token = await mountedText(join(dir, TOKEN_KEY), MAX_TOKEN_BYTES)
  if (!token.ok) return token
  const ca = await mountedText(join(dir, CA_KEY), MAX_CA_BYTES)
  if (!ca.ok) return ca
  return ok({
    hosts: [{ host: new URL(url).host, reach: 'private' }],
    authorization: `Bearer ${token.value}`,
    ca: ca.value,
    signal: AbortSignal.timeout(DEADLINE_MS),
  })
}

/** The keys that sign ServiceAccount tokens now, where the API server's issuer is the one that is trusted. */
export const apiServerKeys = async (
  options: ApiServerOptions,
): Promise<Result<readonly JsonObject[], string>> => {
  const { issuer, url, fetchJson } = options
  const rules = await rulesFor(options)
  if (!rules.ok) return rules
  const place = `${url}/.well-known/openid-configuration`
  const document = await fetchJson(place, rules.value)
  if (!document.ok) return fail(`${place}: ${document.error}`)
  const named = stringAt(document.value, 'issuer')
  if (named !== issuer) {
    return fail(`${place}: the cluster's own issuer is ${String(named).slice(0, 256)}`)
  }
  const found = await fetchJson(`${url}/openid/v1/jwks`, rules.value)
  const keys = found.ok ? keysIn(found.value) : []
  return keys.length > 0
    ? ok(keys)
    : fail(`${url}/openid/v1/jwks: ${found.ok ? 'it holds no keys' : found.error}`)
}
