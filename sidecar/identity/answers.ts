// What an issuer's answer about a token (RFC 7662, section 2.2) makes of its bearer. What a JWT must say, an answer must say
// too: an audience and an end above all, which the RFC leaves to the issuer. Pure.

import { at, isList, numberAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { fail, type Result } from '../../shared/result.ts'
import type { Identity } from '../access/principal.ts'
import { SKEW_SECONDS } from './algorithms.ts'
import { identityOf, type Binds } from './claims.ts'

export interface Asked extends Binds {
  readonly issuer: string
  /** Of which the answer must name one. */
  readonly audiences: readonly string[]
  readonly groupsClaim: string | undefined
  readonly nowSeconds: number
}

const isFor = (answer: JsonObject, audiences: readonly string[]): boolean => {
  const aud = at(answer, 'aud')
  const named = isList(aud) ? aud : [aud]
  return named.some((one) => typeof one === 'string' && audiences.includes(one))
}

/** What says DPoP says also to which key it is bound. */
const isType = (answer: JsonObject, dpop: Binds['dpop']): boolean => {
  const type = stringAt(answer, 'token_type')?.toLowerCase()
  const isBound = dpop !== undefined && Object.hasOwn(answer, 'cnf')
  return answer['token_type'] === undefined || type === 'bearer' || (type === 'dpop' && isBound)
}

const nameFault = (answer: JsonObject, { issuer, audiences, dpop }: Asked): string | undefined => {
  const { iss } = answer
  if (iss !== undefined && iss !== issuer) return 'its issuer says that another has issued it (iss)'
  if (!isType(answer, dpop)) return 'it is no bearer token, by its token_type'
  return isFor(answer, audiences) ? undefined : 'it is not meant for this server (aud)'
}

const timeFault = (answer: JsonObject, nowSeconds: number): string | undefined => {
  const notBefore = answer['nbf'] === undefined ? 0 : numberAt(answer, 'nbf')
  if (notBefore === undefined || notBefore > nowSeconds + SKEW_SECONDS) {
    return 'it is not valid yet (nbf)'
  }
  return (numberAt(answer, 'exp') ?? Infinity) <= nowSeconds - SKEW_SECONDS
    ? 'it has expired'
    : undefined
}

/** Who the bearer is; the reason where the token is not one to call by. */
export const bearerOf = (answer: JsonObject, asked: Asked): Result<Identity, string> => {
  const active = at(answer, 'active')
  if (active === false) return fail('its issuer does not know it, or no more')
  if (active !== true) return fail('its issuer does not say whether it is good (active)')
  const fault = nameFault(answer, asked) ?? timeFault(answer, asked.nowSeconds)
  return fault === undefined ? identityOf(answer, asked) : fail(fault)
}
