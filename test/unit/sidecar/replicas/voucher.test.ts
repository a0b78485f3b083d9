// What one replica tells another of a caller: for one request, one replica, a short time, and once.

import { describe, expect, test } from '@jest/globals'
import type { Identity } from '../../../../sidecar/access/principal.ts'
import {
  digestOf,
  readVoucher,
  Used,
  writeVoucher,
  type Deed,
  type Expected,
  type Voucher,
} from '../../../../sidecar/replicas/voucher.ts'

const KEY = Buffer.alloc(32, 1)
const OTHER = Buffer.alloc(32, 2)
const NOW_MS = 1_800_000_000_000

const DEED: Deed = {
  method: 'POST',
  path: '/mcp',
  session: 'a'.repeat(48),
  lastEventId: undefined,
  body: Buffer.from('{}'),
}
const VOUCHER: Voucher = {
  principal: { key: 'anonymous' },
  leftMs: undefined,
  to: '10.0.0.2',
  atMs: NOW_MS,
  nonce: 'n',
  digest: digestOf(DEED),
}
const EXPECTED: Expected = {
  keys: [KEY],
  to: new Set(['10.0.0.2', 'fd00::2']),
  wallMs: NOW_MS,
  deed: DEED,
}

test('says who calls, and until when', () => {
  const identity: Identity = {
    by: 'certificate',
    issuer: 'https://issuer.example',
    subject: 'ünal',
    client: undefined,
    scopes: ['read'],
    groups: ['a', 'b'],
    lacksGroups: true,
    actors: [{ issuer: undefined, subject: 'agent' }],
  }
  const voucher = { ...VOUCHER, principal: { key: '["a","b"]', identity }, leftMs: 5000 }
  expect(readVoucher(writeVoucher(KEY, voucher), EXPECTED)).toEqual({ ok: true, value: voucher })
})

test('says what the caller’s processes are given, and nothing that is no text', () => {
  const principal = { key: '["k","d"]', person: 'k', environment: { USER_EMAIL: 'a@b' } }
  const read = (said: object) => {
    const voucher = { ...VOUCHER, principal: { ...principal, ...said } }
    return readVoucher(writeVoucher(KEY, voucher), EXPECTED)
  }
  expect(read({})).toMatchObject({ ok: true, value: { principal } })
  expect(read({ environment: { USER_EMAIL: 'a@b', X: ['y'] }, person: ['x'] })).toEqual({
    ok: true,
    value: { ...VOUCHER, principal: { key: principal.key, environment: principal.environment } },
  })
})

test('says where its client is, and nothing that is no text', () => {
  const read = (from: unknown) =>
    readVoucher(writeVoucher(KEY, JSON.parse(JSON.stringify({ ...VOUCHER, from }))), EXPECTED)
  expect(read('10.0.0.9')).toEqual({ ok: true, value: { ...VOUCHER, from: '10.0.0.9' } })
  expect(read(['10.0.0.9'])).toEqual({ ok: true, value: VOUCHER })
})

test('is good by any of the keys that are', () => {
  const text = writeVoucher(OTHER, VOUCHER)
  expect(readVoucher(text, { ...EXPECTED, keys: [KEY, OTHER] })).toMatchObject({ ok: true })
})

describe('is refused', () => {
  const text = writeVoucher(KEY, VOUCHER)
  const [signed = '', mac = ''] = text.split('.')
  const altered = Buffer.from(signed, 'base64url').toString().replace('anonymous', 'somebodyy')

  test.each<[string, string, Partial<Expected>, string]>([
    ['that is missing', '', {}, 'signature'],
    ['without a signature', `${signed}.`, {}, 'signature'],
    ['with another signature', `${signed}.${'A'.repeat(43)}`, {}, 'signature'],
    ['with what others have signed', writeVoucher(OTHER, VOUCHER), {}, 'signature'],
    ['of another caller', `${Buffer.from(altered).toString('base64url')}.${mac}`, {}, 'signature'],
    ['with something behind it', `${text}\n`, {}, 'signature'],
    ['twice in one header', `${text}, ${text}`, {}, 'signature'],
    ['where there is no key', text, { keys: [] }, 'signature'],
    ['at another replica', text, { to: new Set(['10.0.0.3']) }, 'another replica'],
    ['too late', text, { wallMs: NOW_MS + 30_001 }, 'not of now'],
    ['too early', text, { wallMs: NOW_MS - 30_001 }, 'not of now'],
    ['by another method', text, { deed: { ...DEED, method: 'DELETE' } }, 'another request'],
    ['at another path', text, { deed: { ...DEED, path: '/' } }, 'another request'],
    ['for another session', text, { deed: { ...DEED, session: 'b' } }, 'another request'],
    ['without the session', text, { deed: { ...DEED, session: undefined } }, 'another request'],
    ['from another event on', text, { deed: { ...DEED, lastEventId: '1' } }, 'another request'],
    ['with another body', text, { deed: { ...DEED, body: Buffer.from('[]') } }, 'another request'],
    ['without a body', text, { deed: { ...DEED, body: undefined } }, 'another request'],
  ])('one %s', (_name, given, expected, why) => {
    expect(readVoucher(given, { ...EXPECTED, ...expected })).toEqual({
      ok: false,
      error: expect.stringContaining(why),
    })
  })

  test.each([
    ['nobody', { principal: undefined }],
    ['a principal without a key', { principal: {} }],
    ['no time', { atMs: undefined }],
    ['no replica', { to: undefined }],
    ['no digest', { digest: undefined }],
    ['no nonce', { nonce: undefined }],
  ])('one that names %s', (_name, without) => {
    const signedText = Buffer.from(JSON.stringify({ ...VOUCHER, ...without })).toString('base64url')
    const whole = writeVoucher(KEY, VOUCHER)
    expect(whole).not.toContain(signedText)
    const said = JSON.parse(JSON.stringify({ ...VOUCHER, ...without }))
    expect(readVoucher(writeVoucher(KEY, said), EXPECTED)).toEqual({
      ok: false,
      error: 'it is not whole',
    })
  })
})

describe('whether one was used', () => {
  const used = (): { used: Used; later: (ms: number) => void } => {
    let nowMs = 0
    return {
      used: new Used(() => nowMs),
      later: (ms) => {
        nowMs += ms
      },
    }
  }

  test('is remembered for as long as it can be good', () => {
    const { used: some, later } = used()
    expect(some.take('a')).toBe(true)
    for (let ms = 0; ms < 60_000; ms += 10_000) {
      expect(some.take('a')).toBe(false)
      later(10_000)
    }
  })

  test('is forgotten some time after that', () => {
    const { used: some, later } = used()
    some.take('a')
    later(120_000)
    expect(some.take('a')).toBe(true)
  })

  test('is not forgotten for others, however many come: then none is taken', () => {
    const { used: some, later } = used()
    const taken = Array.from({ length: 131_072 }, (_, count) => some.take(`${count}`))
    expect(taken.every(Boolean)).toBe(true)
    expect(some.take('one more')).toBe(false)
    expect(some.take('0')).toBe(false)
    later(60_000)
    expect(some.take('one more')).toBe(true)
    expect(some.take('0')).toBe(false)
  })
})
