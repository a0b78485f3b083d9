// Tokens that are bound to their client's certificate (RFC 8705): good with that one alone, each time, and only where the
// issuer may bind them.

import { beforeAll, expect, test } from '@jest/globals'
import { isObject, type JsonObject } from '../../../../shared/json.ts'
import { ok } from '../../../../shared/result.ts'
import { IssuerKeys } from '../../../../sidecar/identity/issuer-keys.ts'
import { Verifier } from '../../../../sidecar/identity/verifier.ts'
import { Crowd } from '../../../../sidecar/identity/waiting.ts'
import { signed, signingKey, type SigningKey } from '../../../support/issuer.ts'
import { keptLog } from '../../../support/kept-log.ts'

const ISSUER = 'https://idp'
const NOW_MS = 1_800_000_000_000
const [OWN, OTHER] = ['A'.repeat(43), 'B'.repeat(43)]
const stays = (): void => undefined

let key: SigningKey
let jwk: JsonObject
beforeAll(async () => {
  key = await signingKey('one')
  const value: unknown = JSON.parse(JSON.stringify(key.publicJwk))
  jwk = isObject(value) ? value : {}
})

const verifierOf = (bindsCertificates: boolean): Verifier => {
  const keys = new IssuerKeys({
    issuer: ISSUER,
    fetch: async () => ok([jwk]),
    now: () => 0,
    sleep: async () => undefined,
    log: keptLog().log,
    crowd: new Crowd(9),
  })
  const trusted = { keys, audiences: () => ['here'], groupsClaim: undefined, bindsCertificates }
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
  const found = await verifierOf(true).identify(await tokenOf(claims), stays, () => shown)
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
  const found = await verifierOf(true).identify(await tokenOf(claims), stays, () => shown)
  expect(found).toEqual({ ok: false, error: { kind: 'invalid', why } })
})

test('a token that is bound is refused of an issuer that may not bind, whatever is shown', async () => {
  const found = await verifierOf(false).identify(await tokenOf(bound), stays, () => OWN)
  expect(found).toEqual({ ok: false, error: { kind: 'invalid', why: NO_PROOF } })
})

test('what is remembered of a token is good with its certificate alone, too', async () => {
  const verifier = verifierOf(true)
  const token = await tokenOf(bound)
  const by = async (shown: string | undefined): Promise<boolean> =>
    (await verifier.identify(token, stays, () => shown)).ok
  expect([await by(OWN), await by(OTHER), await by(undefined), await by(OWN)]).toEqual([
    true,
    false,
    false,
    true,
  ])
  const stolen = verifierOf(true)
  expect((await stolen.identify(token, stays, () => OTHER)).ok).toBe(false)
  expect((await stolen.identify(token, stays, () => undefined)).ok).toBe(false)
  expect((await stolen.identify(token, stays)).ok).toBe(false)
})
