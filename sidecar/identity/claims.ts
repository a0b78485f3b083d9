// What the claims of a token that has been verified make of its bearer. Pure.

import { numberAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Identity } from '../access/principal.ts'
import { SKEW_SECONDS } from './jose.ts'

const MAX_CHARACTERS = 1024
const MAX_SCOPES = 256

/** The scopes of RFC 9068 (`scope`), and of those who write `scp` or lists. */
const scopesIn = ({ scope, scp }: JsonObject): readonly string[] => {
  const value = scope ?? scp
  const words = typeof value === 'string' ? value.split(' ', MAX_SCOPES) : value
  if (!Array.isArray(words)) return []
  return words.slice(0, MAX_SCOPES).filter((word) => typeof word === 'string' && word !== '')
}

const isShort = (text: string | undefined): boolean =>
  text === undefined || (text !== '' && text.length <= MAX_CHARACTERS)

/** Who the bearer is; the reason where the token may not be believed from a bearer. */
export const identityOf = (
  claims: JsonObject,
  issuer: string,
  nowSeconds: number,
): Result<Identity, string> => {
  if (Object.hasOwn(claims, 'cnf')) {
    return fail('it is bound to a key (cnf), and no proof of that is taken')
  }
  const issuedSeconds = claims['iat'] === undefined ? 0 : numberAt(claims, 'iat')
  if (issuedSeconds === undefined || issuedSeconds > nowSeconds + SKEW_SECONDS) {
    return fail('it was issued in the future (iat)')
  }
  const subject = stringAt(claims, 'sub')
  const client = stringAt(claims, 'client_id') ?? stringAt(claims, 'azp')
  if (subject === undefined || !isShort(subject) || !isShort(client)) {
    return fail(`its sub or client_id is no text of 1 to ${MAX_CHARACTERS} characters`)
  }
  return ok({ issuer, subject, client, scopes: scopesIn(claims) })
}
