// Proofs that a client holds the key that its token is bound to (RFC 9449, section 4.3), by a clock that the test moves. A
// proof is right unless its row says otherwise: what is wrong with it is what the row says.

import { createHmac, createPublicKey } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { exportJWK } from 'jose'
import { Proofs, type Claimed } from '../../../../sidecar/identity/proofs.ts'
import {
  jwkOf,
  keyHolder,
  proofClaims,
  type Holder,
  type ProofParts,
} from '../../../support/dpop.ts'
import { encoded, rawSigned } from '../../../support/raw-token.ts'

const START_MS = 1_800_000_000_000
const URL_HERE = 'https://tools.example/mcp'
const TOKEN = 'the.token.itself'
const stays = (): void => undefined

let holder: Holder
let rsa: Holder
let stranger: Holder
let clockMs: number
let made: number
let proofs: Proofs

beforeAll(async () => {
  holder = await keyHolder()
  rsa = await keyHolder('PS256')
  stranger = await keyHolder()
})

beforeEach(() => {
  clockMs = 0
  made = 0
  proofs = new Proofs({
    isTarget: (url) => url === URL_HERE,
    now: () => clockMs,
    wallMs: () => START_MS + clockMs,
    newNonce: () => `nonce-${++made}`,
  })
})

const request = () => ({
  method: 'POST',
  url: URL_HERE,
  token: TOKEN,
  nonce: proofs.nonce,
  nowSeconds: (START_MS + clockMs) / 1000,
})

const prove = (parts?: ProofParts, by = holder): Promise<string> => by.prove(request(), parts)

const check = (proof: string | undefined, more: Partial<Claimed> = {}) =>
  proofs.check({ proof, method: 'POST', token: TOKEN, key: holder.jkt, ...more }, stays)

const GOOD = { ok: true, value: { nonce: undefined } }

test('a right proof is taken', async () => {
  expect(await check(await prove())).toEqual(GOOD)
})

test.each(['RS256', 'PS512', 'ES384', 'ES512', 'EdDSA'])('by %s, too', async (alg) => {
  const other = await keyHolder(alg)
  expect(await check(await prove({}, other), { key: other.jkt })).toEqual(GOOD)
})

test('a clock that is a little ahead, or behind for as long as a text is good, does no harm', async () => {
  const { nowSeconds } = request()
  for (const iat of [nowSeconds + 30, nowSeconds - 120]) {
    // oxlint-disable-next-line no-await-in-loop
    expect(await check(await prove({ claims: { iat } }))).toEqual(GOOD)
  }
})

/** Signed by the holder's key as it should be, whatever it says. */
const raw = (header: unknown, claims: unknown = proofClaims(request())): string =>
  rawSigned(header, claims, holder.key)
const head = (more: object = {}) => ({
  alg: 'ES256',
  typ: 'dpop+jwt',
  jwk: jwkOf(holder.key),
  ...more,
})
const withHeader = (header: object) => (): Promise<string> => prove({ header: { ...header } })
const withClaims = (claims: object) => (): Promise<string> => prove({ claims: { ...claims } })
const withAge = (seconds: number) => (): Promise<string> =>
  prove({ claims: { iat: request().nowSeconds - seconds } })

const hmac = (jwk: object, secret: string | Buffer): string => {
  const text = `${encoded(head({ alg: 'HS256', jwk }))}.${encoded(proofClaims(request()))}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}
const pem = (): string | Buffer =>
  createPublicKey({ key: { ...jwkOf(holder.key) }, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  })

type Row = readonly [name: string, proof: () => string | Promise<string>, says: RegExp]

const HEADERS: readonly Row[] = [
  ['alg none', () => raw(head({ alg: 'none' })), /algorithm/],
  [
    'alg none without a signature',
    () => `${encoded(head({ alg: 'none' }))}.${encoded(proofClaims(request()))}.`,
    /no signed JWT/,
  ],
  ['no alg', () => raw({ typ: 'dpop+jwt', jwk: jwkOf(holder.key) }), /algorithm/],
  ['a shared secret', () => hmac({ kty: 'oct', k: 'c2VjcmV0' }, 'secret'), /algorithm/],
  ['HMAC with the public key', () => hmac(jwkOf(holder.key), pem()), /algorithm/],
  ['a symmetric key', withHeader({ jwk: { kty: 'oct', k: 'c2VjcmV0' } }), /not a public key/],
  ['a symmetric key that is kept back', withHeader({ jwk: { kty: 'oct' } }), /no key for its alg/],
  [
    'its private key',
    async () => prove({ header: { jwk: { ...(await exportJWK(holder.key.privateKey)) } } }),
    /not a public key/,
  ],
  [
    'a private member of another kind of key',
    () => prove({ header: { jwk: { ...jwkOf(holder.key), p: null } } }),
    /not a public key/,
  ],
  ['no key', withHeader({ jwk: undefined }), /no jwk/],
  ['a key that is null', () => raw(head({ jwk: null })), /no jwk/],
  ['a key that is a list', () => raw(head({ jwk: [jwkOf(holder.key)] })), /no jwk/],
  ['a key that is text', () => raw(head({ jwk: JSON.stringify(jwkOf(holder.key)) })), /no jwk/],
  ['a key of another kind', () => prove({ header: { jwk: jwkOf(rsa.key) } }), /no key for its alg/],
  [
    'a key of another curve',
    () => prove({ header: { jwk: { ...jwkOf(holder.key), crv: 'P-384' } } }),
    /no key for its algorithm/,
  ],
  [
    'a key that is no point of its curve',
    () => prove({ header: { jwk: { ...jwkOf(holder.key), x: 'AAAA' } } }),
    /not the one that the token/,
  ],
  [
    'a key with a number in it',
    () => raw(head({ jwk: { ...jwkOf(holder.key), x: 1 } })),
    /not the one that the token/,
  ],
  ["a stranger's key", () => prove({}, stranger), /not the one that the token/],
  [
    'the right key, signed by another',
    () => prove({ header: { jwk: jwkOf(holder.key) } }, stranger),
    /signature is wrong/,
  ],
  ['no typ', () => raw({ alg: 'ES256', jwk: jwkOf(holder.key) }), /typ/],
  ['the typ of a token', withHeader({ typ: 'at+jwt' }), /typ/],
  ['a typ that is a list', () => raw(head({ typ: ['dpop+jwt'] })), /typ/],
  ['keys elsewhere', withHeader({ jku: 'https://evil.example/keys' }), /bears jku/],
  ['a certificate', withHeader({ x5c: ['MII='] }), /bears x5c/],
  ['a certificate elsewhere', withHeader({ x5u: 'https://evil.example' }), /bears x5u/],
  ['a demand', () => raw(head({ crit: ['b64'], b64: true })), /bears crit/],
  ['compressed', withHeader({ zip: 'DEF' }), /bears zip/],
  ['jwk twice', () => raw(`{"jwk":{},${JSON.stringify(head()).slice(1)}`), /reads alike/],
]

const CLAIMS: readonly Row[] = [
  ['another method', withClaims({ htm: 'GET' }), /htm/],
  ['the method in small letters', withClaims({ htm: 'post' }), /htm/],
  ['no method', withClaims({ htm: undefined }), /htm/],
  ['a list of methods', withClaims({ htm: ['POST'] }), /htm/],
  ["another server's URL", withClaims({ htu: 'https://other.example/mcp' }), /htu/],
  ['another path', withClaims({ htu: `${URL_HERE}/x` }), /htu/],
  ['no URL', withClaims({ htu: undefined }), /htu/],
  ['a list of URLs', withClaims({ htu: [URL_HERE] }), /htu/],
  ['another token', withClaims({ ath: 'A'.repeat(43) }), /ath/],
  ['the token itself', withClaims({ ath: TOKEN }), /ath/],
  ['no token', withClaims({ ath: undefined }), /ath/],
  ['made in the future', withAge(-31), /in the future/],
  ['made too long ago', withAge(121), /too old/],
  ['made at no time', withClaims({ iat: undefined }), /when it was made/],
  ['made at a time that is text', withClaims({ iat: '1800000000' }), /when it was made/],
  [
    'made at the end of all days',
    () => raw(head(), JSON.stringify(proofClaims(request())).replace(/"iat":\d+/, '"iat":1e400')),
    /when it was made|in the future/,
  ],
  ['no jti', withClaims({ jti: undefined }), /jti/],
  ['an empty jti', withClaims({ jti: '' }), /jti/],
  ['a jti that is a number', withClaims({ jti: 1 }), /jti/],
  ['a jti without end', withClaims({ jti: 'j'.repeat(257) }), /jti/],
  [
    'a name twice',
    () => raw(head(), `{"jti":"x",${JSON.stringify(proofClaims(request())).slice(1)}`),
    /alike/,
  ],
  ['claims that are a list', () => raw(head(), '[]'), /alike/],
  ['no JWT', () => 'x', /no signed JWT/],
  ['nothing', () => '', /no signed JWT/],
  ['two of them', async () => `${await prove()}, ${await prove()}`, /no signed JWT/],
  ['a proof without end', withClaims({ more: 'x'.repeat(9000) }), /longer than 8192/],
]

describe.each([
  ['header', HEADERS],
  ['claims', CLAIMS],
])('refused by its %s:', (_part, rows) => {
  test.each(rows)('%s', async (_name, proof, says) => {
    expect(await check(await proof())).toEqual({
      ok: false,
      error: { kind: 'invalid', why: expect.stringMatching(says), error: 'invalid_dpop_proof' },
    })
  })
})

describe('refused with the text to make another by:', () => {
  test.each<[string, () => string | undefined]>([
    ['none', () => undefined],
    ["another replica's", () => 'nonce-of-another'],
    ['an empty one', () => ''],
    ['one of the future', () => 'nonce-2'],
  ])('%s', async (_name, nonce) => {
    const found = await check(await holder.prove({ ...request(), nonce: nonce() }))
    expect(found).toMatchObject({ ok: false, error: { error: 'use_dpop_nonce' } })
  })

  test('one that was good', async () => {
    const proof = await prove()
    clockMs = 120_000
    expect(await check(proof)).toMatchObject({ error: { error: 'use_dpop_nonce' } })
  })
})

test('where the text has changed, the next one is told, and the one before is good', async () => {
  const early = await prove()
  clockMs = 60_000
  expect(await check(early)).toEqual({ ok: true, value: { nonce: 'nonce-2' } })
  expect(await check(await prove())).toEqual(GOOD)
})

test('without a proof, one is asked for', async () => {
  expect(await check(undefined)).toMatchObject({
    error: { error: 'invalid_dpop_proof', why: expect.stringContaining('DPoP-Nonce') },
  })
})

test('a token that is bound to no key has no proof', async () => {
  expect(await check(await prove(), { key: undefined })).toMatchObject({ ok: false })
})

describe('a proof is good once', () => {
  const USED = { ok: false, error: { why: expect.stringContaining('used before') } }

  test('one after the other', async () => {
    const proof = await prove()
    expect(await check(proof)).toEqual(GOOD)
    expect(await check(proof)).toMatchObject(USED)
  })

  test('all at once', async () => {
    const proof = await prove()
    const all = await Promise.all(Array.from({ length: 20 }, () => check(proof)))
    expect(all.filter(({ ok }) => ok)).toHaveLength(1)
  })

  test('signed anew with the same jti', async () => {
    const claims = { jti: 'same' }
    expect(await check(await prove({ claims }))).toEqual(GOOD)
    expect(await check(await prove({ claims }))).toMatchObject(USED)
  })

  test('and for its key alone: another may have the same jti', async () => {
    const claims = { jti: 'same' }
    expect(await check(await prove({ claims }))).toEqual(GOOD)
    expect(await check(await prove({ claims }, rsa), { key: rsa.jkt })).toEqual(GOOD)
  })

  test('one that was refused uses up nothing', async () => {
    const proof = await prove()
    expect(await check(proof, { method: 'GET' })).toMatchObject({ ok: false })
    expect(await check(proof, { token: 'another' })).toMatchObject({ ok: false })
    expect(await check(proof)).toEqual(GOOD)
  })
})

test('of who has gone nothing is verified, and who is being verified is counted', async () => {
  const proof = await prove()
  const claimed = { proof, method: 'POST', token: TOKEN, key: holder.jkt }
  const found = Array.from({ length: 12 }, () => proofs.check(claimed, (gone) => gone()))
  const ended = await Promise.all(found)
  expect(ended.some((one) => !one.ok && one.error.kind === 'gone')).toBe(true)
  expect(proofs.pending).toBe(0)
})
