// The keys of ServiceAccount tokens: asked of the API server alone, by the sidecar's own token, and of no other issuer's.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JsonObject } from '../../../../shared/json.ts'
import { fail, ok, type Result } from '../../../../shared/result.ts'
import { apiServerKeys } from '../../../../sidecar/identity/api-server.ts'
import type { FetchRules } from '../../../../sidecar/identity/fetch-json.ts'

const ISSUER = 'https://kubernetes.default.svc.cluster.local'
const SERVER = 'https://kubernetes.default.svc'
const DISCOVERY = `${SERVER}/.well-known/openid-configuration`
const KEYS = `${SERVER}/openid/v1/jwks`
const JWKS = ok({ keys: [{ kty: 'RSA', kid: 'a', n: 'x', e: 'AQAB' }] })
/** As an API server says it: the place of its keys is one that pods may not reach. */
const METADATA = ok({ issuer: ISSUER, jwks_uri: 'https://172.18.0.2:6443/openid/v1/jwks' })

let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'api-server-'))
  writeFileSync(join(dir, 'token'), 'of-the-sidecar')
  writeFileSync(join(dir, 'ca.crt'), 'the authority\n')
})
afterEach(() => rmSync(dir, { recursive: true }))

type Answers = Readonly<Record<string, Result<JsonObject, string>>>

const keysBy = async (answers: Answers) => {
  const asked: { readonly url: string; readonly rules: FetchRules }[] = []
  const found = await apiServerKeys({
    issuer: ISSUER,
    url: SERVER,
    dir,
    fetchJson: async (url, rules) => {
      asked.push({ url, rules })
      return answers[url] ?? fail('it answered 404')
    },
  })
  return { found, asked }
}

test('are asked where the API server is, with its authority and the mounted token', async () => {
  const { found, asked } = await keysBy({ [DISCOVERY]: METADATA, [KEYS]: JWKS })
  expect(found).toEqual(ok([{ kty: 'RSA', kid: 'a', n: 'x', e: 'AQAB' }]))
  expect(asked.map(({ url }) => url)).toEqual([DISCOVERY, KEYS])
  for (const { rules } of asked) {
    expect(rules).toMatchObject({
      hosts: [{ host: 'kubernetes.default.svc', reach: 'private' }],
      authorization: 'Bearer of-the-sidecar',
      ca: 'the authority',
    })
  }
})

test('are asked with the token that is there now', async () => {
  writeFileSync(join(dir, 'token'), 'a-newer-one')
  const { asked } = await keysBy({ [DISCOVERY]: METADATA, [KEYS]: JWKS })
  expect(asked[0]?.rules.authorization).toBe('Bearer a-newer-one')
})

describe('there are none', () => {
  test.each<[string, Answers, RegExp]>([
    ['of another issuer', { [DISCOVERY]: ok({ issuer: 'https://a' }), [KEYS]: JWKS }, /is https:/],
    ['without a name', { [DISCOVERY]: ok({}), [KEYS]: JWKS }, /issuer is undefined/],
    ['where it may not ask', { [DISCOVERY]: fail('it answered 403') }, /configuration: it answer/],
    ['where none are', { [DISCOVERY]: METADATA, [KEYS]: ok({ keys: [] }) }, /jwks: it holds no/],
    ['where they cannot be had', { [DISCOVERY]: METADATA }, /jwks: it answered 404/],
  ])('%s', async (_name, answers, says) => {
    expect((await keysBy(answers)).found).toEqual(fail(expect.stringMatching(says)))
  })

  test.each(['token', 'ca.crt'])('without %s, and nobody is asked', async (name) => {
    rmSync(join(dir, name))
    const { found, asked } = await keysBy({ [DISCOVERY]: METADATA, [KEYS]: JWKS })
    expect(found).toEqual(fail(`${join(dir, name)} is not there`))
    expect(asked).toEqual([])
  })
})
