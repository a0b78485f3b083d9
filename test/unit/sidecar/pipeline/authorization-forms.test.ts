// Whatever stands in Authorization, it is the good token or a refusal that clients can read.

import { beforeAll, describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { isObject, type JsonObject } from '../../../../shared/json.ts'
import { ok } from '../../../../shared/result.ts'
import { parseSidecarConfig } from '../../../../shared/sidecar-config.ts'
import { callersOf } from '../../../../sidecar/identity/callers.ts'
import { IssuerKeys } from '../../../../sidecar/identity/issuer-keys.ts'
import { Resource } from '../../../../sidecar/identity/resource.ts'
import { Verifier } from '../../../../sidecar/identity/verifier.ts'
import { Crowd } from '../../../../sidecar/identity/waiting.ts'
import { authenticate } from '../../../../sidecar/pipeline/authenticate.ts'
import type { Stage } from '../../../../sidecar/pipeline/stage.ts'
import { anExchange, aPassage } from '../../../support/fake-exchange.ts'
import { signed, signingKey } from '../../../support/issuer.ts'
import { keptLog } from '../../../support/kept-log.ts'

const START_MS = 1_800_000_000_000
const ISSUER = 'https://idp.example'
/** RFC 9110, section 11.6.1, with values as RFC 6750, section 3, has them. */
const CHALLENGE = /^Bearer (?:[a-z_]+="[ !#-[\]-~]*")(?:, [a-z_]+="[ !#-[\]-~]*")*$/
const REFUSALS = ['unauthenticated', 'invalid-request', 'issuer-unavailable']

let stage: Stage
let good: string
let other: string

beforeAll(async () => {
  const config = parseSidecarConfig({ issuers: [{ url: ISSUER, audiences: ['here'] }] })
  if (!config.ok) throw new Error(config.error.join('\n'))
  const key = await signingKey('one')
  const jwk: unknown = JSON.parse(JSON.stringify(key.publicJwk))
  const jwks: readonly JsonObject[] = isObject(jwk) ? [jwk] : []
  let clockMs = 0
  const keys = new IssuerKeys({
    issuer: ISSUER,
    fetch: async () => ok(jwks),
    now: () => clockMs,
    sleep: async (ms) => {
      clockMs += ms
    },
    crowd: new Crowd(16),
    log: keptLog().log,
  })
  const trusted = { keys, audiences: () => ['here'], groupsClaim: undefined }
  const verifier = new Verifier({
    issuers: new Map([[ISSUER, trusted]]),
    now: () => clockMs,
    wallMs: () => START_MS,
  })
  stage = authenticate(callersOf({ verifier, resource: new Resource(config.value, () => 15_200) }))
  const claims = { iss: ISSUER, aud: 'here', sub: 'ada', exp: START_MS / 1000 + 300 }
  good = await signed(claims, key)
  other = await signed({ ...claims, sub: 'eve' }, key)
})

const judged = async (authorization: string) => {
  const { exchange } = anExchange({ host: '127.0.0.1:15200', authorization })
  const passage = { ...aPassage(), ...exchange }
  const fault = await stage(passage)
  return { fault, principal: passage.principal }
}

const isRefused = async (authorization: string): Promise<boolean> => {
  const { fault, principal } = await judged(authorization)
  if (fault === undefined || principal !== undefined) return false
  const challenge = fault.headers?.['www-authenticate']
  const isTold = fault.code === 'issuer-unavailable' || CHALLENGE.test(challenge ?? '')
  return REFUSALS.includes(fault.code) && isTold && fault.message.length < 512
}

test('the good token is taken', async () => {
  const { fault, principal } = await judged(`Bearer ${good}`)
  expect([fault, principal?.identity?.subject]).toEqual([undefined, 'ada'])
})

const texts = fc.string({ unit: 'binary', maxLength: 200 })
const place = fc.nat(2000)

describe('nothing else is', () => {
  test.each<[string, fc.Arbitrary<(token: string) => string>]>([
    ['any text', texts.map((text) => () => text)],
    ['any text behind the scheme', texts.map((text) => () => `Bearer ${text}`)],
    [
      'any parts of characters that tokens have',
      fc
        .array(fc.stringMatching(/^[\w-]{0,20}$/), { maxLength: 5 })
        .map((parts) => () => `Bearer ${parts.join('.')}`),
    ],
    [
      'any JSON in its parts',
      fc.tuple(fc.json(), fc.json()).map((parts) => () => {
        const [head, body] = parts.map((part) => Buffer.from(part).toString('base64url'))
        return `Bearer ${head}.${body}.AAAA`
      }),
    ],
    [
      'the token without a character',
      place.map((at) => (token) => {
        const index = at % token.length
        return `Bearer ${token.slice(0, index)}${token.slice(index + 1)}`
      }),
    ],
    [
      'the token with a character more',
      fc.tuple(place, fc.stringMatching(/^[\w.-]$/)).map(([at, more]) => (token) => {
        const index = at % token.length
        return `Bearer ${token.slice(0, index)}${more}${token.slice(index)}`
      }),
    ],
    [
      'the token with another character',
      fc.tuple(place, fc.stringMatching(/^[\w.-]$/)).map(([at, another]) => (token) => {
        const index = at % token.length
        const isSame = token[index] === another
        const put = isSame ? (another === 'A' ? 'B' : 'A') : another
        return `Bearer ${token.slice(0, index)}${put}${token.slice(index + 1)}`
      }),
    ],
    [
      'the token cut off',
      place.map((at) => (token) => `Bearer ${token.slice(0, at % token.length)}`),
    ],
    [
      'something around the token',
      fc.tuple(fc.stringMatching(/^[ ,;"\w=]{0,4}$/), fc.stringMatching(/^[,;"\w=]{1,4}$/)).map(
        ([before, behind]) =>
          (token) =>
            `Bearer ${before}${token}${behind}`,
      ),
    ],
  ])('%s', async (_name, forms) => {
    await fc.assert(
      fc.asyncProperty(forms, (form) => isRefused(form(good))),
      { numRuns: 300 },
    )
  })

  test('parts of two good ones', async () => {
    const [one, two] = [good.split('.'), other.split('.')]
    const mixed = [
      [one[0], two[1], one[2]],
      [one[0], one[1], two[2]],
      [two[0], one[1], two[2]],
    ]
    for (const parts of mixed) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await isRefused(`Bearer ${parts.join('.')}`)).toBe(true)
    }
  })
})
