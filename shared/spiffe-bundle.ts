// The bundle of a trust domain (SPIFFE Trust Domain and Bundle, section 4): authorities that sign X.509-SVIDs and keys that sign
// JWT-SVIDs. It is a set of keys in JSON, or certificates in PEM, which sign X.509-SVIDs alone. Pure.

import { X509Certificate } from 'node:crypto'
import { areAuthorities } from './authorities.ts'
import { arrayAt, isObject, numberAt, stringAt, type Json, type JsonObject } from './json.ts'
import { publicKeyIn } from './json-web-keys.ts'
import { fail, ok, type Result } from './result.ts'

/** Of each kind. */
const MAX_KEYS = 64
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

export interface SpiffeBundle {
  /** In PEM; empty where there are none. */
  readonly authorities: string
  /** Each with its name (`kid`). */
  readonly jwtKeys: readonly JsonObject[]
  /** It grows with each change (section 4.1.1). */
  readonly sequence?: number | undefined
  /** How often to look for another (section 4.1.2). */
  readonly refreshSeconds?: number | undefined
}

const pemOf = (der: string): string | undefined => {
  try {
    const certificate = new X509Certificate(Buffer.from(der, 'base64'))
    return certificate.ca ? certificate.toString() : undefined
  } catch {
    return undefined
  }
}

/** Its certificate (X.509-SVID, section 6.2): exactly one, and an authority's. */
const authorityIn = (key: JsonObject): string | undefined => {
  const [der, ...others] = arrayAt(key, 'x5c') ?? []
  const isOne = typeof der === 'string' && others.length === 0 && BASE64.test(der)
  return isOne ? pemOf(der) : undefined
}

const jwtKeyIn = (key: Json): JsonObject | undefined => {
  const read = publicKeyIn(key)
  return read && (stringAt(read, 'kid') ?? '') !== '' ? read : undefined
}

/** What each key of a use is; undefined where one is none, or they are too many. Other uses are somebody else's. */
const allOf = <T>(
  keys: readonly Json[],
  use: string,
  read: (key: JsonObject) => T | undefined,
): readonly T[] | undefined => {
  const found = keys.filter(isObject).flatMap((key) => (key['use'] === use ? [read(key)] : []))
  const good = found.filter((one) => one !== undefined)
  return good.length === found.length && good.length <= MAX_KEYS ? good : undefined
}

/** What of it is a whole number; undefined where that is not there. */
const wholeAt = (document: JsonObject, name: string): Result<number | undefined, string> => {
  if (document[name] === undefined) return ok(undefined)
  const value = numberAt(document, name)
  return value !== undefined && Number.isInteger(value) && value >= 0
    ? ok(value)
    : fail(`its ${name} is no whole number`)
}

/** Of a document in JSON. Without keys it is one, too: nobody is believed by it. */
export const bundleIn = (document: JsonObject): Result<SpiffeBundle, string> => {
  const keys = arrayAt(document, 'keys')
  if (!keys) return fail('it has no keys')
  const authorities = allOf(keys, 'x509-svid', authorityIn)
  const jwtKeys = allOf(keys, 'jwt-svid', jwtKeyIn)
  if (!authorities) {
    return fail(
      `a key of its use x509-svid is without the one certificate of an authority in x5c, or there are more than ${MAX_KEYS}`,
    )
  }
  if (!jwtKeys) {
    return fail(
      `a key of its use jwt-svid is without a kid, or no key, or there are more than ${MAX_KEYS}`,
    )
  }
  const sequence = wholeAt(document, 'spiffe_sequence')
  if (!sequence.ok) return sequence
  const refreshSeconds = wholeAt(document, 'spiffe_refresh_hint')
  if (!refreshSeconds.ok) return refreshSeconds
  return ok({
    authorities: authorities.join(''),
    jwtKeys,
    sequence: sequence.value,
    refreshSeconds: refreshSeconds.value,
  })
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const NONE =
  'it must be certificates of authorities in PEM, and nothing else, or a bundle in JSON as SPIFFE has it'

/** Of a text. */
export const readBundle = (text: string): Result<SpiffeBundle, string> => {
  if (areAuthorities(text)) return ok({ authorities: text, jwtKeys: [] })
  const document = text.trimStart().startsWith('{') ? parsed(text) : undefined
  return isObject(document) ? bundleIn(document) : fail(NONE)
}
