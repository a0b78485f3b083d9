// The caller that a token's claims would make, as the sidecar reads them. Pure.

import { arrayAt, isObject, stringAt, stringsAt, type JsonObject } from '../../shared/json.ts'
import type { Caller } from '../../shared/policy/caller.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

/** A text taken apart, or a list of texts; undefined where it is neither. */
const wordsAt = (claims: JsonObject, name: string): readonly string[] | undefined => {
  if (claims[name] === undefined) return []
  const text = stringAt(claims, name)
  return text === undefined ? stringsAt(claims, name) : text.split(' ').filter((one) => one !== '')
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The error is a sentence. */
export const readCaller = (text: string): Result<Caller, string> => {
  const claims = parsed(text)
  if (!isObject(claims)) {
    return fail(
      'must be the claims as a JSON object, such as {"iss":"https://idp.example","sub":"alice"}',
    )
  }
  const [issuer, subject] = [stringAt(claims, 'iss'), stringAt(claims, 'sub')]
  if (issuer === undefined || subject === undefined) return fail('needs the claims iss and sub')
  const scopes = wordsAt(claims, claims['scope'] === undefined ? 'scp' : 'scope')
  const groups = arrayAt(claims, 'groups') ? stringsAt(claims, 'groups') : []
  if (!scopes || !groups) return fail('its scope or its groups are no strings')
  const client = stringAt(claims, 'client_id') ?? stringAt(claims, 'azp')
  return ok({ issuer, subject, client, scopes, groups })
}
