// Tokens that are bound to their client's certificate (RFC 8705): good with that one alone, each time, and only where the
// issuer may bind them.

import { beforeAll, describe, expect, test } from '@jest/globals'
import { isObject, type JsonObject } from '../../../../shared/json.ts'
import { ok } from '../../../../shared/result.ts'
import { IssuerKeys } from '../../../../sidecar/identity/issuer-keys.ts'
import { byScheme, Verifier } from '../../../../sidecar/identity/verifier.ts'
import { Crowd } from '../../../../sidecar/identity/waiting.ts'
import { signed, signingKey, type SigningKey } from '../../../support/issuer.ts'
import { keptLog } from '../../../support/kept-log.ts'

const ISSUER = 'https://idp'
const NOW_MS = 1_800_000_000_000
const [OWN, OTHER] = ['A'.repeat(43), 'B'.repeat(43)]
const stays = (): void => undefined
const showing = (thumbprint: string | undefined) => ({
  certificate: () => thumbprint,
  address: () => '',
})

let key: SigningKey
let jwk: JsonObject
beforeAll(async () => {
  key = await signingKey('one')
  const value: unknown = JSON.parse(JSON.stringify(key.publicJwk))
  jwk = isObject(value) ? value : {}
})

const verifierOf = (bindsCertificates: boolean, dpop?: 'accepted' | 'required'): Verifier => {
  const keys = new IssuerKeys({
    issuer: ISSUER,
    fetch: async () => ok([jwk]),
    now: () => 0,
    sleep: async () => undefined,
    log: keptLog().log,
    crowd: new Crowd(9),
  })
  const trusted = {
    keys,
    audiences: () => ['here'],
    groupsClaim: undefined,
    bindsCertificates,
    dpop,
  }
  return new Verifier({
    issuers: new Map([[ISSUER, trusted]]),
    now: () => 0,
    wallMs: () => NOW_MS,
  })
}

const tokenOf = (more: object): Promise<string> =>
  signed({ iss: ISSUER, sub: 'ada', aud: 'here', exp: NOW_MS / 1000 + 300, ...more }, key)

const bound = { cnf: { 'x5t#S256': OWN } }
const NO_PROOF = 'it is bound to a key (cnf), and no proof of that is taken'
const NOT_SHOWN = 'it is bound to a client certificate (cnf) that this connection does not show'

test.each([
  ['bound, with its certificate', bound, OWN],
  ['not bound, without a certificate', {}, undefined],
  ['not bound, with some certificate', {}, OTHER],
])('a token that is %s is good', async (_what, claims, shown) => {
  const found = await verifierOf(true).identify(await tokenOf(claims), stays, showing(shown))
  expect(found).toMatchObject({ ok: true, value: { principal: { identity: { subject: 'ada' } } } })
})

test.each<readonly [string, object, string | undefined, string]>([
  ['bound, with another certificate', bound, OTHER, NOT_SHOWN],
  ['bound, without any', bound, undefined, NOT_SHOWN],
  ['bound to a certificate and a key', { cnf: { ...bound.cnf, jkt: OWN } }, OWN, NO_PROOF],
  ['bound to a key', { cnf: { jkt: OWN } }, OWN, NO_PROOF],
  ['bound to nothing', { cnf: {} }, OWN, NO_PROOF],
  ['bound to null', { cnf: null }, OWN, NO_PROOF],
  ['bound by a text', { cnf: OWN }, OWN, NO_PROOF],
  ['bound by a list', { cnf: [bound.cnf] }, OWN, NO_PROOF],
  ['bound by the older digest', { cnf: { x5t: OWN } }, OWN, NO_PROOF],
  [
    'bound to a thumbprint that is cut off',
    { cnf: { 'x5t#S256': OWN.slice(1) } },
    OWN.slice(1),
    NO_PROOF,
  ],
  ['bound to no thumbprint', { cnf: { 'x5t#S256': '' } }, '', NO_PROOF],
  ['bound to several', { cnf: { 'x5t#S256': [OWN] } }, OWN, NO_PROOF],
])('a token that is %s is refused', async (_what, claims, shown, why) => {
  const found = await verifierOf(true).identify(await tokenOf(claims), stays, showing(shown))
  expect(found).toEqual({ ok: false, error: { kind: 'invalid', why } })
})

test('a token that is bound is refused of an issuer that may not bind, whatever is shown', async () => {
  const found = await verifierOf(false).identify(await tokenOf(bound), stays, showing(OWN))
  expect(found).toEqual({ ok: false, error: { kind: 'invalid', why: NO_PROOF } })
})

test('what is remembered of a token is good with its certificate alone, too', async () => {
  const verifier = verifierOf(true)
  const token = await tokenOf(bound)
  const by = async (shown: string | undefined): Promise<boolean> =>
    (await verifier.identify(token, stays, showing(shown))).ok
  expect([await by(OWN), await by(OTHER), await by(undefined), await by(OWN)]).toEqual([
    true,
    false,
    false,
    true,
  ])
  const stolen = verifierOf(true)
  expect((await stolen.identify(token, stays, showing(OTHER))).ok).toBe(false)
  expect((await stolen.identify(token, stays, showing(undefined))).ok).toBe(false)
  expect((await stolen.identify(token, stays)).ok).toBe(false)
})

describe('a token that is bound to a key by its proof', () => {
  const jkt = { cnf: { jkt: OWN } }
  const asked = async (
    claims: object,
    dpop: 'accepted' | 'required' | undefined,
    isProven: boolean,
  ) =>
    byScheme(
      await verifierOf(true, dpop).identify(await tokenOf(claims), stays, showing(OWN)),
      isProven,
    )

  test.each(['accepted', 'required'] as const)('is good with a proof of that: %s', async (dpop) => {
    expect(await asked(jkt, dpop, true)).toMatchObject({ ok: true, value: { key: OWN } })
  })

  test('and beside it one that is not bound is good without, where it need not be', async () => {
    expect(await asked({}, 'accepted', false)).toMatchObject({
      ok: true,
      value: { key: undefined },
    })
    expect(await asked(bound, 'accepted', false)).toMatchObject({ ok: true })
  })

  const MUST = /must be bound to a key/
  test.each<
    readonly [string, object, 'accepted' | 'required' | undefined, isProven: boolean, RegExp]
  >([
    ['brought by Bearer', jkt, 'accepted', false, /by the scheme DPoP/],
    ['brought by Bearer, where it must be bound', jkt, 'required', false, /by the scheme DPoP/],
    ['of an issuer that may not bind', jkt, undefined, true, /no proof of that is taken/],
    ['not bound, with a proof', {}, 'accepted', true, /bound to no key/],
    ['bound to a certificate, with a proof', bound, 'accepted', true, /bound to no key/],
    ['not bound, where it must be', {}, 'required', true, MUST],
    ['not bound and without a proof, where it must be', {}, 'required', false, MUST],
    ['bound to a certificate, where it must be to a key', bound, 'required', false, MUST],
    ['bound to both', { cnf: { jkt: OWN, 'x5t#S256': OWN } }, 'accepted', true, /no proof/],
    ['bound by a thumbprint that is cut off', { cnf: { jkt: 'A' } }, 'accepted', true, /no proof/],
    ['bound by a list', { cnf: { jkt: [OWN] } }, 'accepted', true, /no proof/],
    ['bound by the key itself', { cnf: { jwk: { kty: 'EC' } } }, 'accepted', true, /no proof/],
  ])('is refused: %s', async (...[, claims, dpop, isProven, why]) => {
    const found = await asked(claims, dpop, isProven)
    expect(found).toEqual({
      ok: false,
      error: { kind: 'invalid', why: expect.stringMatching(why) },
    })
  })

  test('what is remembered of it is good with a proof alone, too', async () => {
    const verifier = verifierOf(true, 'accepted')
    const token = await tokenOf(jkt)
    const by = async (isProven: boolean): Promise<boolean> =>
      byScheme(await verifier.identify(token, stays, showing(OWN)), isProven).ok
    expect([await by(true), await by(false), await by(true)]).toEqual([true, false, true])
  })
})
