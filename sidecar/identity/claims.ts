// What the claims of a token that has been verified make of its bearer. Pure. The token's length bounds what they hold.

import {
  at,
  isList,
  isObject,
  numberAt,
  stringAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'
import type { IssuerEntry } from '../../shared/issuers.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Actor, Identity } from '../access/principal.ts'
import { SKEW_SECONDS } from './algorithms.ts'

const MAX_CHARACTERS = 1024
const MAX_ACTORS = 8
/** Beyond it no time is one (ECMA-262: the last day of a Date). */
const MAX_SECONDS = 8.64e12

/** A text, taken apart where it holds several; a list of texts as it is; undefined for anything else. */
const textsIn = (
  value: Json | undefined,
  apart: (text: string) => readonly string[],
): readonly string[] | undefined => {
  if (value === undefined) return []
  const words = typeof value === 'string' ? apart(value) : value
  if (!isList(words)) return undefined
  const texts = words.filter((word) => typeof word === 'string')
  return texts.length === words.length ? texts.filter((text) => text !== '') : undefined
}

const isShort = (text: Json | undefined): text is string =>
  typeof text === 'string' && text !== '' && text.length <= MAX_CHARACTERS

/** What an ID token, a logout token or a refresh token holds, and an access token never. */
const OTHERS = ['at_hash', 'c_hash', 's_hash', 'events'] as const
/** How issuers call an access token in a claim: Keycloak (`typ`), Amazon Cognito (`token_use`). */
const ACCESS_TYPES = new Set(['bearer', 'access', 'access_token', 'at+jwt', 'jwt'])

const isAccess = (value: Json | undefined): boolean =>
  value === undefined || (typeof value === 'string' && ACCESS_TYPES.has(value.toLowerCase()))

/** SHA-256 in base64url. */
const THUMBPRINT = /^[\w-]{43}$/

/** The one thumbprint that a token is bound by; undefined where it is bound otherwise, or by more. */
const boundBy = ({ cnf }: JsonObject, member: 'x5t#S256' | 'jkt'): string | undefined => {
  const thumbprint = stringAt(cnf, member) ?? ''
  const isAlone = isObject(cnf) && Object.keys(cnf).length === 1
  return isAlone && THUMBPRINT.test(thumbprint) ? thumbprint : undefined
}

/** What a token may be bound to, where that is looked for. */
export interface Binds {
  /** A client's certificate (RFC 8705). */
  readonly bindsCertificates?: boolean
  /** A client's key (RFC 9449); `required`: it must be. */
  readonly dpop?: IssuerEntry['dpop']
}

/** The thumbprint of what a token counts with alone; neither: it counts without. */
export interface Bound {
  readonly certificate: string | undefined
  readonly key: string | undefined
}

export const boundTo = (claims: JsonObject): Bound => ({
  certificate: boundBy(claims, 'x5t#S256'),
  key: boundBy(claims, 'jkt'),
})

const bindingFault = (
  claims: JsonObject,
  { bindsCertificates, dpop }: Binds,
): string | undefined => {
  const { certificate, key } = boundTo(claims)
  if (dpop === 'required' && key === undefined) {
    return 'tokens of its issuer must be bound to a key (cnf.jkt): ask for it with a proof (RFC 9449)'
  }
  const isTaken = (bindsCertificates && certificate) || (dpop && key)
  return Object.hasOwn(claims, 'cnf') && !isTaken
    ? 'it is bound to a key (cnf), and no proof of that is taken'
    : undefined
}

/** Why a token is not one to call by; undefined where it may be. */
const otherUse = (claims: JsonObject, binds: Binds): string | undefined => {
  const fault = bindingFault(claims, binds)
  if (fault !== undefined) return fault
  const other = OTHERS.find((name) => Object.hasOwn(claims, name))
  if (other !== undefined) return `it is no access token: it bears ${other}`
  const wrong = ['typ', 'token_use'].find((name) => !isAccess(claims[name]))
  return wrong === undefined ? undefined : `it is no access token, by its ${wrong}`
}

const timeFault = (claims: JsonObject, nowSeconds: number): string | undefined => {
  const expires = numberAt(claims, 'exp')
  if (expires === undefined || Math.abs(expires) > MAX_SECONDS) {
    return 'it does not say until when it is valid (exp)'
  }
  const issued = claims['iat'] === undefined ? 0 : numberAt(claims, 'iat')
  return issued === undefined || issued > nowSeconds + SKEW_SECONDS
    ? 'it was issued in the future (iat)'
    : undefined
}

/** Who acts for the subject: the one that does, then whom that one acts for (RFC 8693, section 4.1). */
const actorsIn = ({ act }: JsonObject): readonly Actor[] | undefined => {
  const actors: Actor[] = []
  for (let one = act; one !== undefined;) {
    const subject = stringAt(one, 'sub')
    const issuer = stringAt(one, 'iss')
    if (!isShort(subject) || actors.length === MAX_ACTORS) return undefined
    actors.push({ issuer, subject })
    one = typeof one === 'object' && one !== null && 'act' in one ? one['act'] : undefined
  }
  return actors
}

const namesIn = (claims: JsonObject): Pick<Identity, 'subject' | 'client'> | undefined => {
  const subject = stringAt(claims, 'sub')
  const client = claims['client_id'] ?? claims['azp']
  if (!isShort(subject)) return undefined
  return client === undefined || isShort(client) ? { subject, client } : undefined
}

/** Whether groups are to be had elsewhere (OpenID Connect Core 1.0, section 5.6.2), where we don't ask. */
const lacksGroups = (claims: JsonObject, groupsClaim: string | undefined): boolean => {
  const elsewhere = claims['_claim_names']
  return groupsClaim !== undefined && isObject(elsewhere) && Object.hasOwn(elsewhere, groupsClaim)
}

/** What decides whether a token may be used to call, and now. */
interface Use extends Binds {
  readonly nowSeconds: number
}

/** Why a token that is verified is not one to call by now. */
export const usageFault = (claims: JsonObject, use: Use): string | undefined =>
  otherUse(claims, use) ?? timeFault(claims, use.nowSeconds)

export interface Reading extends Use {
  readonly issuer: string
  /** The claim that holds groups; undefined where the issuer is not believed in that. */
  readonly groupsClaim: string | undefined
}

/** Who the bearer is; the reason where the token may not be believed from a bearer. */
export const identityOf = (claims: JsonObject, reading: Reading): Result<Identity, string> => {
  const { issuer, groupsClaim } = reading
  const fault = usageFault(claims, reading)
  if (fault !== undefined) return fail(fault)
  const names = namesIn(claims)
  if (!names) return fail(`its sub or client_id is no text of 1 to ${MAX_CHARACTERS} characters`)
  const scopes = textsIn(claims['scope'] ?? claims['scp'], (text) => text.split(' '))
  const named = groupsClaim === undefined ? undefined : at(claims, groupsClaim)
  const groups = textsIn(named, (text) => [text])
  const actors = actorsIn(claims)
  if (!scopes || !groups) return fail('its scope or its groups are no texts')
  if (!actors) return fail(`its act names nobody, or more than ${MAX_ACTORS}`)
  const lacks = lacksGroups(claims, groupsClaim) ? { lacksGroups: true as const } : {}
  return ok({ issuer, ...names, scopes, groups, actors, ...lacks })
}
