// What a connection's last good header is known to hold: that very one, on that connection, and nothing of whether it is
// good any more.

import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { isObject, type JsonObject } from '../../../../shared/json.ts'
import { ok } from '../../../../shared/result.ts'
import { parseSidecarConfig } from '../../../../shared/sidecar-config.ts'
import { callersOf } from '../../../../sidecar/identity/callers.ts'
import { IssuerKeys } from '../../../../sidecar/identity/issuer-keys.ts'
import { LastTokens } from '../../../../sidecar/identity/last-tokens.ts'
import { digestOf } from '../../../../sidecar/identity/remembered.ts'
import { Resource } from '../../../../sidecar/identity/resource.ts'
import { Verifier } from '../../../../sidecar/identity/verifier.ts'
import { Crowd } from '../../../../sidecar/identity/waiting.ts'
import { authenticate } from '../../../../sidecar/pipeline/authenticate.ts'
import type { Stage } from '../../../../sidecar/pipeline/stage.ts'
import { anExchange, aPassage } from '../../../support/fake-exchange.ts'
import { signed, signingKey, type SigningKey } from '../../../support/issuer.ts'
import { keptLog } from '../../../support/kept-log.ts'

describe('a header', () => {
  const [one, other] = [{}, {}]

  const known = (text: string) => ({ text, digest: `digest of ${text}` })

  test('is known again on its connection, until it is forgotten', () => {
    const tokens = new LastTokens()
    const kept = known('abc')
    tokens.keep(one, 'Bearer abc', kept)
    tokens.forget(other)
    expect(tokens.find(one, 'Bearer abc')).toBe(kept)
    tokens.forget(one)
    expect(tokens.find(one, 'Bearer abc')).toBeUndefined()
  })

  test.each([
    ['on another connection', other, 'Bearer abc'],
    ['in another spelling', one, 'bearer abc'],
    ['with something behind', one, 'Bearer abcd'],
    ['cut off', one, 'Bearer ab'],
    ['empty', one, ''],
  ])('is not known %s', (_how, connection, header) => {
    const tokens = new LastTokens()
    tokens.keep(one, 'Bearer abc', known('abc'))
    expect(tokens.find(connection, header)).toBeUndefined()
  })

  test('is known until the next one', () => {
    const tokens = new LastTokens()
    tokens.keep(one, 'Bearer abc', known('abc'))
    tokens.keep(one, 'Bearer def', known('def'))
    expect(tokens.find(one, 'Bearer abc')).toBeUndefined()
    expect(tokens.find(one, 'Bearer def')?.text).toBe('def')
  })

  test('is not kept where it is long', () => {
    const tokens = new LastTokens()
    for (const length of [2041, 2042]) {
      const text = 'a'.repeat(length)
      tokens.keep(one, `Bearer ${text}`, known(text))
      expect(tokens.find(one, `Bearer ${text}`) !== undefined).toBe(length === 2041)
    }
  })
})

describe('on one connection, a token that was good', () => {
  const ISSUER = 'https://idp'
  const START_MS = 1_800_000_000_000
  let key: SigningKey
  let jwks: readonly JsonObject[]
  let clockMs: number
  /** By how much somebody has set the time of day. */
  let setMs: number
  /** How often the verifier was asked. */
  let asked: number
  let stage: Stage
  let token: string
  let last: LastTokens

  beforeAll(async () => {
    key = await signingKey('one')
  })

  beforeEach(async () => {
    const jwk: unknown = JSON.parse(JSON.stringify(key.publicJwk))
    jwks = isObject(jwk) ? [jwk] : []
    clockMs = 0
    setMs = 0
    asked = 0
    const now = (): number => clockMs
    const keys = new IssuerKeys({
      issuer: ISSUER,
      fetch: async () => ok(jwks),
      now,
      sleep: async () => undefined,
      log: keptLog().log,
      crowd: new Crowd(9),
    })
    const config = parseSidecarConfig({ issuers: [{ url: ISSUER, audiences: ['here'] }] })
    if (!config.ok) throw new Error(config.error.join('\n'))
    const trusted = { keys, audiences: () => ['here'], groupsClaim: undefined }
    const wallMs = (): number => START_MS + clockMs + setMs
    const verifier = new Verifier({ issuers: new Map([[ISSUER, trusted]]), now, wallMs })
    const identify = verifier.identify.bind(verifier)
    verifier.identify = (...about) => {
      asked++
      return identify(...about)
    }
    last = new LastTokens()
    const resource = new Resource(config.value, () => 1)
    stage = authenticate(callersOf({ verifier, resource }, last))
    token = await signed({ iss: ISSUER, sub: 'ada', aud: 'here', exp: START_MS / 1000 + 600 }, key)
  })

  const { exchange } = anExchange()
  const { socket } = exchange.request
  /** Whom a header names, or why it is refused. */
  const call = async (authorization: string, url = '/mcp') => {
    const request = anExchange({ authorization }).exchange.request
    request.url = url
    Object.defineProperty(request, 'socket', { value: socket })
    const passage = { ...aPassage(), ...exchange, request, arrivedMs: clockMs }
    const fault = await stage(passage)
    return fault?.message ?? passage.principal?.identity?.subject
  }

  test('is good again', async () => {
    expect(await call(`Bearer ${token}`)).toBe('ada')
    expect(await call(`Bearer ${token}`)).toBe('ada')
  })

  test('is refused when it has ended', async () => {
    await call(`Bearer ${token}`)
    clockMs = 630_000
    expect(await call(`Bearer ${token}`)).toContain('it has expired')
  })

  test("is refused when its issuer's keys are others", async () => {
    await call(`Bearer ${token}`)
    const other: unknown = JSON.parse(JSON.stringify((await signingKey('two')).publicJwk))
    jwks = isObject(other) ? [other] : []
    clockMs = 301_000
    await call(`Bearer ${token}`)
    await new Promise(setImmediate)
    expect(await call(`Bearer ${token}`)).toContain('no key of its kid')
  })

  test('is known without the verifier for a moment', async () => {
    for (const ms of [0, 1, 99, 100, 101]) {
      clockMs = ms
      expect(await call(`Bearer ${token}`)).toBe('ada')
    }
    expect(asked).toBe(2)
  })

  test('is refused when it ends within that moment', async () => {
    clockMs = 629_950
    expect(await call(`Bearer ${token}`)).toBe('ada')
    clockMs = 629_999
    expect(await call(`Bearer ${token}`)).toBe('ada')
    clockMs = 630_000
    expect(await call(`Bearer ${token}`)).toContain('it has expired')
  })

  test('is refused when its issuer no longer vouches for it within that moment', async () => {
    const other: unknown = JSON.parse(JSON.stringify((await signingKey('two')).publicJwk))
    await call(`Bearer ${token}`)
    jwks = isObject(other) ? [other] : []
    clockMs = 300_001
    expect(await call(`Bearer ${token}`)).toBe('ada')
    await new Promise(setImmediate)
    clockMs = 300_002
    expect(await call(`Bearer ${token}`)).toContain('no key of its kid')
  })

  test('is refused a moment after somebody has set the time of day beyond its end', async () => {
    await call(`Bearer ${token}`)
    setMs = 700_000
    clockMs = 100
    expect(await call(`Bearer ${token}`)).toContain('it has expired')
  })

  test('is not taken for that of another principal on the same connection, as through a proxy', async () => {
    const claims = { iss: ISSUER, aud: 'here', exp: START_MS / 1000 + 600 }
    const other = await signed({ ...claims, sub: 'bob' }, key)
    for (let round = 0; round < 3; round++) {
      expect(await call(`Bearer ${token}`)).toBe('ada')
      expect(await call(`Bearer ${other}`)).toBe('bob')
    }
    expect(asked).toBe(6)
  })

  test('is refused in a URL, whatever the header', async () => {
    await call(`Bearer ${token}`)
    expect(await call(`Bearer ${token}`, `/mcp?access_token=${token}`)).toContain('in a URL')
  })

  test.each([
    ['another letter', (one: string) => one.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'))],
    ['a letter less', (one: string) => one.slice(0, -1)],
    ['another scheme', (one: string) => one.replace('Bearer', 'DPoP')],
    ['something behind', (one: string) => `${one},x`],
  ])('is not taken for one with %s', async (_what, change) => {
    await call(`Bearer ${token}`)
    expect(await call(change(`Bearer ${token}`))).not.toBe('ada')
    expect(await call(`Bearer ${token}`)).toBe('ada')
  })

  test('is kept as long as it is good, with the digest of its token', async () => {
    await call(`Bearer ${token}`)
    expect(last.find(socket, `Bearer ${token}`)).toEqual({ text: token, digest: digestOf(token) })
    clockMs = 630_000
    await call(`Bearer ${token}`)
    expect(last.find(socket, `Bearer ${token}`)).toBeUndefined()
  })

  test.each([
    ['no token', () => 'Bearer a.b.c'],
    ['one that is wrongly signed', () => `Bearer ${token.slice(0, -4)}AAAA`],
    ['one of a form that is none', () => 'Bearer ,'],
  ])('is not kept after %s, and neither is that', async (_what, header) => {
    await call(`Bearer ${token}`)
    await call(header())
    expect(last.find(socket, header())).toBeUndefined()
    expect(last.find(socket, `Bearer ${token}`)).toBeUndefined()
  })

  test('is not kept while nobody knows whether it is good', async () => {
    const called = call(`Bearer ${token}`)
    expect(last.find(socket, `Bearer ${token}`)).toBeUndefined()
    await called
    expect(last.find(socket, `Bearer ${token}`)).toBeDefined()
  })
})
