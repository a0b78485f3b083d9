// What the processes of a caller have of it in their environment, by claims that are verified: nothing is left out, and
// nothing is guessed. Whoever lacks a value is refused, by name: values are told nobody. Pure.

import { claimsIn, type CallerVariable } from '../../shared/caller-environment.ts'
import { at, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import {
  verifiedPrincipal,
  type Environment,
  type Identity,
  type Principal,
} from '../access/principal.ts'
import { digestOf } from './remembered.ts'
import type { Refusal } from './verifier.ts'

const MAX_BYTES = 1024
/** Of all of them: one replica tells another of them in a header. */
const MAX_TOGETHER = 4096
/** Control characters, and what some readers take for the end of a line. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]/u

/** Why a claim's value can't be one of an environment. */
const textFault = (value: string): string | undefined => {
  if (value.trim() === '') return 'is empty'
  if (CONTROLS.test(value) || !value.isWellFormed()) return 'holds control characters'
  // Another template, to whoever fills in values once more.
  return /\{\{|\}\}/.test(value) ? 'holds {{ or }}' : undefined
}

/** The issuer says of itself that it has not verified it (OpenID Connect Core 1.0, section 5.1). */
const isUnverified = (claims: JsonObject, claim: string): boolean => {
  const name = `${claim}_verified`
  return Object.hasOwn(claims, name) && claims[name] !== true && claims[name] !== 'true'
}

/** What a claim says; the reason where it is not to be used. */
const valueOf = (
  claims: JsonObject,
  claim: string,
  believed: readonly string[],
): Result<string, string> => {
  if (!believed.includes(claim))
    return fail('is none that its issuer is believed in (verifiedClaims)')
  const value = at(claims, claim)
  if (value === undefined) return fail('is missing')
  if (typeof value !== 'string') return fail('is no text')
  const fault = textFault(value)
  if (fault !== undefined) return fail(fault)
  return isUnverified(claims, claim) ? fail('is not verified, by its issuer') : ok(value)
}

/** The variables' values, or which claim stands in the way. */
export const environmentOf = (
  claims: JsonObject,
  variables: readonly CallerVariable[],
  believed: readonly string[],
): Result<Environment, string> => {
  const values = new Map<string, string>()
  for (const claim of claimsIn(variables)) {
    const value = valueOf(claims, claim, believed)
    if (!value.ok) return fail(`its claim ${claim} ${value.error}`)
    values.set(claim, value.value)
  }
  const environment = variables.map(({ name, pieces }) => {
    const texts = pieces.map((one) => ('text' in one ? one.text : (values.get(one.claim) ?? '')))
    return [name, texts.join('')] as const
  })
  // Two halves of a template are one.
  for (const [name, value] of environment) {
    const fault = textFault(value)
    if (fault !== undefined) return fail(`what it makes of ${name} ${fault}`)
  }
  const long = environment.find(([, value]) => Buffer.byteLength(value) > MAX_BYTES)
  if (long) return fail(`what it makes of ${long[0]} is longer than ${MAX_BYTES} bytes`)
  const together = environment.reduce((sum, [, value]) => sum + Buffer.byteLength(value), 0)
  return together > MAX_TOGETHER
    ? fail(`what it makes of them is longer than ${MAX_TOGETHER} bytes together`)
    : ok(Object.fromEntries(environment))
}

/** What the values of a caller's have of characters. */
export const lengthOf = ({ environment = {} }: Principal): number =>
  Object.values(environment).reduce((sum, value) => sum + value.length, 0)

/** A caller with what its processes are given: those of other values are none of its own. */
const withEnvironment = (principal: Principal, environment: Environment): Principal => {
  const digest = digestOf(JSON.stringify(Object.entries(environment)))
  return {
    ...principal,
    key: JSON.stringify([principal.key, digest]),
    person: principal.key,
    environment,
  }
}

/** Who an identity is, by the claims that say so. */
export type PrincipalOf = (identity: Identity, claims: JsonObject) => Result<Principal, Refusal>

/** By the settings; `believed`: the claims that its issuer is listed with. */
export const principalBy =
  (
    variables: readonly CallerVariable[] | undefined,
    believed: readonly string[] = [],
  ): PrincipalOf =>
  (identity, claims) => {
    const principal = verifiedPrincipal(identity)
    if (!variables) return ok(principal)
    const environment = environmentOf(claims, variables, believed)
    return environment.ok
      ? ok(withEnvironment(principal, environment.value))
      : fail({ kind: 'lacking', why: environment.error })
  }
