// How often an issuer is asked about a token, for how long its word counts, and what becomes of who waits; by a clock that
// the test moves.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { JsonObject } from '../../../../shared/json.ts'
import { fail, ok, type Result } from '../../../../shared/result.ts'
import type { FetchRules } from '../../../../sidecar/identity/fetch-json.ts'
import { Introspection } from '../../../../sidecar/identity/introspection.ts'
import { OpaqueTokens } from '../../../../sidecar/identity/opaque-tokens.ts'
import { Verifier } from '../../../../sidecar/identity/verifier.ts'
import { Crowd, type WhenGone } from '../../../../sidecar/identity/waiting.ts'
import { keptLog, type KeptLog } from '../../../support/kept-log.ts'

const START_MS = 1_800_000_000_000
const GOOD: JsonObject = {
  active: true,
  sub: 'ada',
  aud: 'here',
  exp: START_MS / 1000 + 300,
}
const CREDENTIALS = 'Basic aWQ6c2VjcmV0'

let clockMs: number
let answer: (token: string) => Promise<Result<JsonObject, string>>
let asked: { readonly token: string; readonly rules: FetchRules }[]
let kept: KeptLog
let verifier: Verifier
let count = 0

const tokenIn = (rules: FetchRules): string => new URLSearchParams(rules.form).get('token') ?? ''

beforeEach(() => {
  clockMs = 0
  asked = []
  answer = async () => ok(GOOD)
  kept = keptLog()
  const now = (): number => clockMs
  const wallMs = (): number => START_MS + clockMs
  const introspection = new Introspection({
    issuer: 'https://idp',
    url: 'https://idp/introspect',
    hosts: [],
    ca: 'the authority',
    fetchJson: (_url, rules) => {
      const token = tokenIn(rules)
      asked.push({ token, rules })
      return answer(token)
    },
    authorization: async () => ok(CREDENTIALS),
    now,
    log: kept.log,
    crowd: new Crowd(200),
    crowdOfKnown: new Crowd(200),
  })
  const about = { issuer: 'https://idp', audiences: () => ['here'], groupsClaim: undefined }
  const opaque = new OpaqueTokens({ ...about, introspection, now, wallMs })
  verifier = new Verifier({
    issuers: new Map(),
    opaque,
    now,
    wallMs,
  })
})

const stays: WhenGone = () => undefined
/** Each comes from an address of its own, unless a test says where. */
const identify = async (token: string, whenGone = stays, from = `address-${count++}`) =>
  verifier.identify(token, whenGone, { certificate: () => undefined, address: () => from })
const kinds = (found: readonly Awaited<ReturnType<typeof identify>>[]): readonly string[] =>
  found.map((one) => (one.ok ? 'ok' : one.error.kind))

test('a bearer is known until the token ends', async () => {
  expect(await identify('a-token')).toMatchObject({ ok: true, value: { untilMs: 330_000 } })
  expect(asked.map(({ token }) => token)).toEqual(['a-token'])
  expect(asked[0]?.rules).toMatchObject({
    maxBytes: 32_768,
    ca: 'the authority',
    authorization: CREDENTIALS,
    form: 'token=a-token&token_type_hint=access_token',
  })
})

test('the token is sent as it is, whatever stands in it', async () => {
  const token = 'a+b/c~d=='
  await identify(token)
  expect(asked.map((one) => one.token)).toEqual([token])
})

test('a token that is signed is never asked about', async () => {
  expect(kinds([await identify('eyJ.eyJ.c2ln')])).toEqual(['invalid'])
  expect(asked).toEqual([])
})

describe('an answer counts', () => {
  test.each([
    ['at once', 0, 1],
    ['for a minute', 59_999, 1],
    ['no longer', 60_000, 2],
  ])('%s', async (_name, afterMs, times) => {
    await identify('a')
    clockMs = afterMs
    expect(kinds([await identify('a')])).toEqual(['ok'])
    expect(asked).toHaveLength(times)
  })

  test('no longer than the token is valid', async () => {
    answer = async () => ok({ ...GOOD, exp: START_MS / 1000 - 20 })
    await identify('a')
    clockMs = 10_000
    expect(kinds([await identify('a')])).toEqual(['invalid'])
  })

  test('for its token alone', async () => {
    answer = async (token) => (token === 'good' ? ok(GOOD) : ok({ active: false }))
    const found = await Promise.all(['good', 'bad', 'Good', 'good='].map((one) => identify(one)))
    expect(kinds(found)).toEqual(['ok', 'invalid', 'invalid', 'invalid'])
  })

  test('also where it is a refusal, for five seconds', async () => {
    answer = async () => ok({ active: false })
    await identify('a')
    answer = async () => ok(GOOD)
    clockMs = 4999
    expect(kinds([await identify('a')])).toEqual(['invalid'])
    clockMs = 5000
    expect(kinds([await identify('a')])).toEqual(['ok'])
    expect(asked).toHaveLength(2)
  })

  test('not where a token was taken back', async () => {
    await identify('a')
    answer = async () => ok({ active: false })
    clockMs = 60_000
    expect(kinds([await identify('a')])).toEqual(['invalid'])
  })
})

describe('at once', () => {
  test('a hundred callers with one token ask once', async () => {
    const found = await Promise.all(Array.from({ length: 100 }, () => identify('a')))
    expect(new Set(kinds(found))).toEqual(new Set(['ok']))
    expect(asked).toHaveLength(1)
  })

  test('sixteen are asked about, 128 wait, and others are told to come again', async () => {
    const ends: (() => void)[] = []
    answer = () => new Promise((resolve) => ends.push(() => resolve(ok(GOOD))))
    const all = Array.from({ length: 150 }, (_, index) => identify(`token-${index}`))
    await nextTurn()
    expect(asked).toHaveLength(16)
    while (ends.length > 0) {
      for (const end of ends.splice(0)) end()
      // oxlint-disable-next-line no-await-in-loop
      await nextTurn()
    }
    const found = kinds(await Promise.all(all))
    expect(found.filter((kind) => kind === 'ok')).toHaveLength(144)
    expect(found.filter((kind) => kind === 'busy')).toHaveLength(6)
  })

  test('a flood of unknown tokens keeps nobody from an answer whose token was good', async () => {
    await identify('known')
    clockMs = 60_000
    answer = (token) =>
      token === 'known' ? Promise.resolve(ok(GOOD)) : new Promise(() => undefined)
    const flood = Array.from({ length: 300 }, (_, index) => identify(`token-${index}`))
    expect(kinds([await identify('known')])).toEqual(['ok'])
    expect(flood).toHaveLength(300)
  })

  test.each([
    ['of many tokens', (index: number) => `token-${index}`],
    ['of one token', () => 'one-token'],
  ])('a flood %s from one address leaves room to those of others', async (_name, tokenOf) => {
    const ends: (() => void)[] = []
    answer = () => new Promise((resolve) => ends.push(() => resolve(ok(GOOD))))
    const flood = Array.from({ length: 1000 }, (_, index) =>
      identify(tokenOf(index), stays, 'evil'),
    )
    await nextTurn()
    const others = Array.from({ length: 20 }, (_, index) => identify(`other-${index}`))
    await nextTurn()
    while (ends.length > 0) {
      for (const end of ends.splice(0)) end()
      // oxlint-disable-next-line no-await-in-loop
      await nextTurn()
    }
    expect(new Set(kinds(await Promise.all(others)))).toEqual(new Set(['ok']))
    expect(kinds(await Promise.all(flood))).toContain('busy')
    // Nothing of it stays: as many find room again.
    const again = Array.from({ length: 60 }, (_, index) =>
      identify(`again-${index}`, stays, 'evil'),
    )
    await nextTurn()
    while (ends.length > 0) {
      for (const end of ends.splice(0)) end()
      // oxlint-disable-next-line no-await-in-loop
      await nextTurn()
    }
    expect(new Set(kinds(await Promise.all(again)))).toEqual(new Set(['ok']))
  })

  test('who leaves before their turn takes their question along, so that others have room', async () => {
    const ends: (() => void)[] = []
    answer = () => new Promise((resolve) => ends.push(() => resolve(ok(GOOD))))
    const leaves: (() => void)[] = []
    const flood = Array.from({ length: 144 }, (_, index) =>
      identify(`token-${index}`, (callback) => leaves.push(callback)),
    )
    await nextTurn()
    for (const leave of leaves) leave()
    expect(new Set(kinds(await Promise.all(flood)))).toEqual(new Set(['gone']))
    const later = Array.from({ length: 100 }, (_, index) => identify(`later-${index}`))
    await nextTurn()
    while (ends.length > 0) {
      for (const end of ends.splice(0)) end()
      // oxlint-disable-next-line no-await-in-loop
      await nextTurn()
    }
    expect(new Set(kinds(await Promise.all(later)))).toEqual(new Set(['ok']))
    expect(asked).toHaveLength(16 + 100)
  })

  test('who comes back to a question that was taken along asks anew', async () => {
    const ends: (() => void)[] = []
    answer = () => new Promise((resolve) => ends.push(() => resolve(ok(GOOD))))
    const busy = Array.from({ length: 16 }, (_, index) => identify(`token-${index}`))
    await nextTurn()
    let leave = (): void => undefined
    const first = identify('a', (callback) => {
      leave = callback
    })
    await nextTurn()
    leave()
    const again = identify('a')
    while (ends.length > 0) {
      for (const end of ends.splice(0)) end()
      // oxlint-disable-next-line no-await-in-loop
      await nextTurn()
    }
    expect(kinds([await first, await again])).toEqual(['gone', 'ok'])
    expect(kinds(await Promise.all(busy))).toHaveLength(16)
  })

  test('who finds no room to wait asks nothing', async () => {
    answer = () => new Promise(() => undefined)
    const waiting = Array.from({ length: 100 }, () => identify('a'))
    waiting.push(...Array.from({ length: 100 }, () => identify('b')))
    await nextTurn()
    expect(kinds([await identify('c')])).toEqual(['busy'])
    await nextTurn()
    expect(asked.map(({ token }) => token)).toEqual(['a', 'b'])
  })

  test('who leaves takes the answer from nobody', async () => {
    let leave = (): void => undefined
    const first = identify('a', (callback) => {
      leave = callback
    })
    const second = identify('a')
    leave()
    expect(kinds([await first, await second])).toEqual(['gone', 'ok'])
    expect(asked).toHaveLength(1)
  })
})

describe('an issuer that is away', () => {
  test('lets nobody in, is asked again by the next, and is told of once a minute', async () => {
    answer = async () => fail('it answered 500')
    for (const token of ['a', 'b', 'c']) {
      // oxlint-disable-next-line no-await-in-loop
      expect(kinds([await identify(token)])).toEqual(['unavailable'])
    }
    expect(kept.lines).toEqual([
      expect.stringContaining('"why":"https://idp/introspect: it answered 500"'),
    ])
    answer = async () => ok(GOOD)
    expect(kinds([await identify('a')])).toEqual(['ok'])
  })

  test('is trusted no longer than its last word counts', async () => {
    await identify('a')
    answer = () => Promise.reject(new Error('it broke'))
    clockMs = 59_999
    expect(kinds([await identify('a')])).toEqual(['ok'])
    clockMs = 60_000
    expect(kinds([await identify('a')])).toEqual(['unavailable'])
  })
})
