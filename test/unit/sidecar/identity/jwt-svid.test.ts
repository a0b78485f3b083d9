// Workloads that call by their JWT-SVIDs: which are believed, and by whose keys; what is refused, whoever signed it.

import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createHmac } from 'node:crypto'
import { isObject, type JsonObject } from '../../../../shared/json.ts'
import { ok } from '../../../../shared/result.ts'
import type { SpiffeBundle } from '../../../../shared/spiffe-bundle.ts'
import { BundleKeys } from '../../../../sidecar/identity/bundle-keys.ts'
import { IssuerKeys } from '../../../../sidecar/identity/issuer-keys.ts'
import { Verifier } from '../../../../sidecar/identity/verifier.ts'
import { Crowd } from '../../../../sidecar/identity/waiting.ts'
import { signed, signingKey, type Claims, type SigningKey } from '../../../support/issuer.ts'
import { keptLog } from '../../../support/kept-log.ts'
import { encoded, rawSigned } from '../../../support/raw-token.ts'

const NOW_MS = 1_800_000_000_000
const NOW = NOW_MS / 1000
const ID = 'spiffe://example.org/ns/tools/sa/agent'
const OTHER = 'spiffe://other.org/ns/tools/sa/agent'
const ISSUER = 'https://idp'

/** By name; of two trust domains, and of an issuer. */
let keys: Readonly<Record<'own' | 'next' | 'other' | 'issuer' | 'x509', SigningKey>>
let bundles: Record<string, SpiffeBundle | undefined>
let verifier: Verifier

const stays = (): void => undefined

const jwkOf = ({ publicJwk }: SigningKey, use: string): JsonObject => {
  const value: unknown = JSON.parse(JSON.stringify({ ...publicJwk, use }))
  return isObject(value) ? value : {}
}

const bundleOf = (...all: readonly SigningKey[]): SpiffeBundle => ({
  authorities: '',
  jwtKeys: all.map((key) => jwkOf(key, 'jwt-svid')),
})

beforeAll(async () => {
  keys = {
    own: await signingKey('own'),
    next: await signingKey('next'),
    other: await signingKey('other'),
    issuer: await signingKey('issuer'),
    x509: await signingKey('x509'),
  }
})

beforeEach(() => {
  const { own, other, issuer, x509 } = keys
  const { jwtKeys } = bundleOf(own)
  bundles = {
    // A key of another use would not get here; if it did, it would sign nothing.
    'example.org': { authorities: '', jwtKeys: [...jwtKeys, jwkOf(x509, 'x509-svid')] },
    'other.org': bundleOf(other),
  }
  const ofIssuer = new IssuerKeys({
    issuer: ISSUER,
    fetch: async () => ok([jwkOf(issuer, 'sig')]),
    now: () => 0,
    sleep: async () => undefined,
    log: keptLog().log,
    crowd: new Crowd(9),
  })
  const domain = (name: string, ids: readonly string[]) =>
    [
      name,
      { name, ids, keys: new BundleKeys(() => bundles[name]), audiences: () => ['here'] },
    ] as const
  verifier = new Verifier({
    issuers: new Map([
      [ISSUER, { keys: ofIssuer, audiences: () => ['here'], groupsClaim: undefined }],
    ]),
    trustDomains: new Map([
      domain('example.org', ['spiffe://example.org/ns/tools/*']),
      domain('other.org', [OTHER]),
    ]),
    now: () => 0,
    wallMs: () => NOW_MS,
  })
})

const CLAIMS = { sub: ID, aud: 'here', exp: NOW + 300 }

const svid = (claims: Claims = {}, key = keys.own, header: Claims = {}): Promise<string> =>
  signed({ ...CLAIMS, ...claims }, key, { typ: 'JWT', ...header })

const identify = async (token: string) => verifier.identify(token, stays)

const BEARER = {
  issuer: 'spiffe://example.org',
  subject: ID,
  client: undefined,
  scopes: [],
  groups: [],
  actors: [],
}

describe('a workload is known', () => {
  test.each<[string, () => Promise<string>]>([
    ['by its JWT-SVID', () => svid()],
    ['by one of the other type', () => svid({}, keys.own, { typ: 'JOSE' })],
    ['by one of no type', () => svid({}, keys.own, { typ: undefined })],
    ['by one that does not name its key', () => svid({}, keys.own, { kid: undefined })],
    ['by one for others too', () => svid({ aud: ['there', 'here'] })],
    ['whoever says to have issued it', () => svid({ iss: 'https://spire' })],
    [
      'and nothing else of what it says',
      () => svid({ scope: 'admin', groups: ['ops'], client_id: ID, azp: 'x' }),
    ],
  ])('%s', async (_name, token) => {
    expect(await identify(await token())).toMatchObject({
      ok: true,
      value: { principal: { identity: BEARER }, untilMs: 330_000 },
    })
  })

  test('under the same name as by a certificate', async () => {
    const found = await identify(await svid())
    expect(found).toMatchObject({
      value: { principal: { key: JSON.stringify(['spiffe://example.org', ID, 'user']) } },
    })
  })
})

describe('is refused', () => {
  const long = `spiffe://example.org/ns/tools/${'a'.repeat(2048)}`
  test.each<[string, () => string | Promise<string>, string]>([
    ["another trust domain's, by our key", () => svid({ sub: OTHER }), 'no key of its kid'],
    ['ours, by the key of another', () => svid({}, keys.other), 'no key of its kid'],
    [
      "ours, by another's key under our key's name",
      () => svid({}, keys.other, { kid: 'own' }),
      'signature is wrong',
    ],
    ["ours, by an issuer's key", () => svid({}, keys.issuer), 'no key of its kid'],
    ['by a key of X.509-SVIDs', () => svid({}, keys.x509), 'no key of its kid'],
    ['an unknown key', () => svid({}, keys.next), 'no key of its kid'],
    ['no trust domain that is known', () => svid({ sub: 'spiffe://evil.org/x' }), 'neither its'],
    ['no audience', () => svid({ aud: undefined }), 'aud'],
    ['no audience in its list', () => svid({ aud: [] }), 'aud'],
    ['another audience', () => svid({ aud: 'there' }), 'aud'],
    ['an audience like ours', () => svid({ aud: 'here/' }), 'aud'],
    ['no end', () => svid({ exp: undefined }), 'exp'],
    ['an end that has been', () => svid({ exp: NOW - 31 }), 'it has expired'],
    ['an end that is a text', () => svid({ exp: `${NOW + 300}` }), ''],
    ['a begin to come', () => svid({ nbf: NOW + 31 }), 'nbf'],
    ['issued in the future', () => svid({ iat: NOW + 31 }), 'iat'],
    ['no subject', () => svid({ sub: undefined }), 'neither its'],
    ['a subject that is a list', () => svid({ sub: [ID] }), 'neither its'],
    ['a workload that is not listed', () => svid({ sub: 'spiffe://example.org/ns/a' }), 'listed'],
    ['the trust domain itself', () => svid({ sub: 'spiffe://example.org' }), 'neither its'],
    ['a pattern', () => svid({ sub: 'spiffe://example.org/ns/tools/*' }), 'neither its'],
    ['a query', () => svid({ sub: `${ID}?x=1` }), 'neither its'],
    ['a fragment', () => svid({ sub: `${ID}#x` }), 'neither its'],
    ['a user', () => svid({ sub: ID.replace('example', 'ada@example') }), 'neither its'],
    ['a port', () => svid({ sub: ID.replace('.org', '.org:443') }), 'neither its'],
    [
      'a trust domain in capitals',
      () => svid({ sub: ID.replace('example', 'EXAMPLE') }),
      'neither',
    ],
    ['a scheme in capitals', () => svid({ sub: ID.replace('spiffe', 'SPIFFE') }), 'neither its'],
    ['a path in other letters', () => svid({ sub: ID.replace('tools', 'Tools') }), 'listed'],
    ['a slash behind', () => svid({ sub: `${ID}/` }), 'neither its'],
    ['two slashes', () => svid({ sub: ID.replace('/ns', '//ns') }), 'neither its'],
    ['a way up', () => svid({ sub: 'spiffe://example.org/ns/tools/../x' }), 'neither its'],
    ['a letter in percent', () => svid({ sub: ID.replace('agent', '%61gent') }), 'neither its'],
    ['a line end', () => svid({ sub: `${ID}\n` }), 'neither its'],
    ['over-long', () => svid({ sub: long }), 'neither its'],
    ['for another', () => svid({ act: { sub: ID } }), '(act)'],
    ['bound to a key', () => svid({ cnf: { jkt: 'A'.repeat(43) } }), '(cnf)'],
    ['an ID token', () => svid({ at_hash: 'x' }), 'at_hash'],
    ['an access token’s type', () => svid({}, keys.own, { typ: 'at+jwt' }), 'typ'],
    ['a type in other letters', () => svid({}, keys.own, { typ: 'jwt' }), 'typ'],
    ['a header with more', () => svid({}, keys.own, { x5t: 'x' }), 'bears x5t'],
    ['its own key', () => svid({}, keys.own, { jwk: keys.own.publicJwk }), 'bears jwk'],
    ['its own certificate', () => svid({}, keys.own, { x5c: ['x'] }), 'bears x5c'],
    [
      'EdDSA, which no JWT-SVID has',
      async () => svid({}, await signingKey('own', 'EdDSA')),
      'algorithm',
    ],
    ['alg none', () => `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(CLAIMS)}.`, 'no signed'],
    [
      'alg none with a signature',
      () => rawSigned({ alg: 'none', typ: 'JWT' }, CLAIMS, keys.own),
      'algorithm',
    ],
    [
      'HMAC by the public key',
      () => {
        const text = `${encoded({ alg: 'HS256', kid: 'own' })}.${encoded(CLAIMS)}`
        const key = JSON.stringify(keys.own.publicJwk)
        return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
      },
      'algorithm',
    ],
    [
      'sub twice',
      () =>
        rawSigned(
          { alg: 'ES256', kid: 'own' },
          `{"sub":"${OTHER}","sub":"${ID}","aud":"here","exp":${NOW + 300}}`,
          keys.own,
        ),
      'reads alike',
    ],
  ])('%s', async (_name, token, says) => {
    expect(await identify(await token())).toEqual({
      ok: false,
      error: { kind: 'invalid', why: expect.stringContaining(says) },
    })
  })

  test('whatever a trust domain signs in the name of a listed issuer', async () => {
    expect(await identify(await svid({ iss: ISSUER }))).toMatchObject({ ok: false })
  })

  test('a workload’s name by a listed issuer, which names its own subject by it', async () => {
    const found = await identify(await signed({ ...CLAIMS, iss: ISSUER }, keys.issuer))
    expect(found).toMatchObject({ value: { principal: { identity: { issuer: ISSUER } } } })
  })

  test('any, where none is taken', async () => {
    const none = new Verifier({ issuers: new Map(), now: () => 0, wallMs: () => NOW_MS })
    expect(await none.identify(await svid(), stays)).toMatchObject({ error: { kind: 'invalid' } })
  })
})

describe('a bundle changes', () => {
  test('a new key counts at once, and the old one beside it', async () => {
    const [old, young] = [await svid(), await svid({}, keys.next)]
    expect([await identify(old), await identify(young)]).toMatchObject([
      { ok: true },
      { ok: false },
    ])
    bundles['example.org'] = bundleOf(keys.own, keys.next)
    expect([await identify(old), await identify(young)]).toMatchObject([{ ok: true }, { ok: true }])
  })

  test('what was verified by a key that has gone is not believed any more', async () => {
    const old = await svid()
    expect(await identify(old)).toMatchObject({ ok: true })
    bundles['example.org'] = bundleOf(keys.next)
    expect(await identify(old)).toMatchObject({ error: { kind: 'invalid' } })
  })

  test('while there is none, callers are told to come again', async () => {
    bundles['example.org'] = undefined
    const found = await identify(await svid())
    expect(found).toEqual({ ok: false, error: { kind: 'unavailable', retryMs: 5000 } })
  })

  test('an unknown key makes nobody wait', async () => {
    const token = await svid({}, keys.next)
    const all = await Promise.all(Array.from({ length: 1000 }, () => identify(token)))
    expect(all.every((one) => !one.ok && one.error.kind === 'invalid')).toBe(true)
  })
})
