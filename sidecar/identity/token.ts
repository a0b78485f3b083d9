// What a token says of itself, before anybody believes a word of it: whose it claims to be and how it was signed. Pure.
// Whatever two readers could understand differently is refused: other spellings of base64url, a name twice, no UTF-8.

import { isUtf8 } from 'node:buffer'
import { isObject, stringAt, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { isPlain } from '../json/text.ts'
import { scan } from '../json/scan.ts'
import { isAlgorithm, type Algorithm } from './algorithms.ts'

/** Of the 16 KiB that a head may have: Entra ID's with 200 groups, the most that it lists, has some 10,000. */
const MAX_CHARACTERS = 12_288
const MAX_KID = 256
const JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/
/** RFC 9068, section 2.1; others by what plain JWTs bear. `dpop+jwt`, `logout+jwt` and their like are for something else. */
const TYPES = new Set(['at+jwt', 'application/at+jwt', 'jwt', 'application/jwt'])
/** Where a token brings its own key, or asks for what we do not do. */
export const REFUSED = ['crit', 'jku', 'jwk', 'x5c', 'x5u', 'b64', 'cty', 'zip', 'enc'] as const

export interface UnverifiedToken {
  readonly alg: Algorithm
  readonly kid: string | undefined
  readonly issuer: string | undefined
  readonly subject: string | undefined
  readonly header: JsonObject
}

const isBase64url = (part: string): boolean =>
  Buffer.from(part, 'base64url').toString('base64url') === part

const objectIn = (part: string): JsonObject | undefined => {
  const bytes = Buffer.from(part, 'base64url')
  if (!isBase64url(part) || !isUtf8(bytes)) return undefined
  const scanned = scan(bytes.toString('latin1'), isPlain(bytes))
  if (!scanned.ok || scanned.value.kind !== 'object') return undefined
  const value: unknown = JSON.parse(bytes.toString())
  return isObject(value) ? value : undefined
}

const isKid = (kid: unknown): boolean =>
  kid === undefined || (typeof kid === 'string' && kid.length <= MAX_KID)

const headerFault = (header: JsonObject): string | undefined => {
  const refused = REFUSED.find((name) => Object.hasOwn(header, name))
  if (refused !== undefined) return `its header bears ${refused}`
  return isKid(header['kid']) ? undefined : 'its kid is no short text'
}

/** Why it is no access token, by its header; of other tokens the type is another. */
export const typeFault = ({ header: { typ } }: UnverifiedToken): string | undefined =>
  typ === undefined || (typeof typ === 'string' && TYPES.has(typ.toLowerCase()))
    ? undefined
    : 'its typ is not that of an access token'

const whose = (header: JsonObject, claims: JsonObject): Result<UnverifiedToken, string> => {
  const wrong = headerFault(header)
  if (wrong !== undefined) return fail(wrong)
  const { alg } = header
  if (!isAlgorithm(alg)) return fail('its algorithm is not accepted')
  const [issuer, subject] = [stringAt(claims, 'iss'), stringAt(claims, 'sub')]
  return ok({ alg, kid: stringAt(header, 'kid'), issuer, subject, header })
}

/** Why a token is too long to be looked at. */
export const lengthFault = (token: string): string | undefined =>
  token.length > MAX_CHARACTERS ? `it is longer than ${MAX_CHARACTERS} characters` : undefined

/** Whether it has the form of a signed JWT; any other is opaque: nobody but its issuer can read it. */
export const isSigned = (token: string): boolean => JWS.test(token)

/** The objects of a signed JWT, where all read them alike. */
export const partsOf = (
  token: string,
): Result<{ readonly header: JsonObject; readonly claims: JsonObject }, string> => {
  if (!isSigned(token)) return fail('it is no signed JWT')
  const [head = '', body = '', signature = ''] = token.split('.')
  const [header, claims] = [objectIn(head), objectIn(body)]
  if (!header || !claims) return fail('it is no JWT that everybody reads alike')
  return isBase64url(signature)
    ? ok({ header, claims })
    : fail('its signature is not spelt as base64url')
}

/** Reads a token as far as that needs no key; the reason where it is none that could ever be accepted. */
export const readToken = (token: string): Result<UnverifiedToken, string> => {
  const tooLong = lengthFault(token)
  if (tooLong !== undefined) return fail(tooLong)
  const parts = partsOf(token)
  return parts.ok ? whose(parts.value.header, parts.value.claims) : parts
}
