// What an issuer is asked for when a token is exchanged, and what its answer has to be (RFC 8693, sections 2.1 and 2.2). Pure.

import { at, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Asked } from '../../shared/token-exchange.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
/** What the shim takes. */
const MAX_BYTES = 16_384
const MAX_SECONDS = 86_400

/** The form by which one is asked for. */
export const exchangeForm = (subject: string, { audiences, resources, scopes }: Asked): string =>
  new URLSearchParams([
    ...Object.entries({
      grant_type: GRANT,
      subject_token: subject,
      subject_token_type: ACCESS_TOKEN,
      requested_token_type: ACCESS_TOKEN,
      ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    }),
    ...audiences.map((one): [string, string] => ['audience', one]),
    ...resources.map((one): [string, string] => ['resource', one]),
  ]).toString()

export interface Issued {
  readonly token: string
  readonly lifeMs: number
}

const tokenFault = (token: unknown, subject: string): string | undefined => {
  if (typeof token !== 'string' || !/^[!-~]+$/.test(token)) return 'access_token is no token'
  if (token.length > MAX_BYTES) return `access_token is longer than ${MAX_BYTES} bytes`
  return token === subject ? 'access_token is the very one that was to be exchanged' : undefined
}

/** The token that an answer holds; the error is a sentence that says nothing of it. */
export const issuedToken = (answer: JsonObject, subject: string): Result<Issued, string> => {
  const token = at(answer, 'access_token')
  const type = at(answer, 'token_type')
  const seconds = at(answer, 'expires_in')
  const why = tokenFault(token, subject)
  if (why !== undefined || typeof token !== 'string') return fail(`its ${why ?? 'token is none'}`)
  if (at(answer, 'issued_token_type') !== ACCESS_TOKEN) {
    return fail(`its issued_token_type is not ${ACCESS_TOKEN}`)
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    return fail('its token_type is not Bearer: the process has nothing to prove a key with')
  }
  if (typeof seconds !== 'number' || !(seconds >= 1)) {
    return fail('its expires_in does not say for how long it is good')
  }
  return ok({ token, lifeMs: Math.min(seconds, MAX_SECONDS) * 1000 })
}
