// When an issuer's keys are asked for, and who waits for them, by a clock that only the test moves.

import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { JWK } from 'jose'
import { isObject, type JsonObject } from '../../../../shared/json.ts'
import { fail, ok, type Result } from '../../../../shared/result.ts'
import { IssuerKeys } from '../../../../sidecar/identity/issuer-keys.ts'
import { Crowd } from '../../../../sidecar/identity/waiting.ts'
import { signingKey } from '../../../support/issuer.ts'
import { keptLog, type KeptLog } from '../../../support/kept-log.ts'

type Answer = Result<readonly JsonObject[], string>

const asJson = (jwk: JWK): JsonObject => {
  const value: unknown = JSON.parse(JSON.stringify(jwk))
  return isObject(value) ? value : {}
}

let one: JsonObject
let two: JsonObject

beforeAll(async () => {
  one = asJson((await signingKey('one')).publicJwk)
  two = asJson((await signingKey('two')).publicJwk)
})

let nowMs: number
/** When it was asked. */
let askedMs: number[]
let answer: () => Promise<Answer>
let sleepers: { readonly atMs: number; readonly wake: () => void }[]
let kept: KeptLog
let keys: IssuerKeys

const stays = (): void => undefined
const tokenOf = (kid: string) => ({ alg: 'ES256', kid, issuer: 'https://idp' }) as const
const find = (kid: string) => keys.find(tokenOf(kid), stays)
const kindOf = (found: Awaited<ReturnType<typeof find>>): string =>
  found.ok ? 'found' : found.error.kind

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) {
    // oxlint-disable-next-line no-await-in-loop
    await nextTurn()
  }
}

/** Lets time pass, waking who sleeps. */
const pass = async (ms: number): Promise<void> => {
  nowMs += ms
  const due = sleepers.filter(({ atMs }) => atMs <= nowMs)
  sleepers = sleepers.filter(({ atMs }) => atMs > nowMs)
  for (const { wake } of due) wake()
  await turns()
}

beforeEach(() => {
  nowMs = 1000
  askedMs = []
  sleepers = []
  kept = keptLog()
  answer = async () => ok([one])
  keys = new IssuerKeys({
    issuer: 'https://idp',
    fetch: () => {
      askedMs.push(nowMs)
      return answer()
    },
    now: () => nowMs,
    sleep: (ms) =>
      new Promise<void>((wake) => {
        sleepers.push({ atMs: nowMs + ms, wake })
      }),
    log: kept.log,
    crowd: new Crowd(9),
  })
})

describe('keys', () => {
  test('are fetched once for all who need them at first', async () => {
    const found = await Promise.all([find('one'), find('one'), find('one')])
    expect(found.map(kindOf)).toEqual(['found', 'found', 'found'])
    expect(askedMs).toEqual([1000])
  })

  test('serve five minutes without a question, then while they are asked for anew', async () => {
    await find('one')
    nowMs += 5 * 60_000
    expect(kindOf(await find('one'))).toBe('found')
    expect(askedMs).toHaveLength(1)
    nowMs += 1
    answer = () => new Promise(() => undefined)
    expect(kindOf(await find('one'))).toBe('found')
    expect(askedMs).toHaveLength(2)
  })

  test('serve for an hour while the issuer is away, and no longer', async () => {
    await find('one')
    answer = async () => fail('it is away')
    nowMs += 60 * 60_000 - 1
    expect(kindOf(await find('one'))).toBe('found')
    await turns()
    nowMs += 1
    expect(keys.current).toBeUndefined()
    const late = find('one')
    await pass(10_000)
    expect(await late).toEqual({ ok: false, error: { kind: 'unavailable', retryMs: 4000 } })
  })

  test('that come in another order are the same set', async () => {
    answer = async () => ok([one, two])
    await find('one')
    const { current } = keys
    answer = async () => ok([two, one])
    nowMs += 6 * 60_000
    await find('one')
    await turns()
    expect(askedMs).toHaveLength(2)
    expect(keys.current).toBe(current)
  })

  test('that are the same stay the set that they were; others are another', async () => {
    await find('one')
    const { current } = keys
    nowMs += 6 * 60_000
    await find('one')
    await turns()
    expect(keys.current).toBe(current)
    answer = async () => ok([two])
    nowMs += 6 * 60_000
    await find('one')
    await turns()
    expect(keys.current).not.toBe(current)
    expect(kept.lines.filter((line) => line.includes('new here'))).toHaveLength(2)
  })
})

describe('a key that nobody has seen', () => {
  beforeEach(async () => {
    await find('one')
  })

  test('is found by a fetch of its own, after a pause', async () => {
    answer = async () => ok([one, two])
    const found = find('two')
    await pass(1999)
    expect(askedMs).toHaveLength(1)
    await pass(1)
    expect(kindOf(await found)).toBe('found')
    expect(askedMs).toEqual([1000, 3000])
  })

  test('is asked for once more where the running fetch may have been too early', async () => {
    let early = (_answer: Answer): void => undefined
    answer = () =>
      new Promise((resolve) => {
        early = resolve
      })
    const first = find('zero')
    await pass(2000)
    const rotated = find('two')
    await turns()
    answer = async () => ok([one, two])
    early(ok([one]))
    expect(kindOf(await first)).toBe('unknown')
    await turns()
    await pass(4000)
    expect(kindOf(await rotated)).toBe('found')
    expect(askedMs).toHaveLength(3)
  })

  test('that nobody has makes pauses that grow to ten seconds, whoever asks how often', async () => {
    for (let second = 0; second < 60; second++) {
      void find(`flood-${second}`)
      // oxlint-disable-next-line no-await-in-loop
      await pass(1000)
    }
    const pauses = askedMs.map((at, index) => at - (askedMs[index - 1] ?? at)).slice(1)
    expect(pauses.map((ms) => Math.round(ms / 1000))).toEqual([2, 4, 8, 10, 10, 10, 10])
  })

  test('that nobody has makes pauses that stay long where timers are late', async () => {
    for (let round = 0; round < 60; round++) {
      void find(`flood-${round}`)
      // oxlint-disable-next-line no-await-in-loop
      await pass(1300)
    }
    const pauses = askedMs.map((at, index) => at - (askedMs[index - 1] ?? at)).slice(4)
    expect(pauses.length).toBeGreaterThan(3)
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(10_000)
  })

  test('is found within ten seconds, whoever floods us with others', async () => {
    for (let second = 0; second < 70; second++) {
      void find(`flood-${second}`)
      // oxlint-disable-next-line no-await-in-loop
      await pass(1000)
    }
    answer = async () => ok([one, two])
    const found = find('two')
    await pass(10_000)
    expect(kindOf(await found)).toBe('found')
  })

  test('is fetched at once again after twenty seconds of calm', async () => {
    for (const kid of ['a', 'b', 'c']) {
      const unknown = find(kid)
      // oxlint-disable-next-line no-await-in-loop
      await pass(8000)
      // oxlint-disable-next-line no-await-in-loop
      expect(kindOf(await unknown)).toBe('unknown')
    }
    await pass(20_001)
    answer = async () => ok([two])
    expect(kindOf(await find('two'))).toBe('found')
  })

  test('is waited for by who is there, not by who has gone', async () => {
    let goes = (): void => undefined
    const gone = keys.find(tokenOf('two'), (callback) => {
      goes = callback
    })
    await turns()
    goes()
    expect(kindOf(await gone)).toBe('gone')
  })
})

describe('a fetch that fails', () => {
  test('is told once, whatever it fails, and its end', async () => {
    answer = async () => fail('it is away')
    for (let round = 0; round < 3; round++) {
      const found = find('one')
      // oxlint-disable-next-line no-await-in-loop
      await pass(10_000)
      // oxlint-disable-next-line no-await-in-loop
      expect(kindOf(await found)).toBe('unavailable')
    }
    answer = async () => ok([one])
    const found = find('one')
    await pass(10_000)
    expect(kindOf(await found)).toBe('found')
    expect(kept.lines.filter((line) => line.includes('it is away'))).toHaveLength(1)
    expect(kept.lines.filter((line) => line.includes('fetched again'))).toHaveLength(1)
  })

  test('in an unforeseen way leaves nobody waiting', async () => {
    answer = async () => Promise.reject(new Error('a fault of ours'))
    expect(kindOf(await find('one'))).toBe('unavailable')
  })
})

describe('which key is meant', () => {
  const other = { alg: 'RS256', kid: 'one', issuer: 'https://idp' } as const

  test.each<[string, readonly JsonObject[], string]>([
    ['of another curve', [{ kty: 'EC', crv: 'P-384', kid: 'one' }], 'unknown'],
    ['for encryption', [{ kty: 'EC', crv: 'P-256', kid: 'one', use: 'enc' }], 'unknown'],
    ['for another algorithm', [{ kty: 'EC', crv: 'P-256', kid: 'one', alg: 'ES384' }], 'unknown'],
    ['that is none', [{ kty: 'EC', crv: 'P-256', kid: 'one', x: 'AA', y: 'AA' }], 'unknown'],
    ['a shared secret', [{ kty: 'oct', k: 'AAAA', kid: 'one' }], 'unknown'],
  ])('not one %s', async (_name, jwks, expected) => {
    answer = async () => ok(jwks)
    expect(kindOf(await find('one'))).toBe(expected)
  })

  test('not one that is named twice', async () => {
    answer = async () => ok([one, one])
    expect(kindOf(await find('one'))).toBe('unknown')
  })

  test('the only one, where the token names none', async () => {
    expect(kindOf(await keys.find({ ...tokenOf('one'), kid: undefined }, stays))).toBe('found')
  })

  test('none of another kind under the same name', async () => {
    expect(kindOf(await keys.find(other, stays))).toBe('unknown')
  })
})
