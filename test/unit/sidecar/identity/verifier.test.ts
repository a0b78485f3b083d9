// Who bears a token, for how long that is remembered, and what makes it be asked anew; by a clock that the test moves.

import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isObject, type JsonObject } from '../../../../shared/json.ts'
import { ok } from '../../../../shared/result.ts'
import { IssuerKeys } from '../../../../sidecar/identity/issuer-keys.ts'
import type { TrustedIssuer } from '../../../../sidecar/identity/signed-tokens.ts'
import { Verifier } from '../../../../sidecar/identity/verifier.ts'
import { Crowd } from '../../../../sidecar/identity/waiting.ts'
import { signed, signingKey, type Claims, type SigningKey } from '../../../support/issuer.ts'
import { keptLog } from '../../../support/kept-log.ts'
import { rawSigned } from '../../../support/raw-token.ts'

const START_MS = 1_800_000_000_000
const ISSUER = 'https://idp'
const CLUSTER = 'https://kubernetes.default.svc'

let one: SigningKey
let two: SigningKey
let clockMs: number
let jwks: readonly JsonObject[]
let fetches: number
let verifier: Verifier
let told: string[]
let hangs: boolean

const jwkOf = ({ publicJwk }: SigningKey): JsonObject => {
  const value: unknown = JSON.parse(JSON.stringify(publicJwk))
  return isObject(value) ? value : {}
}

beforeAll(async () => {
  one = await signingKey('one')
  two = await signingKey('two')
})

beforeEach(() => {
  clockMs = 0
  fetches = 0
  told = []
  hangs = false
  jwks = [jwkOf(one)]
  const keys = new IssuerKeys({
    issuer: ISSUER,
    fetch: async () => {
      fetches++
      return hangs ? new Promise<never>(() => undefined) : ok(jwks)
    },
    now: () => clockMs,
    sleep: async (ms) => {
      clockMs += ms
    },
    log: keptLog().log,
    crowd: new Crowd(9),
  })
  const trusted: TrustedIssuer = { keys, audiences: () => ['here'], groupsClaim: 'groups' }
  verifier = new Verifier({
    issuers: new Map([
      [ISSUER, trusted],
      [CLUSTER, { ...trusted, subjects: new Set(['system:serviceaccount:agents:nightly']) }],
    ]),
    now: () => clockMs,
    wallMs: () => START_MS + clockMs,
    onLackOfGroups: (issuer) => told.push(issuer),
  })
})

const CLAIMS = { iss: ISSUER, sub: 'ada', aud: 'here', exp: START_MS / 1000 + 300 }

const tokenOf = (more: Claims = {}, key = one): Promise<string> =>
  signed({ ...CLAIMS, ...more }, key)

const stays = (): void => undefined
const identify = async (token: string) => verifier.identify(token, stays)

test('a bearer is known until the token ends', async () => {
  expect(await identify(await tokenOf({ groups: ['ops'] }))).toMatchObject({
    ok: true,
    value: { untilMs: 330_000, principal: { identity: { subject: 'ada', groups: ['ops'] } } },
  })
})

test('a wall clock that runs beside ours does not matter', async () => {
  const token = await tokenOf()
  await identify(token)
  clockMs = 100_000
  expect(await identify(token)).toMatchObject({ value: { untilMs: 330_000 } })
})

test.each<[string, Claims, object, string]>([
  ['no issuer', { iss: undefined }, {}, '(iss)'],
  ['an issuer that is a list', { iss: [ISSUER] }, {}, '(iss)'],
  ['an issuer that is not listed', { iss: 'https://evil' }, {}, 'not among those'],
  ['a typ of something else', {}, { typ: 'dpop+jwt' }, 'typ'],
  ['a typ that is no text', {}, { typ: 7 }, 'typ'],
])('%s is refused before keys are asked for', async (_name, claims, header, says) => {
  const token = rawSigned({ alg: 'ES256', kid: 'one', ...header }, { ...CLAIMS, ...claims }, one)
  const why = expect.stringContaining(says)
  expect(await identify(token)).toEqual({ ok: false, error: { kind: 'invalid', why } })
  expect(fetches).toBe(0)
})

describe('a token that was verified', () => {
  test('is known at once, and no longer than it is valid', async () => {
    const token = await tokenOf()
    await identify(token)
    expect(verifier.identify(token, stays)).not.toBeInstanceOf(Promise)
    clockMs = 330_000
    expect(await identify(token)).toEqual({
      ok: false,
      error: { kind: 'invalid', why: 'it has expired' },
    })
  })

  test('is not known any more when its key has gone', async () => {
    const token = await tokenOf({ exp: START_MS / 1000 + 3600 })
    await identify(token)
    jwks = [jwkOf(two)]
    clockMs = 301_000
    await identify(token)
    await nextTurn()
    expect(await identify(token)).toMatchObject({ error: { kind: 'invalid' } })
  })

  test('is not known by another in whose place a letter is another', async () => {
    const token = await tokenOf()
    await identify(token)
    const other = token.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'))
    expect(await identify(other)).toMatchObject({ ok: false })
  })

  test('goes when too many come, and is verified again', async () => {
    const tokens = await Promise.all(
      Array.from({ length: 4100 }, (_, jti) => tokenOf({ jti: String(jti) })),
    )
    for (const token of tokens) {
      // oxlint-disable-next-line no-await-in-loop
      await identify(token)
    }
    expect(verifier.identify(tokens[0] ?? '', stays)).toBeInstanceOf(Promise)
    expect(verifier.identify(tokens.at(-1) ?? '', stays)).not.toBeInstanceOf(Promise)
    expect(fetches).toBe(1)
  })
})

test.each<[string, () => Promise<string>, string]>([
  ['another issuer', () => tokenOf({ iss: 'https://evil' }), 'not among'],
  ['an issuer of every object', () => tokenOf({ iss: 'constructor' }), 'not among'],
  ['another audience', () => tokenOf({ aud: 'there' }), '(aud)'],
  ["another's key under its name", async () => tokenOf({}, { ...two, kid: 'one' }), 'signature'],
  ['a key that nobody has', () => tokenOf({}, two), 'no key'],
  ['expired', () => tokenOf({ exp: START_MS / 1000 - 31 }), 'expired'],
  ['bound to a key', () => tokenOf({ cnf: {} }), '(cnf)'],
  ['an ID token', () => tokenOf({ at_hash: 'x' }), 'at_hash'],
])('%s is refused', async (_name, token, says) => {
  expect(await identify(await token())).toEqual({
    ok: false,
    error: { kind: 'invalid', why: expect.stringContaining(says) },
  })
})

test('that a token does not list its groups is told', async () => {
  await identify(await tokenOf({ _claim_names: { groups: 'src1' }, _claim_sources: {} }))
  expect(told).toEqual([ISSUER])
})

describe("the cluster's own issuer vouches for", () => {
  const as = (sub: string): Promise<string> => tokenOf({ iss: CLUSTER, sub })

  test('an account that is named', async () => {
    expect(await identify(await as('system:serviceaccount:agents:nightly'))).toMatchObject({
      ok: true,
      value: { principal: { identity: { issuer: CLUSTER } } },
    })
  })

  test.each([
    'system:serviceaccount:agents:default',
    'system:serviceaccount:agents:nightly2',
    'system:serviceaccount:agent:snightly',
    'system:serviceaccount:other:nightly',
    'system:serviceaccount:agents:Nightly',
    'agents:nightly',
    'system:admin',
  ])('nobody else: %s', async (sub) => {
    expect(await identify(await as(sub))).toEqual({
      ok: false,
      error: { kind: 'invalid', why: expect.stringContaining('not among those that are listed') },
    })
  })

  test('nobody by the word of another issuer', async () => {
    const token = await tokenOf({ sub: 'system:serviceaccount:agents:nightly' })
    const found = await identify(token)
    expect(found.ok && found.value.principal.identity?.issuer).toBe(ISSUER)
  })
})

test('a rotated key is taken, whoever had none of it before', async () => {
  await identify(await tokenOf())
  jwks = [jwkOf(two)]
  expect(await identify(await tokenOf({}, two))).toMatchObject({ ok: true })
  expect(await identify(await tokenOf({ jti: 'old' }))).toMatchObject({ ok: false })
})

test('who is being verified is counted until that is over, however it ends', async () => {
  const found = [identify(await tokenOf()), identify('a.b.c'), identify('x')]
  expect(verifier.pending).toBe(3)
  await Promise.all(found)
  expect(verifier.pending).toBe(0)
})

test('of who has gone nothing is verified', async () => {
  const found = await verifier.identify(await tokenOf(), (callback) => callback())
  expect(found).toMatchObject({ error: { kind: 'gone' } })
})

test('while strangers fill all room with keys that nobody knows, and the issuer is silent, callers are served', async () => {
  const before = await tokenOf()
  expect((await identify(before)).ok).toBe(true)
  hangs = true
  clockMs += 10_000
  const stranger = await signingKey('nobody knows this')
  const flood = Array.from({ length: 20 }, async (_none, index) =>
    identify(await tokenOf({ jti: `${index}` }, stranger)),
  )
  expect(await Promise.race(flood)).toEqual({ ok: false, error: { kind: 'busy' } })
  expect((await identify(before)).ok).toBe(true)
  expect((await identify(await tokenOf({ jti: 'issued since' }))).ok).toBe(true)
})
