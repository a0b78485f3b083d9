// A trust domain's bundle from an endpoint: how often it is asked for, what is taken, and how long that serves.

import { beforeEach, describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { fail, ok, type Result } from '../../../../shared/result.ts'
import { BundleEndpoint } from '../../../../sidecar/identity/bundle-endpoint.ts'
import { keptLog, type KeptLog } from '../../../support/kept-log.ts'

const keyOf = (kid: string): JsonObject => ({
  use: 'jwt-svid',
  kty: 'EC',
  crv: 'P-256',
  x: 'x',
  y: 'y',
  kid,
})
const documentOf = (kid: string, more: JsonObject = {}): JsonObject => ({
  keys: [keyOf(kid)],
  ...more,
})

let clockMs: number
let answer: () => Promise<Result<JsonObject, string>>
let log: KeptLog
let endpoint: BundleEndpoint

beforeEach(() => {
  clockMs = 0
  log = keptLog()
  endpoint = new BundleEndpoint({
    name: 'example.org',
    url: 'https://spire/bundle',
    fetch: () => answer(),
    now: () => clockMs,
    log: log.log,
  })
})

const says = (document: JsonObject): Promise<number> => {
  answer = async () => ok(document)
  return endpoint.look()
}
const failing = (why: string): Promise<number> => {
  answer = async () => fail(why)
  return endpoint.look()
}
const held = (): unknown => endpoint.current()?.jwtKeys.map(({ kid }) => kid)

test.each<[string, JsonObject, number]>([
  ['every five minutes', {}, 300_000],
  ['as often as it says', { spiffe_refresh_hint: 60 }, 60_000],
  ['not more often than every five seconds', { spiffe_refresh_hint: 0 }, 5000],
  ['not less often than every five minutes', { spiffe_refresh_hint: 86_400 }, 300_000],
])('a bundle is asked for %s', async (_name, more, waitMs) => {
  expect(await says(documentOf('one', more))).toBe(waitMs)
  expect(held()).toEqual(['one'])
})

test('before there is one, nobody is believed, and it is soon asked for again', async () => {
  expect(await failing('it answered 500')).toBe(5000)
  expect(held()).toBeUndefined()
})

test('while the endpoint is away, the last one serves for an hour', async () => {
  await says(documentOf('one'))
  clockMs = 3_599_999
  await failing('it answered 500')
  expect(held()).toEqual(['one'])
  clockMs = 3_600_000
  expect(held()).toBeUndefined()
})

describe('is passed over, and the last good one serves', () => {
  test.each<[string, () => Promise<number>, string]>([
    ['a failure', () => failing('it answered 500'), 'it answered 500'],
    ['what is no bundle', () => says({ keys: 7 }), 'it has no keys'],
    ['a bundle with a key that is none', () => says({ keys: [{ use: 'jwt-svid' }] }), 'jwt-svid'],
    ['an older one', () => says(documentOf('older', { spiffe_sequence: 6 })), 'older'],
    ['one without a sequence', () => says(documentOf('bare')), 'it has no spiffe_sequence'],
  ])('%s', async (_name, look, why) => {
    await says(documentOf('one', { spiffe_sequence: 7 }))
    expect(await look()).toBe(5000)
    expect(held()).toEqual(['one'])
    expect(log.lines.join('\n')).toContain(why)
  })

  test('a fetch that rejects', async () => {
    await says(documentOf('one'))
    answer = () => Promise.reject(new Error('cut off'))
    await endpoint.look()
    expect(held()).toEqual(['one'])
  })
})

describe('an older one is not taken when nothing holds any more, either: keys that have gone stay gone', () => {
  test.each<[string, JsonObject]>([
    ['by its sequence', { spiffe_sequence: 6 }],
    ['without one', {}],
  ])('%s', async (_name, more) => {
    await says(documentOf('one', { spiffe_sequence: 7 }))
    clockMs = 3_599_999
    await says(documentOf('older', more))
    clockMs = 3_600_000
    expect(await says(documentOf('older', more))).toBe(5000)
    expect(await says(documentOf('older', more))).toBe(5000)
    expect(held()).toBeUndefined()
    const told = log.lines.flatMap((line) => /"why":"([^"]*)"/.exec(line)?.[1] ?? [])
    expect(told).toHaveLength(2)
    expect(told[1]).toContain('nobody is let in by it')
    await says(documentOf('newer', { spiffe_sequence: 8 }))
    expect(held()).toEqual(['newer'])
  })

  test('one that was passed over does not count as seen', async () => {
    await says(documentOf('one', { spiffe_sequence: 7 }))
    await says({ keys: [{ use: 'jwt-svid' }], spiffe_sequence: 9 })
    await says(documentOf('two', { spiffe_sequence: 8 }))
    expect(held()).toEqual(['two'])
  })
})

test('bundles without sequences follow each other', async () => {
  await says(documentOf('one'))
  await says(documentOf('two'))
  expect(held()).toEqual(['two'])
})

test('a bundle without keys is taken: nobody is believed by it', async () => {
  await says(documentOf('one'))
  await says({ keys: [] })
  expect(held()).toEqual([])
})

test('each fault is told once, and its end; a bundle, when it is new', async () => {
  await failing('it answered 500')
  await failing('it answered 500')
  await says(documentOf('one'))
  await says(documentOf('one'))
  const told = log.lines.map((line) => /"message":"([^"]*)"/.exec(line)?.[1])
  expect(told).toEqual([
    'the bundle of a trust domain cannot be fetched; it is tried again',
    'a trust domain has a bundle that is new here',
    'the bundle of a trust domain can be fetched again',
  ])
})

test('it is followed until it is closed', async () => {
  let looks = 0
  answer = async () => ok(documentOf('one'))
  await endpoint.follow(() => looks++)
  expect(looks).toBe(1)
  endpoint.close()
  await endpoint.follow(() => looks++)
  expect(looks).toBe(1)
})
